/*
 * config.h - the options of a running server: CONFIG GET, CONFIG SET and SIGHUP.
 */
#ifndef SHOAL_OPTIONS_CONFIG_H
#define SHOAL_OPTIONS_CONFIG_H

#include "shoal/options/options.h"

/*
 * CONFIG SET of one option on a private clone. Errors in Redis's words ("argument must be between 0
 * and 100 inclusive"). `error` holds only that reason; the caller puts "CONFIG SET failed (possibly
 * related to argument 'x') - " before it, also for OPTION_IMMUTABLE ("can't set immutable config").
 * An immutable option may be set to the value it has. Roll back by dropping the clone. Thread: any.
 */
enum option_set_result option_set(struct settings *settings, struct bytes name, struct bytes value,
                                  struct option_error *error);

/*
 * For CONFIG GET: calls `each` with name and value for every option whose name matches the glob,
 * case-insensitively. Aliases count as names of their own, as in Redis. Hidden options answer to
 * their full name only. The text is borrowed for the call. Several patterns of one CONFIG GET: the
 * caller drops the duplicates. Thread: any.
 */
typedef void (*option_each_fn)(void *context, const char *name, const char *value);
void options_match(const struct settings *settings, struct bytes pattern, option_each_fn each,
                   void *context);

/*
 * Re-reads settings->config_file (as at start: included files too) and applies what may change at
 * run time; what the environment or the command line gave stays. An option that has left the file
 * returns to its default. Changes that need a restart are in options_warnings(). False: error says
 * why, nothing changed. Thread: main.
 */
bool options_reload(struct settings *settings, struct option_error *error);

#endif
