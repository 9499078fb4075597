/*
 * test_load.c - loading: defaults, precedence, the command line, the environment, refusals.
 */
#include "shoal/options/load.h"

#include "shoal/base/log.h"
#include "shoal/options/config.h"
#include "shoal/options/export.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/notes.h"
#include "shoal/options/print.h"
#include "shoal/options/special.h"
#include "shoal/store/evict/evict.h"

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

static void test_defaults(void **state)
{
    (void)state;
    assert_true(parse(""));
    assert_int_equal(settings.port, 6379);
    assert_int_equal(settings.bind_count, 2);
    assert_string_equal(settings.bind[0], "127.0.0.1");
    assert_string_equal(settings.bind[1], "-::1");
    assert_false(settings.bind_given);
    assert_int_equal(settings.shards, 4);
    assert_true(settings.shards_auto);
    assert_int_equal(settings.maxmemory, 800000000);
    assert_string_equal(settings.maxmemory_text, "80%");
    assert_string_equal(evict_policies[settings.maxmemory_policy].name, "allkeys-s3fifo");
    assert_int_equal(settings.maxclients, 10000);
    assert_int_equal(settings.databases, 16);
    assert_true(settings.protected_mode);
    assert_string_equal(settings.requirepass, "");
    assert_int_equal(settings.loglevel, LOG_NOTICE);
    assert_int_equal(settings.tcp_backlog, 511);
    assert_int_equal(settings.tcp_keepalive_s, 300);
    assert_int_equal(settings.timeout_s, 0);
    assert_int_equal(settings.slowlog_slower_us, 10000);
    assert_int_equal(settings.slowlog_max_len, 128);
    assert_int_equal(settings.proto_max_bulk_len, 512 << 20);
    assert_int_equal(settings.client_query_buffer_limit, 1 << 30);
    assert_int_equal(settings.output_limit[OUTPUT_NORMAL].hard_bytes, 0);
    assert_int_equal(settings.output_limit[OUTPUT_REPLICA].hard_bytes, 256 << 20);
    assert_int_equal(settings.output_limit[OUTPUT_PUBSUB].soft_bytes, 8 << 20);
    assert_int_equal(settings.output_limit[OUTPUT_PUBSUB].soft_seconds, 60);
    assert_string_equal(settings.uring_features, "all");
    assert_int_equal(settings.busy_poll_us, 0);
    assert_int_equal(settings.shutdown_timeout_s, 10);
    assert_int_equal(settings.hz, 10);
    assert_true(settings.latency_tracking);
    assert_int_equal(settings.latency_percentile_count, 3);
    assert_true(settings.latency_percentiles[2] == 99.9);
    assert_int_equal(settings.enable_debug_command, ACCESS_NO);
    assert_string_equal(options_ignored(), "");
    assert_null(options_warnings()[0]);
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
    assert_true(settings.bind_given);
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
    refused("--xyzzyxyzzy 1", "--xyzzyxyzzy: unknown option");
    refused("-x 1", "-x: unknown option");
    refused("a.conf b.conf", "unexpected argument \"b.conf\" (the config file is \"a.conf\")");
    refused("/nonexistent.conf", "/nonexistent.conf: cannot open: No such file or directory");
}

static void test_missing_values(void **state)
{
    (void)state;
    refused("--port", "--port: needs a value");
    refused("--port --timeout 3", "--port: needs a value");
    refused("--port -c 3", "--port: needs a value");
    refused("-p", "--port: needs a value");
    refused("-m", "-m: needs a value");
    refused("--bind --port 1", "--bind: needs a value");
    refused("--config", "--config: needs a value");
}

