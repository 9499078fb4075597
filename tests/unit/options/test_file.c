/*
 * test_file.c - the syntax of the config file, and its includes.
 */
#include "shoal/options/file.h"

#include "shoal/options/assign.h"
#include "shoal/options/load.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct host_limits host = { .cpus = 4, .cpus_affinity = 4, .memory = 1000000000 };
static char directory[] = "/tmp/shoal-test-file-XXXXXX";
static struct settings settings;
static struct option_error error;

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%.200s", directory, name);
    return path;
}

static void write_file(const char *name, const char *text, size_t size)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Loads main.conf with this text. */
static bool load(const char *text)
{
    write_file("main.conf", text, strlen(text));
    char path[256];
    snprintf(path, sizeof(path), "%s", path_of("main.conf"));
    char *argv[] = { "shoal", path }, *none[] = { NULL };
    struct options_request request;
    memset(&error, 0, sizeof(error));
    return options_parse(&settings, &host, 2, argv, none, &request, &error);
}

static void refused(const char *text, const char *reason)
{
    char expected[1024];
    snprintf(expected, sizeof(expected), "%s:%s", path_of("main.conf"), reason);
    assert_false(load(text));
    assert_string_equal(error.text, expected);
}

static void test_syntax(void **state)
{
    (void)state;
    assert_true(load(
        "# comment\n\n   # another\n  port\t 7000  \r\nMAXCLIENTS 5\nrequirepass \"a \\\"b\\\" "
        "\\x41\\t#\"\nlogfile ''\npidfile 'it\\'s \\n'\nbind 10.0.0.1 \"-::1\"\ntimeout 9"));
    assert_int_equal(settings.port, 7000);
    assert_int_equal(settings.maxclients, 5);
    assert_string_equal(settings.requirepass, "a \"b\" A\t#");
    assert_string_equal(settings.pidfile, "it's \\n");
    assert_int_equal(settings.bind_count, 2);
    assert_int_equal(settings.timeout_s, 9);
    assert_true(load("requirepass #secret\n"));
    assert_string_equal(settings.requirepass, "#secret");
    assert_true(load("\xef\xbb\xbfport 7001\n"));
    assert_int_equal(settings.port, 7001);
    assert_true(load("bind \"\"\n"));
    assert_int_equal(settings.bind_count, 0);
    assert_true(load("client-output-buffer-limit normal 1 2 3\n"
                     "client-output-buffer-limit pubsub 1mb 2kb 4 slave 5 6 7\n"));
    assert_int_equal(settings.output_limit[OUTPUT_NORMAL].soft_seconds, 3);
    assert_int_equal(settings.output_limit[OUTPUT_REPLICA].hard_bytes, 5);
    assert_int_equal(settings.output_limit[OUTPUT_PUBSUB].soft_bytes, 2048);
    assert_true(load("port 1\nport 2\n"));
    assert_int_equal(settings.port, 2);
}

static void test_refusals_name_the_line(void **state)
{
    (void)state;
    refused("\n\nport abc\n", "3: port: argument couldn't be parsed into an integer, not \"abc\"");
    refused("maxmmory 1\n", "1: maxmmory: unknown option (did you mean maxmemory?)");
    refused("port\n", "1: port: needs a value");
    refused("port 1 2\n", "1: port: takes one value, not 2");
    refused("port 1 # mine\n",
            "1: port: takes one value, not 3 (a comment needs a line of its own)");
    refused("#\nrequirepass \"abc\n", "2: unbalanced quotes, or more than 64 words");
    refused("requirepass 'abc'd\n", "1: unbalanced quotes, or more than 64 words");
    refused("requirepass secret words\n", "1: requirepass: takes one value, not 2");
    refused(
        "client-output-buffer-limit normal 1 2\n",
        "1: client-output-buffer-limit: Wrong number of arguments in buffer limit configuration., "
        "not \"normal 1 2\"");
    refused("client-output-buffer-limit wrong 1 2 3\n",
            "1: client-output-buffer-limit: Invalid client class specified in buffer limit "
            "configuration., not \"wrong 1 2 3\"");
    refused("include\n", "1: include: takes one path");
}

