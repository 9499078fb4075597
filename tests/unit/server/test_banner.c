/*
 * test_banner.c - the lines at start-up: each says what it is about, and what it says is so.
 */
#include "shoal/server/banner.h"

#include "shoal/net/socket.h"
#include "support/reactors.h"

enum { LINES_BYTES = 16 * 1024 };

static char path[64];
static char lines[LINES_BYTES]; /* that have been logged */

static int log_to_file(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/shoal-banner-%d", (int)getpid());
    return log_open(path) ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void read_lines(void)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    lines[fread(lines, 1, sizeof(lines) - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(truncate(path, 0), 0);
}

static void print_banner(void)
{
    log_set_level(LOG_NOTICE);
    banner_print(server);
    log_set_level(LOG_NOTHING);
    read_lines();
}

#define assert_says(text) assert_non_null(strstr(lines, (text)))
#define assert_silent_on(text) assert_null(strstr(lines, (text)))

static void it_says_what_runs(void **state)
{
    (void)state;
    char pid[32];
    print_banner();
    assert_says(" version: shoal " SHOAL_VERSION " build ");
    snprintf(pid, sizeof(pid), ", pid %d\n", (int)getpid());
    assert_says(pid);
    assert_says(mem_allocator_name());
    assert_says(" io: fake, none; auto\n");
}

static void it_says_how_large_it_is(void **state)
{
    (void)state;
    counter_set(&server->clients_max, 4321);
    print_banner();
    assert_says(" size: 2 shards (as asked), not pinned, maxmemory 104857600 bytes, policy ");
    assert_says(", maxclients 4321\n");
    server->settings->cpu_count = 8;
    server->settings->shards_auto = true;
    print_banner();
    assert_says(" size: 2 shards (auto), not pinned, ");
    server_worker(server, 1)->pinned = true;
    print_banner();
    assert_says(" size: 2 shards (auto), 1 of them pinned, ");
    server_worker(server, 0)->pinned = true;
    print_banner();
    assert_says(" size: 2 shards (auto), pinned to 2 CPUs, ");
    server->settings->cpu_count = 1;
    print_banner();
    assert_says(", pinned to 1 CPUs, ");
    server->settings->cpu_count = 0;
    server_worker(server, 0)->pinned = server_worker(server, 1)->pinned = false;
}

static void it_warns_of_a_backlog_that_the_kernel_cuts(void **state)
{
    (void)state;
    server->settings->tcp_backlog = 1 << 30;
    print_banner();
    assert_says(" warning warning: tcp-backlog is 1073741824 but net.core.somaxconn allows ");
    assert_silent_on("warnings: none");
    server->settings->tcp_backlog = 1;
    print_banner();
    assert_silent_on("tcp-backlog");
}

static void it_says_where_it_listens(void **state)
{
    (void)state;
    char address[ADDRESS_TEXT_MAX], expected[2 * ADDRESS_TEXT_MAX + 32];
    struct acceptor *acceptor = &server->acceptor;
    for (acceptor->count = 0; acceptor->count < 2; acceptor->count++)
        acceptor->listener[acceptor->count].fd = socket_listen_tcp("127.0.0.1", 0, 1);
    log_set_level(LOG_NOTICE);
    banner_print_listeners(server);
    log_set_level(LOG_NOTHING);
    read_lines();
    socket_local_text(acceptor->listener[0].fd, address);
    int size = snprintf(expected, sizeof(expected), " listening: %s, ", address);
    socket_local_text(acceptor->listener[1].fd, address);
    snprintf(expected + size, sizeof(expected) - (size_t)size, "%s\n", address);
    assert_says(expected);
    while (acceptor->count > 0)
        close(acceptor->listener[--acceptor->count].fd);
}

/* Tools that start a server wait for Redis's line. */
static void it_says_that_it_is_ready_as_redis_does(void **state)
{
    (void)state;
    char begins[32];
    log_set_level(LOG_NOTICE);
    banner_print_ready();
    log_set_level(LOG_NOTHING);
    read_lines();
    snprintf(begins, sizeof(begins), " notice %d:M ", (int)getpid());
    assert_says(begins);
    const char *date = strstr(lines, ":M ") + 3;
    int day, year, hour, minute, second, ms, size = 0;
    char month[4];
    assert_int_equal(sscanf(date, "%2d %3s %4d %2d:%2d:%2d.%3d%n", &day, month, &year, &hour,
                            &minute, &second, &ms, &size),
                     7);
    assert_int_equal(size, 24);
    assert_string_equal(date + size, " * Ready to accept connections\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, it_says_what_runs),
        with_reactors(2, it_says_how_large_it_is),
        with_reactors(2, it_warns_of_a_backlog_that_the_kernel_cuts),
        with_reactors(2, it_says_where_it_listens),
        cmocka_unit_test(it_says_that_it_is_ready_as_redis_does),
    };
    return cmocka_run_group_tests(tests, log_to_file, remove_file);
}
