/*
 * purge_jemalloc.h - jemalloc's threads return pages to the system a little at a time.
 */
#ifndef SHOAL_BASE_PURGE_JEMALLOC_H
#define SHOAL_BASE_PURGE_JEMALLOC_H

#include <stdbool.h>

/* From now on pages of the arena go back by pieces. Does nothing with a jemalloc whose hooks are
 * not those of 5.x. Thread: startup. */
void purge_slowly(unsigned arena_index);

/* Whether the threads may take half of a CPU each instead of a tenth. Thread: any. */
void purge_hurry(bool hurry);

#endif
