/*
 * print.h - --help and --version, to standard output. Thread: startup.
 */
#ifndef SHOAL_OPTIONS_PRINT_H
#define SHOAL_OPTIONS_PRINT_H

#include "shoal/base/bytes.h"

void options_print_help(void);
void options_print_version(void);

#endif
