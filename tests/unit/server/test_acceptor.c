/*
 * test_acceptor.c - who gets a new connection, and what becomes of an accept that fails.
 *
 * The ring is one that only writes down what it is asked for; completions are made up.
 */
#include "shoal/server/acceptor.h"

#include "shoal/conn/conn.h"
#include "shoal/mesh/call.h"
#include "shoal/mesh/message.h"
#include "shoal/server/server.h"
#include "shoal/stats/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { REACTORS = 3 };

static struct server server;
static struct settings settings;
static struct reactor reactor[REACTORS], *reactors[REACTORS];
static struct timers timers; /* the sequencer's */
static uint32_t handed[REACTORS];

/* ---- in place of the reactor and the ring -------------------------------- */

void call_send(struct reactor *here, struct message *message)
{
    handed[message->to]++;
    message->run(server.reactor[message->to], message);
    message->done(here, message);
}

void call_answer(struct reactor *here, struct message *message)
{
    (void)here;
    (void)message;
}

void conn_open(struct reactor *here, int fd, bool unix_socket)
{
    (void)here;
    (void)unix_socket;
    close(fd);
}

static int armed; /* accepts begun */

static void fake_accept(struct ring *ring, struct io_op *op, int fd)
{
    (void)ring;
    (void)fd;
    armed++;
    op->in_flight = true;
}

static void fake_cancel(struct ring *ring, struct io_op *op)
{
    (void)ring;
    op->cancelling = true;
}

static void fake_close(struct ring *ring, int fd)
{
    (void)ring;
    close(fd);
}

static const struct ring_engine engine = {
    .accept = fake_accept,
    .cancel = fake_cancel,
    .close = fake_close,
};
static struct ring ring = { .engine = &engine };

static struct reactor *sequencer(void)
{
    return server.reactor[SEQUENCER];
}

/* What the ring says of the listener's accept; an end unless `more`. */
static void completes(int result, bool more)
{
    struct io_op *op = &server.acceptor.listener[0].op;
    op->in_flight = more;
    op->done(op, &(struct io_event){ .result = result, .more = more });
}

static void passes(int64_t ms)
{
    sequencer()->now_ms += ms;
    timers_run(&timers, sequencer()->now_ms);
}

static int some_descriptor(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static uint64_t failures(void)
{
    return counter_get(&sequencer()->stats->accept_failures);
}

static uint64_t rejected(void)
{
    return counter_get(&sequencer()->stats->connections_rejected);
}

static int begin(void **state)
{
    (void)state;
    memset(&server, 0, sizeof(server));
    memset(handed, 0, sizeof(handed));
    armed = 0;
    settings = (struct settings){ .maxclients = 100, .tcp_backlog = 16, .unixsocketperm = 0600 };
    snprintf(settings.unixsocket, sizeof(settings.unixsocket), "/tmp/shoal-acceptor-%d", getpid());
    server.count = REACTORS;
    timers_init(&timers, 0, &reactor[SEQUENCER]);
    counter_set(&server.clients_max, (uint64_t)settings.maxclients);
    server.reactor = reactors;
    for (uint32_t i = 0; i < REACTORS; i++) {
        reactor[i] = (struct reactor){
            .id = i,
            .count = REACTORS,
            .server = &server,
            .settings = &settings,
            .ring = &ring,
            .stats = stats_new(),
            .peer = reactors,
            .timers = &timers,
        };
        reactors[i] = &reactor[i];
    }
    sequencer()->now_ms = 1000;
    if (acceptor_listen(&server.acceptor, &settings) != 0)
        return -1;
    acceptor_start(&server.acceptor, sequencer());
    return armed == 1 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    acceptor_close(&server.acceptor, &settings);
    for (uint32_t i = 0; i < REACTORS; i++)
        free(reactor[i].stats);
    return 0;
}

/* ---- connections --------------------------------------------------------- */

static void the_least_loaded_gets_it(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * REACTORS; i++)
        completes(some_descriptor(), true);
    for (uint32_t i = 0; i < REACTORS; i++)
        assert_int_equal(handed[i], 3);
    counter_add(&reactor[1].stats->connections_closed, 2);
    completes(some_descriptor(), true);
    completes(some_descriptor(), true);
    assert_int_equal(handed[1], 5);
    assert_int_equal(armed, 1);
}

static void an_accept_that_ends_well_begins_again(void **state)
{
    (void)state;
    completes(some_descriptor(), false);
    assert_int_equal(armed, 2);
}

