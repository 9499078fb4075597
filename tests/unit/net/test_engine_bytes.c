/*
 * test_engine_bytes.c - what ring.h promises of bytes: each goes to the receive that asked for it, in
 * order, once, and a send goes on where it stopped. On each engine that this system has.
 */
#include "support/ring_probe.h"
#include "support/seed.h"

#include "shoal/net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/uio.h>

/* ---- bytes --------------------------------------------------------------- */

static void bytes_that_are_there_are_found(void **state)
{
    (void)state;
    int fd[2];
    char place[8] = "";
    struct probe *in = probe_new();
    pair_open(fd);
    assert_true(ring_keep(ring, fd[0]));
    put(fd[1], "a", 1);
    ring_recv(ring, &in->op, fd[0]); /* the first of all */
    turn_until(in->size == 1);
    cancel(in);
    put(fd[1], "b", 1);
    ring_turn(ring, 1000000); /* they come while nobody asks, and the ring may look */
    ring_turn(ring, 1000000);
    ring_recv(ring, &in->op, fd[0]);
    turn_until(in->size == 2);
    cancel(in);
    put(fd[1], "cd", 2);
    ring_recv_once(ring, &in->op, fd[0], 1); /* a part of what is there */
    turn_until(!in->op.in_flight);
    ring_recv_into(ring, &in->op, fd[0], place, sizeof(place)); /* the other part */
    turn_until(!in->op.in_flight);
    assert_memory_equal(in->data, "abc", 3);
    assert_string_equal(place, "d");
    put(fd[1], "e", 1);
    shutdown(fd[1], SHUT_WR);
    ring_turn(ring, 1000000);
    ring_recv_once(ring, &in->op, fd[0], 10); /* and the end after it */
    turn_until(!in->op.in_flight);
    ring_recv(ring, &in->op, fd[0]);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->size, 4);
    assert_int_equal(in->result, 0);
    ring_recv(ring, &in->op, fd[0]); /* again and again */
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 0);
    pair_close(fd);
    free(in);
}

/* A receive stops short at what a client of a Unix socket sends along, and at an urgent byte. */
static void bytes_behind_something_odd_are_found(void **state)
{
    (void)state;
    int fd[2], tcp[2], listener = socket_listen_tcp("127.0.0.1", 0, 1);
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    struct probe *in = probe_new(), *odd = probe_new();
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } along = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS } };
    struct iovec part = { "ab", 2 };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = along.room,
                              .msg_controllen = sizeof(along.room) };
    pair_open(fd);
    memcpy(CMSG_DATA(&along.header), &fd[1], sizeof(int));
    assert_int_equal(sendmsg(fd[1], &message, 0), 2);
    put(fd[1], "cd", 2);
    ring_recv(ring, &in->op, fd[0]);
    turn_until(in->size == 4);
    assert_memory_equal(in->data, "abcd", 4);
    cancel(in);
    pair_close(fd);

    assert_true(listener >= 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    tcp[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(tcp[1], (struct sockaddr *)&address, sizeof(address)), 0);
    tcp[0] = accept(listener, NULL, NULL);
    assert_true(tcp[0] >= 0);
    put(tcp[1], "ab", 2);
    assert_int_equal(send(tcp[1], "!", 1, MSG_OOB), 1);
    put(tcp[1], "cd", 2);
    ring_recv(ring, &odd->op, tcp[0]);
    turn_until(odd->size == 4);
    assert_memory_equal(odd->data, "abcd", 4);
    cancel(odd);
    pair_close(tcp);
    close(listener);
    free(in);
    free(odd);
}

static void an_empty_pool_is_said_once(void **state)
{
    (void)state;
    int fd[2];
    char text[BUFFERS * BUFFER_BYTES];
    struct probe *in = probe_new();
    fill(text, sizeof(text), 0);
    pair_open(fd);
    in->keeps = true;
    while (ring_buffers_available(ring) > 0) {
        put(fd[1], text, BUFFER_BYTES);
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        ring_turn(ring, 1000000);
    }
    if (in->op.in_flight) {
        put(fd[1], "x", 1);
        turn_until(!in->op.in_flight);
    }
    assert_int_equal(in->result, -ENOBUFS);
    assert_false(in->more);
    uint32_t events = in->events;
    assert_true(slept_ns() >= 50 * 1000 * 1000); /* nobody spins until there is one */
    assert_int_equal(in->events, events);
    put(fd[1], "y", 1);
    ring_recv(ring, &in->op, fd[0]); /* still none */
    turn_until(!in->op.in_flight);
    assert_int_equal(in->events, events + 1);
    assert_int_equal(in->result, -ENOBUFS);
    ring_recv_once(ring, &in->op, fd[0], 10); /* of this kind neither */
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ENOBUFS);
    give_back(in);
    in->keeps = false;
    uint32_t size = in->size;
    while (ring_unread(ring, fd[0]) > 0) {
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        ring_turn(ring, 1000000);
    }
    assert_true(in->size > size);
    assert_int_equal(in->data[in->size - 1], 'y');
    if (in->op.in_flight)
        cancel(in);
    pair_close(fd);
    free(in);
}

