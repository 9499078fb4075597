/*
 * test_process.c - TIME, ROLE, LOLWUT, and when SHUTDOWN ends the server.
 */
#include "support/row_harness.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static void time_of_the_wall(void **state)
{
    long long s, us;
    int size;
    (void)state;
    time_t before = time(NULL);
    assert_int_equal(sscanf(row_run("TIME"), "*2 $10 %lld $%d %lld", &s, &size, &us), 3);
    assert_in_range(s, before - 1, time(NULL) + 1);
    assert_in_range(us, 0, 999999);
}

static void role(void **state)
{
    (void)state;
    assert_string_equal(row_run("ROLE"), "*3 $6 master :0 *0");
}

static void lolwut(void **state)
{
    (void)state;
    assert_non_null(strstr(row_run("LOLWUT VERSION 5"), "><(((o> "));
    assert_string_equal(row_run("LOLWUT VERSION x"),
                        "-ERR value is not an integer or out of range");
    assert_non_null(strstr(row_run("LOLWUT VERSION"), "><(((o> "));
    assert_non_null(strstr(row_run("LOLWUT"), "shoal ver. " SHOAL_VERSION));
}

static uint64_t stops_asked_for(void)
{
    uint64_t value = 0;
    return read(admin->server->stop_fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

static void shutdown_refused(void **state)
{
    (void)state;
    fcntl(admin->server->stop_fd, F_SETFL, O_NONBLOCK);
    assert_string_equal(row_run("SHUTDOWN ABORT"), "-ERR No shutdown in progress.");
    assert_string_equal(row_run("SHUTDOWN SAVE NOSAVE"), "-ERR syntax error");
    assert_string_equal(row_run("SHUTDOWN ABORT NOW"), "-ERR syntax error");
    assert_string_equal(row_run("SHUTDOWN later"), "-ERR syntax error");
    assert_non_null(strstr(row_run("SHUTDOWN SAVE"), "-ERR Errors trying to SHUTDOWN: "));
    assert_int_equal(stops_asked_for(), 0);
    assert_int_equal(admin->request.flags, 0);
}

static void assert_shuts_down(const char *line)
{
    admin->request.flags = 0;
    assert_string_equal(row_run(line), "");
    assert_true(stops_asked_for() > 0);
    assert_int_equal(admin->request.flags, REQUEST_SILENT | REQUEST_CLOSES);
}

static void shutdown_without_a_word(void **state)
{
    (void)state;
    fcntl(admin->server->stop_fd, F_SETFL, O_NONBLOCK);
    assert_shuts_down("SHUTDOWN");
    assert_shuts_down("SHUTDOWN NOSAVE now FORCE");
    assert_shuts_down("SHUTDOWN SAVE FORCE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(time_of_the_wall),
        ROW_TEST(role),
        ROW_TEST(lolwut),
        ROW_TEST(shutdown_refused),
        ROW_TEST(shutdown_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