static void beyond_maxclients_it_is_refused(void **state)
{
    (void)state;
    settings.maxclients = 2;
    for (int i = 0; i < 3; i++)
        completes(some_descriptor(), true);
    assert_int_equal(handed[0] + handed[1] + handed[2], 2);
    assert_int_equal(rejected(), 1);
}

/* ---- failures ------------------------------------------------------------ */

static void what_is_the_peers_is_tried_again_at_once(void **state)
{
    (void)state;
    completes(-ECONNABORTED, false);
    completes(-EPROTO, false);
    assert_int_equal(armed, 3);
    assert_int_equal(failures(), 2);
    assert_false(timer_is_linked(&server.acceptor.retry));
}

static void all_else_backs_off(void **state)
{
    (void)state;
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, EBADF, EPERM };
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        completes(-errors[i], false);
        assert_int_equal(failures(), ++count);
        assert_int_equal(armed, count);
        passes(server.acceptor.backoff_ms);
        assert_int_equal(armed, count + 1);
    }
}

static void it_waits_twice_as_long_each_time_up_to_a_second(void **state)
{
    (void)state;
    int64_t wait_ms = ACCEPT_BACKOFF_MIN_MS;
    for (int i = 0; i < 12; i++) {
        int64_t now_ms = sequencer()->now_ms;
        completes(-EMFILE, false);
        assert_int_equal(timer_at_ms(&server.acceptor.retry), now_ms + wait_ms);
        assert_int_equal(armed, 1 + i);
        passes(wait_ms - 1);
        assert_int_equal(armed, 1 + i);
        passes(1);
        passes(0);
        assert_int_equal(armed, 2 + i);
        wait_ms = wait_ms * 2 < ACCEPT_BACKOFF_MAX_MS ? wait_ms * 2 : ACCEPT_BACKOFF_MAX_MS;
    }
    completes(some_descriptor(), true);
    completes(-EMFILE, false);
    assert_int_equal(timer_at_ms(&server.acceptor.retry),
                     sequencer()->now_ms + ACCEPT_BACKOFF_MIN_MS);
}

static int client(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", settings.unixsocket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void without_descriptors_one_is_told_so(void **state)
{
    (void)state;
    char text[100] = "";
    int first = client(), second = client();
    completes(-EMFILE, false);
    assert_true(read(first, text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "-ERR max number of clients reached\r\n");
    assert_int_equal(read(first, text, sizeof(text)), 0);
    assert_int_equal(recv(second, text, sizeof(text), MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(rejected(), 1);
    assert_true(server.acceptor.spare_fd >= 0);
    close(first);
    close(second);
}

static void a_limit_raised_meanwhile_is_used_at_once(void **state)
{
    (void)state;
    struct rlimit limit, lower;
    getrlimit(RLIMIT_NOFILE, &limit);
    lower = (struct rlimit){ limit.rlim_cur - 1, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &lower), 0);
    int waiting = client();
    completes(-EMFILE, false); /* it is what it was armed with, or less: really out */
    passes(server.acceptor.backoff_ms);
    assert_int_equal(armed, 2);
    assert_int_equal(rejected(), 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    completes(-EMFILE, false);
    assert_int_equal(armed, 3);
    assert_int_equal(rejected(), 1);
    close(waiting);
}

static void when_closing_nothing_begins_again(void **state)
{
    (void)state;
    completes(-EMFILE, false);
    acceptor_stop(&server.acceptor);
    passes(10000);
    assert_int_equal(armed, 1);
    completes(some_descriptor(), false); /* was accepted as we closed */
    completes(-ECANCELED, false);
    assert_int_equal(armed, 1);
    assert_int_equal(failures(), 1);
    assert_int_equal(handed[0] + handed[1] + handed[2], 0);
}

#define acceptor_test(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        acceptor_test(the_least_loaded_gets_it),
        acceptor_test(an_accept_that_ends_well_begins_again),
        acceptor_test(beyond_maxclients_it_is_refused),
        acceptor_test(what_is_the_peers_is_tried_again_at_once),
        acceptor_test(all_else_backs_off),
        acceptor_test(it_waits_twice_as_long_each_time_up_to_a_second),
        acceptor_test(without_descriptors_one_is_told_so),
        acceptor_test(a_limit_raised_meanwhile_is_used_at_once),
        acceptor_test(when_closing_nothing_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