static void no_receive_sees_the_bytes_of_another(void **state)
{
    (void)state;
    enum { SIZE = 30000, ROUNDS = 4000 };
    int fd[2];
    uint32_t seed = test_seed(), sent = 0;
    char *got = malloc(SIZE + 1000);
    struct probe *in = probe_new();
    uint32_t size = 0;
    pair_open(fd);
    for (int round = 0; round < ROUNDS && size < SIZE; round++) {
        char text[700];
        seed = seed * 1664525 + 1013904223;
        uint32_t more = (seed >> 8) % sizeof(text), most = 1 + (seed >> 20) % 500;
        if (sent + more <= SIZE && sent - size < 20000) {
            fill(text, more, sent);
            put(fd[1], text, more);
            sent += more;
        }
        in->size = 0;
        in->result = 0;
        if (sent == size)
            continue;
        if (seed >> 30 == 0) {
            ring_recv_into(ring, &in->op, fd[0], got + size, most);
            turn_until(!in->op.in_flight);
            assert_true(in->result > 0 && in->result <= (int)most);
            size += (uint32_t)in->result;
            continue;
        }
        if (seed >> 30 == 1) {
            ring_recv_once(ring, &in->op, fd[0], most);
            turn_until(!in->op.in_flight);
            assert_true(in->result > 0 && in->result <= (int)most);
        } else {
            ring_recv(ring, &in->op, fd[0]);
            turn_until(in->size > 0);
            if (in->op.in_flight)
                cancel(in);
        }
        memcpy(got + size, in->data, in->size);
        size += in->size;
    }
    for (uint32_t i = 0; i < size; i++)
        if (got[i] != (char)(i * 31 >> 3))
            fail_msg("byte %u of %u is wrong", i, size);
    assert_true(size > SIZE / 2);
    pair_close(fd);
    free(got);
    free(in);
}

/* Parts of odd sizes through a little socket: most sends stop inside one. */
static void a_message_goes_on_inside_a_part(void **state)
{
    (void)state;
    enum { PARTS = 300, SIZE = 200 * 1000 };
    int fd[2];
    static struct iovec parts[PARTS], before[PARTS];
    struct probe *out = probe_new();
    char *text = malloc(SIZE), *got = malloc(SIZE);
    size_t at = 0, read_bytes = 0;
    fill(text, SIZE, 0);
    for (size_t i = 0; i < PARTS; i++) {
        size_t size = i % 7 == 0 ? 0 : i + 1 == PARTS ? SIZE - at : (i * 37) % 1200;
        parts[i] = (struct iovec){ text + at, size };
        at += size;
    }
    assert_int_equal(at, SIZE);
    memcpy(before, parts, sizeof(parts));
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = PARTS }, kept = message;
    pair_open(fd);
    send_buffer(fd[1], 4096);
    ring_sendmsg(ring, &out->op, fd[1], &message);
    for (uint32_t i = 0; read_bytes < SIZE; i++) {
        ring_turn(ring, 0);
        ssize_t n = recv(fd[0], got + read_bytes, 1 + i * 997 % 5000, MSG_DONTWAIT);
        if (n > 0)
            read_bytes += (size_t)n;
        assert_memory_equal(parts, before, sizeof(parts));
        assert_memory_equal(&message, &kept, sizeof(kept));
    }
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, SIZE);
    assert_int_equal(out->events, 1);
    assert_memory_equal(got, text, SIZE);
    pair_close(fd);
    free(text);
    free(got);
    free(out);
}

/* Both ways at once on the same descriptors, each wanting room that the other makes. */
static void bytes_go_both_ways_at_once(void **state)
{
    (void)state;
    enum { SIZE = SEEN_MAX };
    int fd[2];
    struct probe *in[2] = { probe_new(), probe_new() }, *out[2] = { probe_new(), probe_new() };
    char *text = malloc(SIZE);
    fill(text, SIZE, 0);
    pair_open(fd);
    for (int i = 0; i < 2; i++) {
        send_buffer(fd[i], 4096);
        ring_send(ring, &out[i]->op, fd[i], text, SIZE);
    }
    for (int turns = 0; in[0]->size < SIZE || in[1]->size < SIZE; turns++) {
        assert_true(turns < TURNS_MAX);
        for (int i = 0; i < 2; i++)
            if (!in[i]->op.in_flight)
                ring_recv(ring, &in[i]->op, fd[i]);
        ring_turn(ring, 1000000);
    }
    for (int i = 0; i < 2; i++) {
        turn_until(!out[i]->op.in_flight);
        assert_int_equal(out[i]->result, SIZE);
        assert_memory_equal(in[i]->data, text, SIZE);
        if (in[i]->op.in_flight)
            cancel(in[i]);
    }
    pair_close(fd);
    for (int i = 0; i < 2; i++) {
        free(in[i]);
        free(out[i]);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_every_engine(bytes_behind_something_odd_are_found),
        on_every_engine(bytes_that_are_there_are_found),
        on_every_engine(an_empty_pool_is_said_once),
        on_every_engine(no_receive_sees_the_bytes_of_another),
        on_every_engine(a_message_goes_on_inside_a_part),
        on_every_engine(bytes_go_both_ways_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
