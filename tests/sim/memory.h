/*
 * memory.h - the server's memory: counted, failing now and then, and never what it was once freed.
 */
#ifndef SHOAL_TESTS_SIM_MEMORY_H
#define SHOAL_TESTS_SIM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* From now on blocks are counted. */
void memory_begin(void);
/* Returns how many are left. */
int64_t memory_end(void);
/* May allocations fail? They may while a reactor works. */
void memory_fails(bool may);
/* A mutex is held: nobody else may run. */
bool memory_holds_lock(void);

#endif