static void test_values_refused(void **state)
{
    (void)state;
    refused("--port 65536",
            "--port: argument must be between 0 and 65535 inclusive, not \"65536\"");
    refused("--port=-1", "--port: argument must be between 0 and 65535 inclusive, not \"-1\"");
    refused("--port 1x", "--port: argument couldn't be parsed into an integer, not \"1x\"");
    refused("--port=", "--port: argument couldn't be parsed into an integer, not \"\"");
    refused("--databases 17",
            "--databases: argument must be between 1 and 16 inclusive, not \"17\"");
    refused("--shards 0",
            "--shards: argument must be 'auto' or between 1 and 128 inclusive, not \"0\"");
    refused("-t 129",
            "--shards: argument must be 'auto' or between 1 and 128 inclusive, not \"129\"");
    refused("--maxmemory 5xx",
            "--maxmemory: argument must be a memory or percent value, not \"5xx\"");
    refused("--maxmemory 101%",
            "--maxmemory: percentage argument must be between 1 and 100, not \"101%\"");
    refused("--maxmemory %", "--maxmemory: argument must be a memory or percent value, not \"%\"");
    refused("--proto-max-bulk-len 1kb",
            "--proto-max-bulk-len: argument must be between 1048576 and "
            "9223372036854775807 inclusive, not \"1kb\"");
    refused("--protected-mode=maybe",
            "--protected-mode: argument must be 'yes' or 'no', not \"maybe\"");
    refused("--unixsocketperm 888",
            "--unixsocketperm: argument must be an octal mode between 0 and 777, "
            "not \"888\"");
    refused("--unixsocketperm 1777",
            "--unixsocketperm: argument must be an octal mode between 0 and 777, "
            "not \"1777\"");
    refused("--loglevel loud",
            "--loglevel: argument(s) must be one of the following: debug, verbose, notice, "
            "warning, nothing, not \"loud\"");
    const char *cpus =
        "argument must be a list of CPUs such as 0-3,6, each below 1024 and named once";
    for (int i = 0; i < 8; i++) {
        static const char *const bad[] = { "1,", ",1", "3-1", "0-1024", "a", "1-", "0-3,2", "1 2" };
        assert_true(parse(""));
        assert_false(option_parse_cpus(&settings, bytes_str(bad[i]), &error));
        assert_string_equal(error.text, cpus);
        assert_int_equal(settings.cpu_count, 0);
    }
}

/* The largest text that fits, and one byte more. */
static void test_string_limits(void **state)
{
    (void)state;
    char line[1024];
    assert_int_equal(sizeof(settings.unixsocket), 108);
    snprintf(line, sizeof(line), "--unixsocket /%0*d", 106, 0);
    assert_true(parse(line));
    assert_int_equal(strlen(settings.unixsocket), 107);
    snprintf(line, sizeof(line), "--unixsocket /%0*d", 107, 0);
    assert_false(parse(line));
    assert_non_null(strstr(error.text, "shorter than 108 bytes"));
    snprintf(line, sizeof(line), "--requirepass secret%0*d", 600, 0);
    assert_false(parse(line));
    assert_null(strstr(error.text, "secret"));
}

static void test_shards_and_cpus(void **state)
{
    (void)state;
    assert_true(parse("--cpu-list 0-2,6"));
    assert_int_equal(settings.cpu_count, 4);
    assert_int_equal(settings.cpus[3], 6);
    assert_true(parse("--shards auto --cpu-list 1,3"));
    assert_int_equal(settings.shards, 2);
    assert_null(options_warnings()[0]);
    assert_true(parse("--shards 128"));
    assert_int_equal(settings.shards, 128);
    assert_non_null(strstr(options_warnings()[0], "shards 128: more than the 4 CPUs"));
    assert_true(parse("--shards 3 --cpu-list 0,1"));
    assert_string_equal(options_warnings()[0],
                        "cpu-list: 2 CPUs for 3 shards; some will share one");
    struct host_limits large = { .cpus = 512, .cpus_affinity = 512, .memory = 1 };
    char *argv[] = { "shoal" }, *none[] = { NULL };
    assert_true(options_parse(&settings, &large, 1, argv, none, &request, &error));
    assert_int_equal(settings.shards, 128);
}

