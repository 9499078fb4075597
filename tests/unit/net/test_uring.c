/*
 * test_uring.c - the io_uring engine through net/ring.h: every operation, the counting of receive
 * buffers, and queues far too small. Each test runs as on Linux 6.1 and with everything that this
 * kernel has.
 */
#include "shoal/net/ring.h"
#include "shoal/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    TURNS_MAX = 20000, /* of at most a second each: then it is taken for stuck */
    BUFFER_BYTES = 4096,
    BUFFERS = 4,
    SEEN_MAX = 1 << 16,
};

static struct ring *ring;
static const char *features;

static struct ring *make(const char *with, uint32_t entries, uint32_t completions)
{
    struct ring_config config = {
        .entries = entries,
        .completions = completions,
        .buffer_bytes = BUFFER_BYTES,
        .buffer_count = BUFFERS,
        .features = with,
    };
    int error = 0;
    struct ring *made = uring_new(&config, &error);
    if (made == NULL)
        fail_msg("%s (%s)", uring_explain(error), strerror(-error));
    return made;
}

static int with_61(void **state)
{
    (void)state;
    features = "6.1";
    ring = make(features, 64, 256);
    return 0;
}

static int with_all(void **state)
{
    (void)state;
    features = "all";
    ring = make(features, 64, 256);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    ring_free(&ring);
    return 0;
}

/* An operation that notes what its completions say. */
struct probe {
    struct io_op op; /* first */
    uint32_t events, size;
    int result;
    bool more;
    char data[SEEN_MAX];
    bool keeps; /* buffers are not released: */
    uint16_t kept[SEEN_MAX / 64];
    uint32_t kept_count;
    bool by_one_hold; /* release what keeps would have kept, but hold it once first */
};

static void note(struct io_op *op, const struct io_event *event)
{
    struct probe *probe = (struct probe *)op;
    probe->events++;
    probe->result = event->result;
    probe->more = event->more;
    assert_int_equal(op->in_flight, event->more);
    if (event->result <= 0 || event->data == NULL)
        return;
    assert_true(probe->size + (uint32_t)event->result <= SEEN_MAX);
    memcpy(probe->data + probe->size, event->data, (size_t)event->result);
    probe->size += (uint32_t)event->result;
    if (probe->by_one_hold) {
        ring_buffer_hold(ring, event->buffer);
        ring_buffer_release(ring, event->buffer);
    }
    if (probe->keeps || probe->by_one_hold)
        probe->kept[probe->kept_count++] = event->buffer;
    else
        ring_buffer_release(ring, event->buffer);
}

static struct probe *probe_new(void)
{
    struct probe *probe = calloc(1, sizeof(*probe));
    probe->op.done = note;
    return probe;
}

static void give_back(struct probe *probe)
{
    while (probe->kept_count > 0)
        ring_buffer_release(ring, probe->kept[--probe->kept_count]);
}

