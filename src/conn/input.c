/*
 * input.c - received bytes to requests: decoding in place, copying what has to wait.
 */
#include "shoal/conn/input.h"

#include "shoal/base/minmax.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/registry.h"
#include "shoal/conn/answer.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conn_ops.h"
#include "shoal/conn/conns.h"
#include "shoal/net/ring.h"
#include "shoal/net/socket.h"
#include "shoal/options/options.h"
#include "shoal/proto/decode.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <stdlib.h>

enum {
    /* A client that is slow to send holds one: 512 bytes with its head. It doubles from there. */
    INPUT_MIN = BOUND(512 - sizeof(struct input), 64),
    INPUT_SLACK_MAX = 1 << 20,
    INPUT_LARGE = BOUND(64 * 1024, 256), /* is not copied for what is behind its request */
    INPUT_STEP = 4096,
    INPUT_WINDOW_MIN = BOUND(16 * 1024, 64),
};

/* Where the bytes that are being parsed are: a receive buffer, or an input. */
struct source {
    const char *data;
    size_t size;
    uint32_t buffer; /* NO_BUFFER: `input` */
    struct input *input;
};

void input_release(struct input **input)
{
    struct input *it = *input;
    *input = NULL;
    must(it->refs > 0);
    if (--it->refs > 0)
        return;
    budget_freed(it->budget, it->share, input_footprint(it));
    free(it);
}

static struct input *input_new(struct reactor *reactor, enum budget_share share, size_t capacity)
{
    size_t footprint = mem_class_size(sizeof(struct input) + capacity);
    struct input *input = malloc(footprint);
    if (input == NULL)
        return NULL;
    *input = (struct input){
        .budget = &reactor->conns->budget,
        .share = share,
        .refs = 1,
        .capacity = footprint - sizeof(*input),
    };
    budget_allocated(input->budget, share, footprint);
    return input;
}

/* For `has` bytes of a request that are there or arrive now. It allocates by what was only
 * declared up to BUDGET_FREE_BYTES; beyond it reserves, and grows by no more than it has. */
static size_t capacity_for(struct conn *conn, size_t has)
{
    size_t want = conn->partial != NULL ? conn->partial->want : 0;
    if (want <= has)
        return has < INPUT_LARGE ? has * 2 : has + INPUT_STEP;
    if (want <= BUDGET_FREE_BYTES)
        return want;
    conn_be_bulky(conn);
    if (has < BUDGET_EARNED_BYTES)
        return has * 2;
    if (!backpressure_reserve(conn, sizeof(struct input) + want))
        return has;
    return want < has * 2 + INPUT_SLACK_MAX ? want : has * 2 + INPUT_SLACK_MAX;
}

/* Room for `more` bytes behind the unparsed ones, which may move. False when memory is out. */
static bool input_make_room(struct conn *conn, size_t more)
{
    struct input *old = conn->input;
    size_t kept = old != NULL ? old->size - conn->input_at : 0;
    if (old != NULL && old->capacity - old->size >= more)
        return true;
    size_t capacity = max(capacity_for(conn, kept + more), (size_t)INPUT_MIN);
    struct input *input = input_new(conn->reactor, conn->claim.share, capacity);
    if (input == NULL)
        return false;
    uint64_t had = input_bytes(old), has = input_footprint(input);
    if (old != NULL) {
        memcpy(input->data, old->data + conn->input_at, kept);
        input_release(&conn->input);
    }
    input->size = kept;
    conn->input = input;
    conn->input_at = 0;
    if (has > had)
        budget_used(&conn->reactor->conns->budget, &conn->claim, has - had);
    return true;
}

static bool input_append(struct conn *conn, const char *data, size_t size)
{
    if (!input_make_room(conn, size))
        return false;
    memcpy(conn->input->data + conn->input->size, data, size);
    conn->input->size += size;
    return true;
}

void input_settle(struct conn *conn)
{
    budget_release(&conn->reactor->conns->budget, &conn->claim);
}

void input_follow(struct conn *conn)
{
    struct input *input = conn->input;
    if (input == NULL || input->share == conn->claim.share)
        return;
    budget_freed(input->budget, input->share, input_footprint(input));
    input->share = conn->claim.share;
    budget_allocated(input->budget, input->share, input_footprint(input));
}

