/*
 * load.c - reads the options at start: defaults, config file, environment, command line.
 *
 * The command line is walked twice: first for what must be known early (the config file, --help),
 * then for the values, which override all others.
 */
#include "shoal/options/load.h"

#include "shoal/options/assign.h"
#include "shoal/options/file.h"
#include "shoal/options/find.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/notes.h"
#include "shoal/options/table.h"
#include "shoal/options/value.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

struct walk {
    int argc;
    char **argv;
    int at;
    bool assign; /* the second time */
    struct settings *settings;
    struct options_request *request;
    const char *config;
    struct option_error *error;
};

/* ---- the command line ---------------------------------------------------- */

/* True when `arg` begins another option. "-1" and "-::1" are values. */
static bool is_option(const char *arg)
{
    if (arg[0] != '-' || arg[1] == '\0')
        return false;
    bool letter = option_find_letter(arg[1]) != NULL || option_action_find_letter(arg[1]) != NULL;
    return arg[1] == '-' || (letter && arg[2] == '\0');
}

static bool take_config(struct walk *walk, const char *path)
{
    if (walk->assign)
        return true;
    if (walk->config != NULL)
        return option_error_set(walk->error,
                                "unexpected argument \"%.200s\" (the config file is \"%.200s\")",
                                path, walk->config);
    walk->config = path;
    return true;
}

/* Of several things to print, the first is printed. */
static bool take_action(struct walk *walk, const struct option_action *action)
{
    if (action->kind == ACTION_CHECK)
        walk->request->check_config = true;
    else if (walk->request->print == NULL)
        walk->request->print = action;
    return true;
}

static bool take_line(struct walk *walk, const struct option_line *line)
{
    return !walk->assign || options_assign(walk->settings, line, SOURCE_ARGUMENT, walk->error);
}

/* Joins the following arguments up to the next option: `--bind 10.0.0.1 -::1 --port ...`. */
static bool take_words(struct walk *walk, struct bytes name)
{
    char value[OPTION_LINE_MAX] = "";
    size_t used = 0;
    int words = 0;
    for (; walk->at < walk->argc && !is_option(walk->argv[walk->at]); walk->at++, words++) {
        size_t size = strlen(walk->argv[walk->at]);
        if (used + size + 1 >= sizeof(value))
            return option_error_set(walk->error, "--%.*s: the value is too long", (int)name.size,
                                    name.data);
        if (words > 0)
            value[used++] = ' ';
        memcpy(value + used, walk->argv[walk->at], size);
        used += size;
    }
    struct option_line line = { name, bytes_of(value, used), words };
    return take_line(walk, &line);
}

/* The value in the next argument; a bool without one means yes. */
static bool take_next(struct walk *walk, const struct option *row, struct bytes name)
{
    if (row == NULL || (row->flags & OPTION_MULTI))
        return take_words(walk, name);
    struct option_line line = { name, bytes_str("yes"), 1 };
    bool there = walk->at < walk->argc && !is_option(walk->argv[walk->at]);
    bool flag;
    if (row->type == OPTION_BOOL &&
        (!there || !option_bool(bytes_str(walk->argv[walk->at]), &flag)))
        return take_line(walk, &line);
    if (!there)
        line.words = 0;
    else
        line.value = bytes_str(walk->argv[walk->at++]);
    return take_line(walk, &line);
}

/* "--name value" in one argument, as Redis allows. */
static bool take_whole_line(struct walk *walk, const char *text)
{
    char line[OPTION_LINE_MAX];
    struct bytes words[OPTION_WORDS_MAX];
    int count = -1;
    if (strlen(text) < sizeof(line)) {
        strcpy(line, text);
        count = options_split(line, words);
    }
    if (count < 1)
        return option_error_set(walk->error, "--%.200s: unbalanced quotes, or too long", text);
    char value[OPTION_LINE_MAX] = "";
    for (int i = 1; i < count; i++) {
        size_t used = strlen(value);
        snprintf(value + used, sizeof(value) - used, "%s%.*s", i > 1 ? " " : "", (int)words[i].size,
                 words[i].data);
    }
    struct option_line split = { words[0], bytes_str(value), count - 1 };
    return take_line(walk, &split);
}

static bool take_long(struct walk *walk, const char *text)
{
    size_t size = strcspn(text, "= ");
    struct bytes name = bytes_of(text, size);
    const struct option_action *action = option_action_find(name);
    if (action != NULL && action->kind != ACTION_CONFIG && text[size] == '\0')
        return take_action(walk, action);
    if (text[size] == ' ')
        return take_whole_line(walk, text);
    if (action != NULL && action->kind == ACTION_CONFIG) {
        if (text[size] == '=')
            return take_config(walk, text + size + 1);
        return walk->at < walk->argc ? take_config(walk, walk->argv[walk->at++])
                                     : option_error_set(walk->error, "--config: needs a value");
    }
    struct option_line line = { name, bytes_str(text + size + (text[size] == '=')), 1 };
    if (text[size] == '=')
        return take_line(walk, &line);
    return take_next(walk, option_find(name), name);
}