/* Turns until the condition holds. */
#define turn_until(condition)                                                                      \
    do {                                                                                           \
        for (int turns = 0; !(condition); turns++) {                                               \
            if (turns == TURNS_MAX)                                                                \
                fail_msg("never: %s", #condition);                                                 \
            ring_turn(ring, 1000000000);                                                           \
        }                                                                                          \
    } while (0)

static void pair_open(int fd[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
}

static void pair_close(int fd[2])
{
    close(fd[0]);
    close(fd[1]);
}

static void put(int fd, const void *data, size_t size)
{
    assert_int_equal(write(fd, data, size), size);
}

static void it_receives_until_the_end(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    pair_open(fd);
    ring_recv(ring, &in->op, fd[0]);
    assert_true(in->op.in_flight);
    put(fd[1], "hello", 5);
    turn_until(in->size == 5);
    assert_true(in->more);
    put(fd[1], " world", 6);
    turn_until(in->size == 11);
    assert_memory_equal(in->data, "hello world", 11);
    shutdown(fd[1], SHUT_WR);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 0);
    assert_true(ring_buffers_available(ring) > 0);
    pair_close(fd);
    free(in);
}

static void it_sends_all_of_it(void **state)
{
    (void)state;
    enum { SIZE = 60000 };
    int fd[2], little = 4096;
    struct probe *in = probe_new(), *out = probe_new();
    char *text = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)(i * 7 + i / 256);
    pair_open(fd);
    setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
    ring_recv(ring, &in->op, fd[0]);
    ring_send(ring, &out->op, fd[1], text, SIZE / 2);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, SIZE / 2);
    struct iovec parts[3] = {
        { text + SIZE / 2, 10 },
        { text + SIZE / 2 + 10, SIZE / 2 - 20 },
        { text + SIZE - 10, 10 },
    };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3 };
    ring_sendmsg(ring, &out->op, fd[1], &message);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, SIZE / 2);
    for (int again = 0; in->size < SIZE && again < 1000; again++) {
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        turn_until(!in->op.in_flight || in->size == SIZE);
    }
    assert_int_equal(in->size, SIZE);
    assert_memory_equal(in->data, text, SIZE);
    ring_cancel(ring, &in->op);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(text);
    free(in);
    free(out);
}

static void a_broken_pipe_is_an_error_and_no_signal(void **state)
{
    (void)state;
    int fd[2];
    struct probe *out = probe_new();
    pair_open(fd);
    close(fd[0]);
    ring_send(ring, &out->op, fd[1], "x", 1);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, -EPIPE);
    close(fd[1]);
    free(out);
}

static void it_reads(void **state)
{
    (void)state;
    int fd[2];
    char word[8] = "";
    struct probe *in = probe_new();
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    ring_read(ring, &in->op, fd[0], word, sizeof(word));
    assert_int_equal(ring_turn(ring, 0), 0);
    put(fd[1], "word", 4);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 4);
    assert_string_equal(word, "word");
    pair_close(fd);
    free(in);
}

static void what_is_cancelled_still_completes(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    pair_open(fd);
    ring_cancel(ring, &in->op); /* not in flight: nothing happens */
    ring_recv(ring, &in->op, fd[0]);
    ring_turn(ring, 0);
    ring_cancel(ring, &in->op);
    ring_cancel(ring, &in->op);
    assert_true(in->op.in_flight && in->op.cancelling);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ECANCELED);
    assert_int_equal(in->events, 1);
    ring_recv(ring, &in->op, fd[0]);
    put(fd[1], "again", 5);
    turn_until(in->size == 5);
    ring_cancel(ring, &in->op);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(in);
}

/* ---- accepting ---------------------------------------------------------------------------------
 */

struct door {
    struct io_op op; /* first */
    int fd[8], count, last;
};

static void note_guest(struct io_op *op, const struct io_event *event)
{
    struct door *door = (struct door *)op;
    door->last = event->result;
    if (event->result >= 0)
        door->fd[door->count++] = event->result;
}

static void it_accepts_until_cancelled(void **state)
{
    (void)state;
    enum { GUESTS = 5 };
    struct door door = { .op.done = note_guest };
    int guest[GUESTS], listener = socket_listen_tcp("127.0.0.1", 0, 16);
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_true(listener >= 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ring_accept(ring, &door.op, listener);
    for (int i = 0; i < GUESTS; i++) {
        guest[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(guest[i], (struct sockaddr *)&address, sizeof(address)), 0);
    }
    turn_until(door.count == GUESTS);
    assert_true(door.op.in_flight);
    for (int i = 0; i < GUESTS; i++)
        assert_int_equal(fcntl(door.fd[i], F_GETFD), FD_CLOEXEC);
    ring_cancel(ring, &door.op);
    turn_until(!door.op.in_flight);
    assert_int_equal(door.last, -ECANCELED);
    for (int i = 0; i < GUESTS; i++) {
        close(guest[i]);
        close(door.fd[i]);
    }
    close(listener);
}

/* ---- receive buffers ---------------------------------------------------------------------------
 */

static void fill(char *data, size_t size, uint32_t from)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (char)((from + i) * 31 >> 3);
}