/* The host has 4 CPUs. */
static void test_sched_policy(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool batch;
    } cases[] = {
        { "", true },
        { "--shards 3", false },
        { "--shards 4", true },
        { "--shards 9", true },
        { "--shards 9 --sched-policy normal", false },
        { "--shards 1 --sched-policy batch", true },
        { "--shards 2 --cpu-list 0,1", true },
        { "--shards 1 --cpu-list 0", false },
        { "--shards 2 --cpu-list 0-2", false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_true(parse(cases[i].line));
        if (settings.batch != cases[i].batch)
            fail_msg("%s: batch is %d", cases[i].line, settings.batch);
    }
    assert_false(parse("--sched-policy fifo"));
}

/* The host has 1,000,000,000 bytes. */
static void test_maxmemory_clients(void **state)
{
    (void)state;
    assert_true(parse(""));
    assert_int_equal(settings_buffers_limit(&settings), 80000000); /* 10 % of 80 % */
    assert_true(parse("--maxmemory 100mb"));
    assert_int_equal(settings_buffers_limit(&settings), SETTINGS_BUFFERS_MIN);
    assert_true(parse("--maxmemory 0"));
    assert_int_equal(settings_buffers_limit(&settings), 100000000);
    assert_true(parse("--maxmemory 500000000 --maxmemory-clients 20%"));
    assert_int_equal(settings_buffers_limit(&settings), 100000000);
    assert_true(parse("--maxmemory-clients 1mb"));
    assert_int_equal(settings_buffers_limit(&settings), 1 << 20);
    assert_true(parse("--maxmemory-clients 0"));
    assert_int_equal(settings_buffers_limit(&settings), 0);
    assert_true(parse("--maxmemory-clients 0%"));
    assert_int_equal(settings_buffers_limit(&settings), 0);
    refused("--maxmemory-clients 5xx",
            "--maxmemory-clients: argument must be a memory or percent value, not \"5xx\"");
}

static void test_maxmemory(void **state)
{
    (void)state;
    assert_true(parse("--maxmemory 50%"));
    assert_int_equal(settings.maxmemory, 500000000);
    assert_true(parse("--maxmemory 0"));
    assert_int_equal(settings.maxmemory, 0);
    assert_null(options_warnings()[0]);
    assert_true(parse("--maxmemory 4gb"));
    assert_string_equal(options_warnings()[0],
                        "maxmemory 4gb: more than the 953 MB of this machine or cgroup");
    struct host_limits blind = { .cpus = 1 };
    char *argv[] = { "shoal" }, *none[] = { NULL };
    assert_true(options_parse(&settings, &blind, 1, argv, none, &request, &error));
    assert_int_equal(settings.maxmemory, 0);
    assert_non_null(strstr(options_warnings()[0], "there is no limit"));
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
    assert_true(parse("--port 7 --check-config") && request.check_config);
    assert_int_equal(settings.port, 7);
    assert_null(request.print);
    assert_false(parse("--check-config --port x"));
}

/* A clone is one memcpy, and what changes in it stays in it. */
static void test_a_clone_is_independent(void **state)
{
    (void)state;
    assert_true(parse("--requirepass one"));
    struct settings clone = settings;
    assert_int_equal(option_set(&clone, bytes_str("requirepass"), bytes_str("two"), &error),
                     OPTION_SET);
    assert_string_equal(settings.requirepass, "one");
    assert_string_equal(clone.requirepass, "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_ways_to_give_a_value),
        cmocka_unit_test(test_one_argument_with_a_blank),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_missing_values),
        cmocka_unit_test(test_values_refused),
        cmocka_unit_test(test_string_limits),
        cmocka_unit_test(test_shards_and_cpus),
        cmocka_unit_test(test_sched_policy),
        cmocka_unit_test(test_maxmemory),
        cmocka_unit_test(test_maxmemory_clients),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_a_clone_is_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
