/*
 * line.c - a connection's state in words.
 */
#include "shoal/admin/client/line.h"

#include "shoal/net/socket.h"
#include "shoal/pubsub/subscriber.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/multi.h"

#include <stdio.h>

/* One letter for each flag that is set, N for none. */
static void flags_text(const struct conn *conn, char out[8])
{
    static const struct {
        uint32_t flag;
        char letter;
    } letters[] = {
        { CONN_SUBSCRIBED, 'P' }, { CONN_MULTI, 'x' }, { CONN_CLOSING, 'c' },
        { CONN_PAUSED, 'b' },     { CONN_UNIX, 'U' },  { CONN_NO_EVICT, 'e' },
        { CONN_NO_TOUCH, 'T' },
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (conn->flags & letters[i].flag)
            out[n++] = letters[i].letter;
    if (n == 0)
        out[n++] = 'N';
    out[n] = '\0';
}

/* Bytes that a request took on the wire: the offsets of its arguments count from its first byte, and
 * in RESP a line end follows the last argument. */
static size_t wire_size(const struct request *request)
{
    const struct span *last = &request->args[request->argc - 1];
    return last->offset + last->size + (request->proto == PROTO_NATIVE ? 0 : 2);
}

/* Bytes received and not answered, the room behind them, and the bytes of arguments among them. */
struct unanswered {
    size_t bytes, free, args;
};

static struct unanswered unanswered_of(const struct conn *conn)
{
    struct unanswered of = { 0 };
    for (const struct request *request = conn->unanswered.first; request != NULL;
         request = request->next) {
        for (uint32_t i = 0; i < request->argc; i++)
            of.args += request->args[i].size;
        if (request->argc > 0)
            of.bytes += wire_size(request);
    }
    if (conn->input != NULL) {
        of.bytes += conn->input->size - conn->input_at;
        of.free = conn->input->capacity - conn->input->size;
    }
    return of;
}

static uint32_t chunks_of(const struct out *out, size_t *memory)
{
    uint32_t count = 0;
    for (const struct chunk *chunk = out->chunks.first; chunk != NULL; chunk = chunk->next) {
        *memory += chunk->ref == NULL ? CHUNK_BYTES : sizeof(*chunk);
        count += chunk->size > 0;
    }
    return count;
}

static uint32_t watched_of(const struct transaction *transaction)
{
    uint32_t count = 0;
    const struct watched_key *key = transaction != NULL ? transaction->watched : NULL;
    for (; key != NULL; key = key->next)
        count++;
    return count;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

int client_resp_version(const struct conn *conn)
{
    return conn->proto == PROTO_RESP3 ? 3 : conn->proto == PROTO_NATIVE ? 0 : 2;
}

/* Identity, age and state. */
static int line_state(const struct conn *conn, char *out, size_t room)
{
    char peer[ADDRESS_TEXT_MAX], local[ADDRESS_TEXT_MAX], flags[8];
    int64_t now_ms = conn->reactor->now_ms;
    const struct transaction *transaction = conn->transaction;
    socket_peer_text(conn->fd, peer);
    socket_local_text(conn->fd, local);
    flags_text(conn, flags);
    return snprintf(out, room,
                    "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%u "
                    "sub=%u psub=%u ssub=%u multi=%d",
                    (unsigned long long)conn->id, peer, local, conn->fd, or_empty(conn->name),
                    (long long)(now_ms - conn->created_ms) / 1000,
                    (long long)(now_ms - conn->active_ms) / 1000, flags, conn->db,
                    subscriber_count(conn, TOPIC_CHANNEL), subscriber_count(conn, TOPIC_PATTERN),
                    subscriber_count(conn, TOPIC_SHARD),
                    !(conn->flags & CONN_MULTI) ? -1
                    : transaction != NULL       ? (int)transaction->count
                                                : 0);
}

/* Redis's reply buffer is the last chunk here; all else counts as its list. */
static int line_memory(const struct conn *conn, char *out, size_t room)
{
    struct unanswered unanswered = unanswered_of(conn);
    size_t queued = conn->queued_bytes, chunk_memory = 0;
    uint32_t chunks = chunks_of(&conn->out, &chunk_memory);
    size_t total = sizeof(*conn) + unanswered.bytes + unanswered.free + queued + chunk_memory +
                   conn->requests * sizeof(struct request);
    return snprintf(out, room,
                    " qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%d rbp=0 obl=0 oll=%u "
                    "omem=%zu tot-mem=%zu events=%s",
                    unanswered.bytes, unanswered.free, unanswered.args, queued,
                    conn->out.chunks.first != NULL ? CHUNK_BYTES : 0, chunks, conn->out.bytes,
                    total, conn->out.op.in_flight ? "rw" : "r");
}

size_t client_line(const struct conn *conn, char out[CLIENT_LINE_MAX])
{
    const struct command *command = conn->last_command;
    int n = line_state(conn, out, CLIENT_LINE_MAX);
    n += line_memory(conn, out + n, CLIENT_LINE_MAX - (size_t)n);
    n +=
        snprintf(out + n, CLIENT_LINE_MAX - (size_t)n,
                 " cmd=%s user=default redir=-1 resp=%d lib-name=%s lib-ver=%s watch=%u shard=%u\n",
                 command != NULL ? command->full_name : "NULL", client_resp_version(conn),
                 or_empty(conn->lib_name), or_empty(conn->lib_version),
                 watched_of(conn->transaction), conn->reactor->id);
    must(n < CLIENT_LINE_MAX);
    return (size_t)n;
}