/* What the buffers hold and what is still in the socket is not lost when they run out. */
static void buffers_run_out_and_come_back(void **state)
{
    (void)state;
    enum { SIZE = 3 * BUFFERS * BUFFER_BYTES };
    int fd[2], much = 4 * SIZE;
    char *text = malloc(SIZE);
    struct probe *in = probe_new();
    fill(text, SIZE, 0);
    pair_open(fd);
    setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &much, sizeof(much));
    put(fd[1], text, SIZE);
    in->keeps = true;
    ring_recv(ring, &in->op, fd[0]);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ENOBUFS);
    assert_int_equal(in->size, BUFFERS * BUFFER_BYTES);
    assert_int_equal(ring_buffers_available(ring), 0);
    give_back(in);
    assert_true(ring_buffers_available(ring) > 0);
    in->keeps = false;
    for (int again = 0; in->size < SIZE && again < 1000; again++) {
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        turn_until(!in->op.in_flight || in->size == SIZE);
    }
    assert_int_equal(in->size, SIZE);
    assert_memory_equal(in->data, text, SIZE);
    shutdown(fd[1], SHUT_WR);
    if (!in->op.in_flight)
        ring_recv(ring, &in->op, fd[0]);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(text);
    free(in);
}

static void a_held_buffer_is_not_filled_again(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    char text[BUFFER_BYTES];
    const char *kept_data;
    pair_open(fd);
    in->by_one_hold = true; /* the event's reference is given up, one of our own is left */
    ring_recv(ring, &in->op, fd[0]);
    memset(text, 'a', sizeof(text));
    put(fd[1], text, sizeof(text));
    turn_until(in->size >= sizeof(text));
    uint32_t kept = in->kept_count;
    kept_data = in->data;
    for (uint32_t i = 1; i < BUFFERS; i++) {
        put(fd[1], text, sizeof(text));
        turn_until(in->size >= (i + 1) * sizeof(text));
    }
    assert_true(in->kept_count >= BUFFERS && kept >= 1);
    assert_int_equal(ring_buffers_available(ring), 0);
    assert_int_equal(kept_data[0], 'a');
    give_back(in);
    assert_true(ring_buffers_available(ring) > 0);
    in->by_one_hold = false;
    shutdown(fd[1], SHUT_WR);
    turn_until(!in->op.in_flight);
    if (in->result == -ENOBUFS) {
        ring_recv(ring, &in->op, fd[0]);
        turn_until(!in->op.in_flight);
    }
    assert_int_equal(in->result, 0);
    pair_close(fd);
    free(in);
}

static void small_messages_share_a_buffer_if_the_kernel_can(void **state)
{
    (void)state;
    enum { MESSAGES = 40 };
    int fd[2];
    uint32_t got = 0;
    struct probe *in = probe_new();
    pair_open(fd);
    in->keeps = true;
    ring_recv(ring, &in->op, fd[0]);
    for (int i = 0; i < MESSAGES; i++) {
        put(fd[1], "0123456789", 10);
        turn_until(in->size == (uint32_t)(i + 1) * 10 || !in->op.in_flight);
        got = in->size;
        if (!in->op.in_flight)
            break;
    }
    if (ring->features.incremental_buffers) {
        assert_int_equal(got, MESSAGES * 10);
        assert_int_equal(in->kept[0], in->kept[MESSAGES - 1]);
    } else {
        assert_int_equal(got, BUFFERS * 10);
        assert_int_equal(in->result, -ENOBUFS);
    }
    give_back(in);
    if (in->op.in_flight) {
        ring_cancel(ring, &in->op);
        turn_until(!in->op.in_flight);
    }
    assert_true(ring_buffers_available(ring) > 0);
    pair_close(fd);
    free(in);
}