size_t input_window(struct conn *conn, char **place)
{
    size_t has = conn->input != NULL ? conn->input->size - conn->input_at : 0;
    size_t want = conn->partial != NULL ? conn->partial->want : 0;
    if (want < has + INPUT_WINDOW_MIN || input_bytes(conn->input) + conn->claim.promised < want)
        return 0;
    if (conn->input->capacity - conn->input->size < INPUT_WINDOW_MIN &&
        !input_make_room(conn, INPUT_WINDOW_MIN))
        return 0;
    size_t room = conn->input->capacity - conn->input->size;
    *place = conn->input->data + conn->input->size;
    return room < want - has ? room : want - has;
}

/* ---- one request --------------------------------------------------------- */

/* The decoder with this connection's progress, if there is any. */
static struct decoder *decoder_of(struct conn *conn)
{
    return conn->partial != NULL ? conn->partial : &conn->reactor->conns->decoder;
}

static bool partial_save(struct conn *conn)
{
    struct decoder *common = &conn->reactor->conns->decoder;
    if (conn->partial != NULL)
        return true;
    conn->partial = malloc(sizeof(*conn->partial));
    if (conn->partial == NULL)
        return false;
    decoder_move(conn->partial, common);
    return true;
}

static void partial_drop(struct conn *conn)
{
    if (conn->partial == NULL)
        return;
    input_settle(conn);
    decoder_reset(conn->partial);
    free(conn->partial);
    conn->partial = NULL;
}

void input_detach(struct request *request)
{
    struct reactor *reactor = request->conn->reactor;
    size_t size = 0;
    if (request->buffer == NO_BUFFER)
        return;
    for (uint32_t i = 0; i < request->argc; i++)
        if (request->args[i].offset + request->args[i].size > size)
            size = request->args[i].offset + request->args[i].size;
    struct input *input = input_new(reactor, BUDGET_PART, size);
    if (input == NULL)
        return;
    memcpy(input->data, request->base, size);
    request->base = input->data;
    request->input = input;
    ring_buffer_release(reactor->ring, (uint16_t)request->buffer);
    request->buffer = NO_BUFFER;
}

/* An unquoted inline command stands in the decoder's own memory: the request needs a copy. */
static bool take_unquoted(struct request *request, const struct decoder *decoder)
{
    size_t size = 0;
    for (uint32_t i = 0; i < decoder->argc; i++)
        if (decoder->args[i].offset + decoder->args[i].size > size)
            size = decoder->args[i].offset + decoder->args[i].size;
    request->input = input_new(request->conn->reactor, BUDGET_PART, size);
    if (request->input == NULL)
        return false;
    memcpy(request->input->data, decoder->base, size);
    request->base = request->input->data;
    return true;
}

static bool take_spans(struct request *request, struct decoder *decoder)
{
    request->argc = decoder->argc;
    if (likely(decoder->argc <= REQUEST_SPANS_INLINE)) {
        /* One by one, as they were written a moment ago: a wider load would wait for the stores. */
        for (uint32_t i = 0; i < decoder->argc; i++)
            request->spans[i] = decoder->args[i];
        request->args = request->spans;
        return true;
    }
    struct span *spans = malloc(decoder->argc * sizeof(*spans));
    if (spans == NULL)
        return false;
    memcpy(spans, decoder->args, decoder->argc * sizeof(*spans));
    request->args = spans;
    return true;
}

/* Makes the request and has it share the memory its arguments are in. */
static struct request *request_take(struct conn *conn, struct decoder *decoder,
                                    const struct source *source, const char *start)
{
    struct request *request = request_new(conn);
    if (request == NULL)
        return NULL;
    if (unlikely(!take_spans(request, decoder)))
        goto fail;
    if (unlikely(decoder->base != start)) {
        if (!take_unquoted(request, decoder))
            goto fail;
        return request;
    }
    request->base = start;
    if (likely(source->buffer != NO_BUFFER)) {
        request->buffer = source->buffer;
        ring_buffer_hold(conn->reactor->ring, (uint16_t)source->buffer);
    } else {
        request->input = source->input;
        source->input->refs++;
    }
    return request;

fail:
    request_free(conn->reactor, request);
    return NULL;
}

/* A request that cannot be understood: one error in its place, and the end. */
static void refuse(struct conn *conn, const char *error)
{
    struct request *request = error[0] != '\0' ? request_new(conn) : NULL;
    if (request == NULL) {
        conn_close_later(conn);
        return;
    }
    struct reply reply;
    request_append(conn, request);
    request->command = &command_unparsed;
    request->flags |= REQUEST_CLOSES;
    answer_begin(request, &reply);
    reply_errorf(&reply, "ERR %s", error);
    conn->flags |= CONN_CLOSING; /* nothing more is parsed */
    answer_end(request, &reply);
}

