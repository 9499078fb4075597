/*
 * export.h - the table of options as documentation, to standard output. Thread: startup.
 */
#ifndef SHOAL_OPTIONS_EXPORT_H
#define SHOAL_OPTIONS_EXPORT_H

#include "shoal/base/bytes.h"

void options_print_markdown(void);   /* the table of docs/configuration.md */
void options_print_man(void);        /* the man page */
void options_print_completion(void); /* for bash */
void options_print_config(void);     /* packaging/shoal.conf */

#endif