static void only_what_was_asked_for_is_used(void **state)
{
    (void)state;
    if (strcmp(features, "6.1") == 0)
        assert_false(ring->features.incremental_buffers);
    assert_int_equal(ring->features.incremental_buffers,
                     strstr(ring->features.text, "incremental-buffers") != NULL);
}

/* Random sizes, random holds: the stream arrives as it was sent. */
static void a_stream_stays_whole(void **state)
{
    (void)state;
    enum { SIZE = SEEN_MAX - 8192, KEPT = 3 };
    int fd[2];
    uint32_t seed = (uint32_t)time(NULL), sent = 0;
    struct probe *in = probe_new();
    print_message("seed %u\n", seed);
    pair_open(fd);
    in->keeps = true;
    while (in->size < SIZE) {
        char text[6000];
        seed = seed * 1664525 + 1013904223;
        uint32_t size = (seed >> 8) % (seed >> 28 == 0 ? 6000 : 200);
        if (sent + size <= SIZE + 200 && sent < SIZE) {
            fill(text, size, sent);
            put(fd[1], text, size);
            sent += size;
        }
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        ring_turn(ring, 0);
        if (in->kept_count > KEPT || (seed >> 20) % 4 == 0 || !ring_buffers_available(ring))
            give_back(in);
        if (sent >= SIZE && in->size < SIZE)
            give_back(in);
    }
    for (uint32_t i = 0; i < in->size; i++)
        if (in->data[i] != (char)(i * 31 >> 3))
            fail_msg("byte %u of %u is wrong", i, in->size);
    give_back(in);
    ring_cancel(ring, &in->op);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(in);
}

/* The protection of the mapping that ends or begins at an address, as in "rw-p". */
static bool protection(uintptr_t address, bool ends, char out[5])
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        unsigned long begin, end;
        if (sscanf(line, "%lx-%lx %4s", &begin, &end, out) == 3)
            found = (ends ? end : begin) == address;
    }
    fclose(maps);
    return found;
}

static bool mapping_of(uintptr_t address, uintptr_t *begin, uintptr_t *end)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof(line), maps) != NULL)
        found = sscanf(line, "%lx-%lx", begin, end) == 2 && *begin <= address && address < *end;
    fclose(maps);
    return found;
}

struct locate {
    struct io_op op; /* first */
    const char *data;
    uint16_t buffer;
};

static void note_place(struct io_op *op, const struct io_event *event)
{
    struct locate *locate = (struct locate *)op;
    if (event->result <= 0)
        return;
    locate->data = event->data;
    locate->buffer = event->buffer;
}

static void the_pool_stands_between_guard_pages(void **state)
{
    (void)state;
    int fd[2];
    uintptr_t begin, end;
    char text[5];
    struct locate locate = { .op.done = note_place };
    pair_open(fd);
    ring_recv(ring, &locate.op, fd[0]);
    put(fd[1], "x", 1);
    turn_until(locate.data != NULL);
    assert_true(mapping_of((uintptr_t)locate.data, &begin, &end));
    assert_true(end - begin < (BUFFERS + 1) * (BUFFER_BYTES + 4096));
    assert_true(protection(begin, true, text));
    assert_string_equal(text, "---p");
    assert_true(protection(end, false, text));
    assert_string_equal(text, "---p");
    ring_buffer_release(ring, locate.buffer);
    ring_cancel(ring, &locate.op);
    turn_until(!locate.op.in_flight);
    pair_close(fd);
}

/* ---- queues that are too small ------------------------------------------------------------------
 */