/* -p 7000, -p7000, -m 512 (megabytes). */
static bool take_letter(struct walk *walk, const char *arg)
{
    const struct option_action *action = option_action_find_letter(arg[1]);
    if (action != NULL && arg[2] == '\0')
        return take_action(walk, action);
    const struct option *row = option_find_letter(arg[1]);
    if (row == NULL)
        return option_error_set(walk->error, "%.64s: unknown option", arg);
    if (arg[2] == '\0' && !(row->flags & OPTION_MEGABYTES))
        return take_next(walk, row, bytes_str(row->name));
    if (arg[2] == '\0' && (walk->at == walk->argc || is_option(walk->argv[walk->at])))
        return option_error_set(walk->error, "%.64s: needs a value", arg);
    const char *value = arg[2] != '\0' ? arg + 2 : walk->argv[walk->at++];
    char text[OPTION_TEXT_MAX];
    bool digits = value[0] != '\0' && value[strspn(value, "0123456789")] == '\0';
    bool megabytes = (row->flags & OPTION_MEGABYTES) && digits;
    snprintf(text, sizeof(text), "%.500s%s", value, megabytes ? "mb" : "");
    struct option_line line = { bytes_str(row->name), bytes_str(text), 1 };
    return take_line(walk, &line);
}

static bool walk_arguments(struct walk *walk, bool assign)
{
    walk->assign = assign;
    for (walk->at = 1; walk->at < walk->argc;) {
        const char *arg = walk->argv[walk->at++];
        bool ok;
        if (arg[0] != '-' || arg[1] == '\0')
            ok = take_config(walk, arg);
        else
            ok = arg[1] == '-' ? take_long(walk, arg + 2) : take_letter(walk, arg);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- the environment ----------------------------------------------------- */

/* A service named "shoal" makes Kubernetes set SHOAL_PORT=tcp://..., SHOAL_SERVICE_HOST and so
 * on. */
static bool is_foreign(struct bytes name, const char *value)
{
    return strncmp(value, "tcp://", 6) == 0 || strncmp(name.data, "SERVICE_", 8) == 0 ||
           strncmp(name.data, "PORT_", 5) == 0;
}

static bool take_environment(struct settings *settings, char **environment,
                             struct option_error *error)
{
    for (; *environment != NULL; environment++) {
        const char *text = *environment, *equals = strchr(text, '=');
        if (strncmp(text, "SHOAL_", 6) != 0 || equals == NULL)
            continue;
        struct option_line line = { bytes_of(text + 6, (size_t)(equals - text) - 6),
                                    bytes_str(equals + 1), 1 };
        if (bytes_is(line.name, "config") || is_foreign(line.name, equals + 1))
            continue;
        bool known = option_find(line.name) != NULL || compat_find(line.name) >= 0;
        if (!options_assign(settings, &line, SOURCE_ENVIRONMENT, error)) {
            if (known)
                return false;
            options_warn("%.300s", error->text);
        }
    }
    return true;
}

static const char *config_from(char **environment)
{
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, "SHOAL_CONFIG=", 13) == 0 && (*environment)[13] != '\0')
            return *environment + 13;
    }
    return NULL;
}

/* ---- all of it ----------------------------------------------------------- */

static bool file_line(void *context, const struct option_line *line, struct option_error *error)
{
    return options_assign(context, line, SOURCE_FILE, error);
}

/* The path is kept whole, for SIGHUP; errors show it as it was given. What has no path, as the pipe
 * of a shell's <(...), is not read again. */
static bool take_file(struct settings *settings, const char *path, struct option_error *error)
{
    char whole[PATH_MAX];
    if (path == NULL)
        return true;
    if (!options_file_read(path, file_line, settings, error))
        return false;
    if (strcmp(path, "-") == 0 || realpath(path, whole) == NULL)
        return true;
    if (strlen(whole) >= sizeof(settings->config_file))
        return option_error_set(error, "%.200s: the path is too long", path);
    strcpy(settings->config_file, whole);
    return true;
}

bool options_parse(struct settings *settings, const struct host_limits *host, int argc, char **argv,
                   char **environment, struct options_request *request, struct option_error *error)
{
    struct walk walk = {
        .argc = argc, .argv = argv, .settings = settings, .request = request, .error = error
    };
    *request = (struct options_request){ 0 };
    options_notes_clear();
    options_defaults(settings, host);
    if (!walk_arguments(&walk, false))
        return false;
    if (request->print != NULL)
        return true;
    if (!take_file(settings, walk.config != NULL ? walk.config : config_from(environment), error) ||
        !take_environment(settings, environment, error) || !walk_arguments(&walk, true))
        return false;
    options_resolve(settings, host);
    return true;
}

static void print_notes(void)
{
    for (const char *const *warning = options_warnings(); *warning != NULL; warning++)
        printf("warning: %s\n", *warning);
    if (options_ignored()[0] != '\0')
        printf("ignored: %s\n", options_ignored());
}

enum options_result options_load(struct settings *settings, int argc, char **argv)
{
    struct host_limits host;
    struct options_request request;
    struct option_error error;
    host_limits_detect(&host);
    if (!options_parse(settings, &host, argc, argv, environ, &request, &error)) {
        fprintf(stderr, "shoal: %s\nshoal --help lists the options.\n", error.text);
        return OPTIONS_EXIT_USAGE;
    }
    if (request.print != NULL && request.print->kind == ACTION_COMMANDS)
        return OPTIONS_PRINT_COMMANDS;
    if (request.print != NULL && request.print->kind == ACTION_COUNTERS)
        return OPTIONS_PRINT_COUNTERS;
    if (request.print != NULL) {
        request.print->print();
        return OPTIONS_EXIT_OK;
    }
    if (!request.check_config)
        return OPTIONS_START;
    print_notes();
    printf("The configuration is valid.\n");
    return OPTIONS_EXIT_OK;
}