static void test_long_and_binary_lines(void **state)
{
    (void)state;
    char *text = calloc(1, OPTION_LINE_MAX + 64);
    memset(text, 'x', OPTION_LINE_MAX);
    memcpy(text, "port ", 5);
    refused(text, "1: the line is longer than 16383 bytes");
    text[OPTION_LINE_MAX - 1] = '\0';
    assert_false(load(text));
    assert_non_null(strstr(error.text, "couldn't be parsed"));
    memset(text, 'x', OPTION_LINE_MAX);
    text[0] = '#';
    assert_true(load(text));
    free(text);
    write_file("main.conf", "port 1\0 2\n", 10);
    struct settings other;
    options_defaults(&other, &host);
    char path[256];
    snprintf(path, sizeof(path), "%s", path_of("main.conf"));
    assert_false(options_file_read(path, NULL, &other, &error));
    assert_non_null(strstr(error.text, "1: a zero byte"));
    assert_false(options_file_read(directory, NULL, &other, &error));
    assert_non_null(strstr(error.text, "cannot read: Is a directory"));
}

static bool read_path(const char *path)
{
    memset(&error, 0, sizeof(error));
    return options_file_read(path, NULL, NULL, &error);
}

/* What has no end is given up, and what has no beginning. */
static void test_endless(void **state)
{
    (void)state;
    char text[512];
    assert_false(read_path("/dev/zero"));
    assert_string_equal(error.text, "/dev/zero:1: a zero byte in the line");
    assert_true(read_path("/dev/null"));
    write_file("main.conf", "#", 1);
    assert_int_equal(truncate(path_of("main.conf"), OPTION_BYTES_MAX), 0); /* a comment of zeros */
    assert_false(read_path(path_of("main.conf")));
    assert_non_null(strstr(error.text, "main.conf: more than 16 MB in all files together"));
    assert_int_equal(truncate(path_of("main.conf"), OPTION_BYTES_MAX - 1), 0);
    assert_true(read_path(path_of("main.conf")));

    /* seven levels of ten includes each would be ten million files */
    for (int level = 0; level < 7; level++) {
        char name[32], line[64];
        snprintf(name, sizeof(name), "%d.conf", level);
        FILE *file = fopen(path_of(name), "w");
        assert_non_null(file);
        snprintf(line, sizeof(line), level < 6 ? "include %d.conf\n" : "\n", level + 1);
        for (int i = 0; i < 10; i++)
            fputs(line, file);
        fclose(file);
    }
    assert_false(load("include 0.conf\n"));
    assert_non_null(strstr(error.text, "include: more than 1000 files"));
    for (int level = 0; level < 7; level++) {
        snprintf(text, sizeof(text), "%d.conf", level);
        unlink(path_of(text));
    }

    snprintf(text, sizeof(text), "%s", path_of("pipe"));
    assert_int_equal(mkfifo(text, 0600), 0);
    assert_false(read_path(text));
    assert_non_null(strstr(error.text, "nothing has been written into this pipe"));
    int reader = open(text, O_RDONLY | O_NONBLOCK), writer = open(text, O_WRONLY);
    assert_int_equal(write(writer, "# x\n", 4), 4);
    close(writer);
    assert_true(read_path(text));
    close(reader);
    unlink(text);
}

static void test_includes(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("sub"), 0700), 0);
    write_file("sub/a.conf", "port 1\ninclude b.inc\n", 21);
    write_file("sub/b.inc", "timeout 7\n", 10);
    assert_true(load("include sub/a.conf\nmaxclients 3\n"));
    assert_int_equal(settings.port, 1);
    assert_int_equal(settings.timeout_s, 7);
    assert_int_equal(settings.maxclients, 3);
    assert_true(load("port 9\ninclude sub/*.conf\ninclude nothing/*.conf\n"));
    assert_int_equal(settings.port, 1);
    char text[512];
    snprintf(text, sizeof(text), "include \"%s\"\n", path_of("sub/b.inc"));
    assert_true(load(text));
    write_file("sub/b.inc", "timeout x\n", 10);
    assert_false(load("\ninclude sub/a.conf\n"));
    snprintf(text, sizeof(text),
             "%s:1: timeout: argument couldn't be parsed into an integer, not \"x\"",
             path_of("sub/b.inc"));
    assert_string_equal(error.text, text);
    char reason[512];
    snprintf(reason, sizeof(reason), "2: include: %s: cannot open: No such file or directory",
             path_of("gone.conf"));
    refused("\ninclude gone.conf\n", reason);
    assert_false(load("include main.conf\n"));
    snprintf(reason, sizeof(reason), "%s/main.conf:1: include: more than 8 files deep", directory);
    assert_string_equal(error.text, reason);
    unlink(path_of("sub/a.conf"));
    unlink(path_of("sub/b.inc"));
    rmdir(path_of("sub"));
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path_of("main.conf"));
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_refusals_name_the_line),
        cmocka_unit_test(test_long_and_binary_lines),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_includes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
