/*
 * test_load.c - loading: the command line, the environment, which of them wins, and refusals.
 */
#include "shoal/options/load.h"

#include "shoal/options/export.h"
#include "shoal/options/notes.h"
#include "shoal/options/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORDS_MAX = 32 };

static const struct host_limits host = { .cpus = 4, .cpus_affinity = 4, .memory = 1000000000 };

static struct settings settings;
static struct option_error error;
static struct options_request request;

/* Splits `line` at blanks (a '_' inside a word stays one) and parses it with this environment. */
static bool parse_with(const char *line, char **environment)
{
    char text[4096], *argv[WORDS_MAX] = { "shoal" }, *rest = text;
    int argc = 1;
    snprintf(text, sizeof(text), "%s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        if (*word != '\0')
            argv[argc++] = word;
    }
    memset(&error, 0, sizeof(error));
    return options_parse(&settings, &host, argc, argv, environment, &request, &error);
}

static bool parse(const char *line)
{
    char *none[] = { NULL };
    return parse_with(line, none);
}

static void refused(const char *line, const char *text)
{
    assert_false(parse(line));
    if (strcmp(error.text, text) != 0)
        fail_msg("%s: got \"%s\", expected \"%s\"", line, error.text, text);
}

/* A file with this text; the caller removes it. */
static void write_file(char path[64], const char *text)
{
    strcpy(path, "/tmp/shoal-test-options-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_ways_to_give_a_value(void **state)
{
    (void)state;
    assert_true(parse("--port 7000 --maxclients=50 -m 64 -t 2 -c60 --tcp_backlog 9 --Timeout 5"));
    assert_int_equal(settings.port, 7000);
    assert_int_equal(settings.maxclients, 60);
    assert_int_equal(settings.maxmemory, 64 << 20);
    assert_int_equal(settings.shards, 2);
    assert_false(settings.shards_auto);
    assert_int_equal(settings.tcp_backlog, 9);
    assert_int_equal(settings.timeout_s, 5);
    assert_true(parse("--threads 3 -p7001 -l 0.0.0.0 -m 1gb --slowlog-log-slower-than -1"));
    assert_int_equal(settings.shards, 3);
    assert_int_equal(settings.port, 7001);
    assert_string_equal(settings.bind[0], "0.0.0.0");
    assert_int_equal(settings.maxmemory, 1 << 30);
    assert_int_equal(settings.slowlog_slower_us, -1);
    assert_true(parse("--bind 10.0.0.1 -::1 * --port 1 --strict-mget --protected-mode no"));
    assert_int_equal(settings.bind_count, 3);
    assert_string_equal(settings.bind[2], "*");
    assert_true(settings.strict_mget);
    assert_false(settings.protected_mode);
    assert_true(parse("--strict-mget --port 8"));
    assert_true(settings.strict_mget && settings.port == 8);
}

static void test_one_argument_with_a_blank(void **state)
{
    (void)state;
    char *argv[] = { "shoal", "--maxmemory '700mb'", "--requirepass \"a b\"" }, *none[] = { NULL };
    assert_true(options_parse(&settings, &host, 3, argv, none, &request, &error));
    assert_int_equal(settings.maxmemory, 700 << 20);
    assert_string_equal(settings.requirepass, "a b");
}

static void test_precedence(void **state)
{
    (void)state;
    char path[64], line[128];
    char *environment[] = { "SHOAL_MAXCLIENTS=20", "SHOAL_TIMEOUT=2", "OTHER=1", NULL };
    write_file(path, "port 1\nmaxclients 10\ntimeout 1\n");
    snprintf(line, sizeof(line), "%s --timeout 3", path);
    assert_true(parse_with(line, environment));
    assert_int_equal(settings.port, 1);
    assert_int_equal(settings.maxclients, 20);
    assert_int_equal(settings.timeout_s, 3);
    assert_string_equal(settings.config_file, path);
    snprintf(line, sizeof(line), "--timeout 3 --config %s", path);
    assert_true(parse_with(line, environment));
    assert_int_equal(settings.timeout_s, 3);
    char setting[96];
    snprintf(setting, sizeof(setting), "SHOAL_CONFIG=%s", path);
    assert_true(parse_with("", (char *[]){ setting, NULL }));
    assert_int_equal(settings.maxclients, 10);
    unlink(path);
}

static void test_environment(void **state)
{
    (void)state;
    assert_false(parse_with("", (char *[]){ "SHOAL_TCP_BACKLOG=x", NULL }));
    assert_string_equal(
        error.text, "SHOAL_TCP_BACKLOG: argument couldn't be parsed into an integer, not \"x\"");
    assert_true(parse_with("", (char *[]){ "SHOAL_MAXMMORY=1", NULL }));
    assert_string_equal(options_warnings()[0],
                        "SHOAL_MAXMMORY: unknown option (did you mean SHOAL_MAXMEMORY?)");
    char *kubernetes[] = { "SHOAL_PORT=tcp://10.0.0.1:6379", "SHOAL_SERVICE_HOST=10.0.0.1",
                           "SHOAL_PORT_6379_TCP_PROTO=tcp", NULL };
    assert_true(parse_with("", kubernetes));
    assert_int_equal(settings.port, 6379);
    assert_null(options_warnings()[0]);
}

static void test_unknown_names(void **state)
{
    (void)state;
    refused("--maxmmory 1", "--maxmmory: unknown option (did you mean --maxmemory?)");
    refused("--maxmemroy=1", "--maxmemroy: unknown option (did you mean --maxmemory?)");
    refused("--prot 1", "--prot: unknown option (did you mean --port?)");
    refused("--apendonly yes", "--apendonly: unknown option (did you mean --appendonly?)");
    refused("--check-conf", "--check-conf: unknown option (did you mean --check-config?)");
    refused("--print-conf", "--print-conf: unknown option (did you mean --print-config?)");
    refused("--xyzzyxyzzy 1", "--xyzzyxyzzy: unknown option");
    refused("-x 1", "-x: unknown option");
    refused("a.conf b.conf", "unexpected argument \"b.conf\" (the config file is \"a.conf\")");
    refused("/nonexistent.conf", "/nonexistent.conf: cannot open: No such file or directory");
}

static void test_missing_values(void **state)
{
    (void)state;
    refused("--port", "--port: needs a value");
    refused("--port=", "--port: argument couldn't be parsed into an integer, not \"\"");
    refused("--port --timeout 3", "--port: needs a value");
    refused("--port -c 3", "--port: needs a value");
    refused("-p", "--port: needs a value");
    refused("-m", "-m: needs a value");
    refused("--bind --port 1", "--bind: needs a value");
    refused("--config", "--config: needs a value");
}

static void asks_for(const char *line, void (*print)(void))
{
    assert_true(parse(line));
    assert_false(request.check_config);
    assert_non_null(request.print);
    assert_ptr_equal(request.print->print, print);
}

static void test_requests(void **state)
{
    (void)state;
    asks_for("--help", options_print_help);
    asks_for("-h", options_print_help);
    asks_for("-v", options_print_version);
    asks_for("--version --port x --help", options_print_version);
    asks_for("--print-options-markdown", options_print_markdown);
    asks_for("--print-commands-markdown", NULL);
    asks_for("--print-counters-markdown", NULL);
    assert_true(parse("--port 7 --check-config") && request.check_config);
    assert_int_equal(settings.port, 7);
    assert_null(request.print);
    assert_false(parse("--check-config --port x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_to_give_a_value),
        cmocka_unit_test(test_one_argument_with_a_blank),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_missing_values),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