static void little_queues_lose_nothing(void **state)
{
    (void)state;
    enum { PAIRS = 64 };
    static int fd[PAIRS][2];
    static struct probe *in[PAIRS], *out[PAIRS];
    uint32_t done = 0;
    ring_free(&ring);
    ring = make(features, 4, 8);
    for (int i = 0; i < PAIRS; i++) {
        pair_open(fd[i]);
        in[i] = probe_new();
        out[i] = probe_new();
        ring_recv(ring, &in[i]->op, fd[i][0]);
    }
    for (int i = 0; i < PAIRS; i++)
        ring_send(ring, &out[i]->op, fd[i][1], "0123456789", 10);
    for (int turns = 0; turns < TURNS_MAX && done < PAIRS; turns++) {
        ring_turn(ring, 1000000);
        done = 0;
        for (int i = 0; i < PAIRS; i++) {
            done += in[i]->size == 10 && !out[i]->op.in_flight;
            if (!in[i]->op.in_flight && in[i]->size < 10) {
                assert_int_equal(in[i]->result, -ENOBUFS);
                ring_recv(ring, &in[i]->op, fd[i][0]);
            }
        }
    }
    assert_int_equal(done, PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        assert_int_equal(out[i]->result, 10);
        assert_int_equal(out[i]->events, 1);
        assert_memory_equal(in[i]->data, "0123456789", 10);
        if (in[i]->op.in_flight)
            ring_cancel(ring, &in[i]->op);
    }
    for (int i = 0; i < PAIRS; i++) {
        turn_until(!in[i]->op.in_flight);
        pair_close(fd[i]);
        free(in[i]);
        free(out[i]);
    }
    assert_true(ring_buffers_available(ring) > 0);
}

/* ---- waiting -----------------------------------------------------------------------------------
 */

static void it_waits_as_long_as_it_is_told(void **state)
{
    (void)state;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(ring_turn(ring, 20 * 1000 * 1000), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t ns = (after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec;
    assert_true(ns >= 19 * 1000 * 1000);
    assert_int_equal(ring_turn(ring, 0), 0);
}

struct sleeper {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct ring *ring;
    int error;
    uint32_t completions;
};

static void *sleep_in_a_turn(void *argument)
{
    struct sleeper *sleeper = argument;
    struct ring_config config = {
        .entries = 8,
        .completions = 16,
        .buffer_bytes = BUFFER_BYTES,
        .buffer_count = BUFFERS,
        .features = "all",
    };
    int error = 0;
    struct ring *own = uring_new(&config, &error);
    pthread_mutex_lock(&sleeper->lock);
    sleeper->ring = own;
    sleeper->error = error;
    pthread_cond_signal(&sleeper->cond);
    pthread_mutex_unlock(&sleeper->lock);
    if (own != NULL)
        sleeper->completions = ring_turn(own, -1);
    return NULL;
}

static void it_is_woken_by_another_ring(void **state)
{
    (void)state;
    struct sleeper sleeper = { .lock = PTHREAD_MUTEX_INITIALIZER,
                               .cond = PTHREAD_COND_INITIALIZER };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sleep_in_a_turn, &sleeper), 0);
    pthread_mutex_lock(&sleeper.lock);
    while (sleeper.ring == NULL && sleeper.error == 0)
        pthread_cond_wait(&sleeper.cond, &sleeper.lock);
    pthread_mutex_unlock(&sleeper.lock);
    assert_int_equal(sleeper.error, 0);
    ring_wake(ring, sleeper.ring);
    ring_turn(ring, 0);
    pthread_join(thread, NULL);
    assert_int_equal(sleeper.completions, 0); /* a wake-up is none */
    ring_free(&sleeper.ring);
}

#define both(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, with_61, finish),                                        \
        cmocka_unit_test_setup_teardown(test, with_all, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        both(it_receives_until_the_end),
        both(it_sends_all_of_it),
        both(a_broken_pipe_is_an_error_and_no_signal),
        both(it_reads),
        both(what_is_cancelled_still_completes),
        both(it_accepts_until_cancelled),
        both(buffers_run_out_and_come_back),
        both(a_held_buffer_is_not_filled_again),
        both(small_messages_share_a_buffer_if_the_kernel_can),
        both(only_what_was_asked_for_is_used),
        both(a_stream_stays_whole),
        both(the_pool_stands_between_guard_pages),
        both(little_queues_lose_nothing),
        both(it_waits_as_long_as_it_is_told),
        both(it_is_woken_by_another_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
