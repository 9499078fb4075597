/*
 * special.h - the parsers and printers of the rows whose value is more than one number or word.
 */
#ifndef SHOAL_OPTIONS_SPECIAL_H
#define SHOAL_OPTIONS_SPECIAL_H

#include "shoal/options/table.h"

bool option_parse_bind(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_bind(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_shards(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_shards(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_cpus(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_cpus(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_maxmemory(struct settings *settings, struct bytes value,
                            struct option_error *error);
void option_print_maxmemory(const struct settings *settings, char out[OPTION_TEXT_MAX]);
void option_print_maxmemory_given(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_jitter(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_jitter(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_activedefrag(struct settings *settings, struct bytes value,
                               struct option_error *error);
void option_print_activedefrag(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_maxmemory_clients(struct settings *settings, struct bytes value,
                                    struct option_error *error);
void option_print_maxmemory_clients(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_output_limit(struct settings *settings, struct bytes value,
                               struct option_error *error);
void option_print_output_limit(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_percentiles(struct settings *settings, struct bytes value,
                              struct option_error *error);
void option_print_percentiles(const struct settings *settings, char out[OPTION_TEXT_MAX]);

#endif