static const struct decode_limits *limits_of(const struct conn *conn)
{
    static const struct decode_limits unauthenticated = {
        .bulk_bytes_max = DECODE_UNAUTH_BULK_MAX,
        .args_max = DECODE_UNAUTH_ARGS_MAX,
    };
    return conn->flags & CONN_UNAUTHENTICATED ? &unauthenticated : &conn->reactor->conns->limits;
}

/* Peeks at it: a request is known to end only where it does. It gets a copy of decode() (flatten),
 * which would else have two callers and be a function of its own to each request: 20 instructions. */
static __attribute__((flatten)) size_t whole_size(struct conn *conn, size_t has, size_t more)
{
    struct decoder decoder;
    size_t size = 0;
    char *data = malloc(has + more);
    if (data == NULL)
        return 0;
    memcpy(data, conn->input->data + conn->input_at, has);
    decoder_init(&decoder);
    if (socket_peek(conn->fd, data + has, more) == more &&
        decode(&decoder, conn->proto, limits_of(conn), data, has + more) == DECODE_OK)
        size = sizeof(struct input) + decoder.size;
    decoder_reset(&decoder);
    free(data);
    return size;
}

size_t input_whole(struct conn *conn)
{
    if (conn->input == NULL || conn->partial == NULL || conn->recv.in_flight ||
        conn_is_blocked(conn))
        return 0;
    size_t has = conn->input->size - conn->input_at,
           pending = ring_unread(conn->reactor->ring, conn->fd);
    if (pending == conn->pending || has + pending < conn->partial->want)
        return 0;
    size_t size = whole_size(conn, has, min(pending, (size_t)BUDGET_WHOLE_BYTES));
    conn->pending = size == 0 ? (uint32_t)pending : 0;
    return size;
}

/* NULL: unknown. */
static const struct command *command_of(struct decoder *decoder, const struct request *request)
{
    if (unlikely(decoder->known == NULL))
        decoder->known =
            registry_find(bytes_of(request->base + request->args[0].offset, request->args[0].size));
    return decoder->known;
}

/* Parses one request at source->data + at. Returns the bytes it took; 0: stop. */
static size_t parse_one(struct conn *conn, const struct source *source, size_t at)
{
    const char *start = source->data + at;
    if (unlikely(conn->proto == PROTO_UNKNOWN)) {
        conn->proto = (uint8_t)proto_detect(start, source->size - at);
        if (conn->proto == PROTO_UNKNOWN)
            return 0;
    }
    struct decoder *decoder = decoder_of(conn);
    switch (decode(decoder, conn->proto, limits_of(conn), start, source->size - at)) {
    case DECODE_OK: {
        size_t size = decoder->size;
        if (decoder->argc > 0) {
            struct request *request = request_take(conn, decoder, source, start);
            if (request == NULL) {
                conn_kill(conn);
                return 0;
            }
            request->command = command_of(decoder, request);
            partial_drop(conn);
            conn_ops_request(conn, request);
        } else {
            partial_drop(conn); /* an empty request */
        }
        return size;
    }
    case DECODE_MORE:
        if (likely(partial_save(conn)))
            return 0;
        conn_kill(conn);
        break;
    case DECODE_BAD:
        refuse(conn, decoder->error);
        break;
    case DECODE_NO_MEMORY:
        conn_kill(conn);
        break;
    }
    decoder_reset(decoder);
    partial_drop(conn);
    return 0;
}

static size_t parse_all(struct conn *conn, const struct source *source, size_t at)
{
    while (at < source->size && likely(!conn_is_blocked(conn))) {
        size_t took = parse_one(conn, source, at);
        if (took == 0)
            break;
        at += took;
    }
    return at;
}

/* ---- the connection's bytes ---------------------------------------------- */

size_t input_waiting(const struct conn *conn)
{
    return conn->input != NULL ? conn->input->size - conn->input_at : 0;
}

static void check_size(struct conn *conn)
{
    size_t waiting = input_waiting(conn);
    size_t max = conn->flags & CONN_UNAUTHENTICATED
                     ? CONN_UNAUTH_INPUT_MAX
                     : (size_t)conn->reactor->settings->client_query_buffer_limit;
    size_t soft = conn->flags & CONN_BULKY ? CONN_PORTION : CONN_INPUT_SOFT;
    if (unlikely(waiting > max)) {
        counter_add(&conn->reactor->stats->input_limit_closed, 1);
        conn_kill(conn);
    } else if (unlikely(waiting > soft && conn_is_blocked(conn)) &&
               !(conn->flags & CONN_RECV_PAUSED)) {
        conn->flags |= CONN_RECV_PAUSED;
        ring_cancel(conn->reactor->ring, &conn->recv);
    }
}

void input_parse(struct conn *conn)
{
    struct input *input = conn->input;
    if (input == NULL)
        return;
    if (conn_is_blocked(conn)) {
        /* It had waited for the rest of a request, and has been blocked since. */
        if (!(conn->flags & (CONN_DEAD | CONN_CLOSING)))
            conn_stall(conn);
        return;
    }
    struct source source = { input->data, input->size, NO_BUFFER, input };
    input->refs++; /* a request may make the connection let go of it */
    size_t at = parse_all(conn, &source, conn->input_at);
    if (conn->input == input) {
        conn->input_at = at;
        if (at == input->size)
            input_release(&conn->input);
    }
    input_release(&input);
    if (conn->input != NULL && conn_is_blocked(conn))
        conn_stall(conn);
    else
        conn_recv_again(conn);
}

static void parse_fresh(struct conn *conn, char *data, size_t size, uint16_t buffer)
{
    struct source source = { data, size, buffer, NULL };
    size_t at = parse_all(conn, &source, 0);
    if (at == size || conn->flags & (CONN_DEAD | CONN_CLOSING))
        return;
    if (!input_append(conn, data + at, size - at))
        conn_kill(conn);
    else if (conn_is_blocked(conn))
        conn_stall(conn);
}

/* Of what arrives, the part that belongs to the large request before it: what is behind it is
 * parsed where it is. */
static size_t part_of_request(const struct conn *conn, size_t size)
{
    size_t has = conn->input->size - conn->input_at;
    if (conn->partial == NULL || has < INPUT_LARGE || conn->partial->want <= has)
        return size;
    size_t lacking = conn->partial->want - has;
    return lacking < size ? lacking : size;
}

static void parse_behind(struct conn *conn, char *data, size_t size, uint16_t buffer)
{
    while (size > 0 && conn->input != NULL) {
        size_t part = part_of_request(conn, size);
        if (!input_append(conn, data, part)) {
            conn_kill(conn);
            return;
        }
        input_parse(conn);
        data += part;
        size -= part;
    }
    if (size > 0 && !(conn->flags & (CONN_DEAD | CONN_CLOSING)))
        parse_fresh(conn, data, size, buffer);
}

/* What was received into input_window(), or by portions. */
static void note_portion(struct conn *conn, const struct io_event *event)
{
    if (event->data == NULL) {
        conn->portions = 0;
        return;
    }
    if (++conn->portions >= CONN_PORTIONS_MIN)
        conn->flags &= ~(uint32_t)CONN_BULKY;
}

static inline void note(struct conn *conn, size_t size)
{
    struct reactor *reactor = conn->reactor;
    conn->active_ms = reactor->now_ms;
    conn->bytes_in += size;
    counter_add(&reactor->stats->bytes_in, size);
    counter_add(&reactor->stats->reads, 1);
}

void input_note(struct conn *conn, size_t size)
{
    note(conn, size);
}

void input_given(struct conn *conn, const char *data, size_t size)
{
    if (conn->flags & (CONN_DEAD | CONN_CLOSING))
        return;
    if (!input_append(conn, data, size)) {
        conn_kill(conn);
        return;
    }
    input_parse(conn);
    check_size(conn);
}

void input_received(struct conn *conn, const struct io_event *event)
{
    struct reactor *reactor = conn->reactor;
    size_t size = (size_t)event->result;
    note(conn, size);
    if (unlikely(conn->flags & CONN_BULKY))
        note_portion(conn, event);
    if (likely(!(conn->flags & (CONN_DEAD | CONN_CLOSING)))) {
        if (likely(conn->input == NULL)) {
            parse_fresh(conn, event->data, size, event->buffer);
        } else if (event->data != NULL) {
            parse_behind(conn, event->data, size, event->buffer);
        } else {
            conn->input->size += size;
            input_parse(conn);
        }
        check_size(conn);
    }
    if (likely(event->data != NULL))
        ring_buffer_release(reactor->ring, event->buffer);
}
