/*
 * client.c - clients: they send their programs in pieces, read replies at their own pace, break off,
 * and write down what they have asked, when, and what they have heard.
 */
#include "sim.h"

#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/server/server.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIENTS = SIM_CLIENTS_MAX + 1, /* the last one reads what the others have left */
    READER = SIM_CLIENTS_MAX,
    LIVES_MAX = 4,
    REPLY_DEPTH_MAX = 4,
};

struct client {
    struct line *line;
    uint32_t life;
    uint32_t at;                                /* the next op of the program */
    struct sim_bytes pending;                   /* to be sent */
    struct sim_bytes heard;                     /* not understood yet */
    uint32_t waiting[SIM_OPS_MAX], first, last; /* calls without a reply, in order */
    int64_t next_ns;
    bool ended; /* has said that no more will come */
    bool done;
    bool killed; /* somebody has asked for it, and it may be over at any time */
};

struct call calls[SIM_CALLS_MAX];
uint32_t call_count;

static struct client clients[CLIENTS];
static bool paused; /* what a pause holds is dropped when its client has said its last word */
static char value[OP_VALUE_MAX];

/* ---- requests ------------------------------------------------------------ */

static void put_word(struct sim_bytes *to, const char *data, size_t size)
{
    char head[32];
    sim_bytes_add(to, head, (size_t)snprintf(head, sizeof(head), "$%zu\r\n", size));
    sim_bytes_add(to, data, size);
    sim_bytes_add(to, "\r\n", 2);
}

/* Words between blanks; %K is the name of the next key, %V what is written to it. */
static void put_command(struct sim_bytes *to, const struct op *op, const char *text)
{
    char head[16];
    size_t words = 1;
    for (const char *at = text; *at != '\0'; at++)
        words += *at == ' ';
    sim_bytes_add(to, head, (size_t)snprintf(head, sizeof(head), "*%zu\r\n", words));
    uint32_t keys = 0, values = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (size == 2 && memcmp(text, "%K", 2) == 0) {
            const char *name = key_name(op->key[keys++]);
            put_word(to, name, strlen(name));
        } else if (size == 2 && memcmp(text, "%V", 2) == 0) {
            size_t bytes = op_value(op, values++, value);
            put_word(to, value, bytes);
        } else {
            put_word(to, text, size);
        }
        text += size + (text[size] == ' ');
    }
}

/* The id of the client's present connection; 0: the server does not know it yet. */
static uint64_t id_of(const struct client *client)
{
    for (uint32_t i = 0; client->line != NULL && i < sim.server->count; i++)
        for (struct conn *conn = sim.server->reactor[i]->conns->first; conn != NULL;
             conn = conn->next)
            if (conn->fd == client->line->fd)
                return conn->id;
    return 0;
}

static const char *const texts[OP_KINDS] = {
    [OP_GET] = "GET %K",          [OP_SET] = "SET %K %V",           [OP_SETNX] = "SET %K %V NX",
    [OP_SETXX] = "SET %K %V XX",  [OP_GETSET] = "GETSET %K %V",     [OP_GETDEL] = "GETDEL %K",
    [OP_DEL] = "DEL %K",          [OP_EXISTS] = "EXISTS %K",        [OP_INCR] = "INCR %K",
    [OP_APPEND] = "APPEND %K %V", [OP_STRLEN] = "STRLEN %K",        [OP_PERSIST] = "PERSIST %K",
    [OP_RENAME] = "RENAME %K %K", [OP_RENAMENX] = "RENAMENX %K %K", [OP_COPY] = "COPY %K %K",
    [OP_FLUSHALL] = "FLUSHALL",   [OP_UNWATCH] = "UNWATCH",         [OP_MULTI] = "MULTI",
    [OP_EXEC] = "EXEC",           [OP_DISCARD] = "DISCARD",         [OP_PING] = "PING",
    [OP_ECHO] = "ECHO %V",        [OP_UNPAUSE] = "CLIENT UNPAUSE",  [OP_SHUTDOWN] = "SHUTDOWN",
};

static const char *many(const struct op *op, const char *name, const char *each)
{
    static char text[64];
    int size = snprintf(text, sizeof(text), "%s", name);
    for (uint32_t i = 0; i < op->keys; i++)
        size += snprintf(text + size, sizeof(text) - (size_t)size, " %s", each);
    return text;
}

static const char *text_of(const struct op *op)
{
    static char text[64];
    switch (op->kind) {
    case OP_PEXPIRE:
        snprintf(text, sizeof(text), "PEXPIRE %%K %u", op->ms);
        return text;
    case OP_SETPX:
        snprintf(text, sizeof(text), "SET %%K %%V PX %u", op->ms);
        return text;
    case OP_FILL:
        snprintf(text, sizeof(text), "SET fill-%u %%V", op->number);
        return text;
    case OP_MSET:
        return many(op, "MSET", "%K %V");
    case OP_MSETNX:
        return many(op, "MSETNX", "%K %V");
    case OP_MGET:
        return many(op, "MGET", "%K");
    case OP_DELS:
        return many(op, "DEL", "%K");
    case OP_WATCH:
        return many(op, "WATCH", "%K");
    case OP_KILL:
        clients[op->client].killed = true;
        snprintf(text, sizeof(text), "CLIENT KILL ID %lu SKIPME no",
                 (unsigned long)id_of(&clients[op->client]));
        return text;
    case OP_PAUSE:
        paused = true;
        snprintf(text, sizeof(text), "CLIENT PAUSE %u %s", op->ms,
                 op->number % 2 == 0 ? "ALL" : "WRITE");
        return text;
    case OP_CONFIG:
        snprintf(text, sizeof(text), "CONFIG SET slowlog-max-len %u", op->number);
        return text;
    default:
        return texts[op->kind];
    }
}

static void call_begin(struct client *client, uint32_t id, const struct op *op)
{
    if (call_count == SIM_CALLS_MAX)
        sim_fail("more calls than there is room for");
    put_command(&client->pending, op, text_of(op));
    client->waiting[client->last++] = call_count;
    sim_note("client %u asks %s number %u", id, op_name((enum op_kind)op->kind), op->number);
    calls[call_count++] = (struct call){
        .op = op,
        .client = id,
        .life = client->life,
        .sent_ns = sim.now_ns,
        .heard_ns = INT64_MAX,
        .low_ms = world_low_ms(),
        .high_ms = INT64_MAX,
    };
}

/* ---- replies ------------------------------------------------------------- */

struct reader {
    const char *at, *end;
};

/* A line without its CR LF; NULL: it is not all there. */
static const char *line_read(struct reader *reader, size_t *size)
{
    const char *from = reader->at;
    const char *end = memchr(from, '\r', (size_t)(reader->end - from));
    if (end == NULL || end + 1 >= reader->end)
        return NULL;
    if (end[1] != '\n')
        sim_fail("a reply has CR without LF");
    *size = (size_t)(end - from);
    reader->at = end + 2;
    return from;
}

static void text_keep(struct reply_value *reply, const char *text, size_t size)
{
    reply->text = sim_alloc(size + 1);
    memcpy(reply->text, text, size);
    reply->size = size;
}

static bool bulk_read(struct reader *reader, struct reply_value *reply)
{
    if (reply->number < 0) {
        reply->type = '_';
        return true;
    }
    size_t size = (size_t)reply->number;
    if ((size_t)(reader->end - reader->at) < size + 2)
        return false;
    if (memcmp(reader->at + size, "\r\n", 2) != 0)
        sim_fail("a reply's string does not end where it should");
    text_keep(reply, reader->at, size);
    reader->at += size + 2;
    return true;
}

/* False: it is not all there yet. */
static bool reply_read(struct reader *reader, struct reply_value *reply, int depth)
{
    size_t size;
    const char *text = line_read(reader, &size);
    if (text == NULL)
        return false;
    if (size == 0 || strchr("+-:$*", text[0]) == NULL || depth == REPLY_DEPTH_MAX)
        sim_fail("a reply begins with '%.*s'", (int)(size < 20 ? size : 20), text);
    *reply = (struct reply_value){ .type = text[0] };
    text_keep(reply, text + 1, size - 1);
    if (strchr(":$*", text[0]) != NULL) {
        char *end;
        reply->number = strtoll(reply->text, &end, 10);
        if (*end != '\0' || size == 1)
            sim_fail("a reply has no number where it should: '%s'", reply->text);
    }
    if (reply->type == '$')
        return bulk_read(reader, reply);
    if (reply->type != '*')
        return true;
    if (reply->number < 0) {
        reply->type = '_';
        return true;
    }
    reply->count = (uint32_t)reply->number;
    reply->items = sim_alloc(reply->count * sizeof(*reply->items) + 1);
    for (uint32_t i = 0; i < reply->count; i++)
        if (!reply_read(reader, &reply->items[i], depth + 1))
            return false;
    return true;
}

static void heard(struct client *client, const struct reply_value *reply)
{
    if (client->first == client->last)
        sim_fail("client %d hears a reply that it has not asked for: %c%s", (int)(client - clients),
                 reply->type, reply->text);
    struct call *call = &calls[client->waiting[client->first++]];
    call->reply = *reply;
    call->heard_ns = sim.now_ns;
    call->high_ms = world_ms();
    sim_note("client %u hears of number %u: %c%.40s", call->client, call->op->number, reply->type,
             reply->text);
    world_progress();
}

static void understand(struct client *client)
{
    struct sim_bytes *bytes = &client->heard;
    for (;;) {
        struct reader reader = { bytes->data + bytes->taken, bytes->data + bytes->size };
        struct reply_value reply;
        if (reader.at == reader.end || !reply_read(&reader, &reply, 0))
            return;
        bytes->taken = (size_t)(reader.at - bytes->data);
        heard(client, &reply);
    }
}

/* ---- connections --------------------------------------------------------- */

static void line_gone(struct client *client)
{
    client->line = NULL;
    client->first = client->last = 0;
    client->pending.taken = client->pending.size;
    client->heard.taken = client->heard.size;
    client->ended = false;
    client->life++;
    if (client->at == programs[client - clients].count || client->life == LIVES_MAX)
        client->done = true;
}

/* The server has ended it: why? */
static void line_over(struct client *client)
{
    bool excused = client->killed || sim.stopping || sim.profile.no_memory > 0 ||
                   client->line->reset || (paused && client->ended);
    size_t left = client->heard.size - client->heard.taken;
    if (!excused && (client->first < client->last || !client->ended))
        sim_fail("client %d was closed without a reason, %u replies short", (int)(client - clients),
                 client->last - client->first);
    if (!excused && left > 0)
        sim_fail("client %d was left with a part of a reply", (int)(client - clients));
    sim_note("client %d is over", (int)(client - clients));
    line_gone(client);
}

static void break_off(struct client *client)
{
    totals.resets++;
    sim_note("client %d breaks off", (int)(client - clients));
    line_reset(client->line);
    line_gone(client);
}

/* ---- steps --------------------------------------------------------------- */

static bool has_pending(const struct client *client)
{
    return client->pending.taken < client->pending.size;
}

static bool others_are_done(void)
{
    for (uint32_t i = 0; i < sim.profile.clients; i++)
        if (!clients[i].done)
            return false;
    return true;
}

static bool has_op(const struct client *client)
{
    const struct program *program = &programs[client - clients];
    return client->line != NULL && !client->ended && client->at < program->count &&
           client->last - client->first < sim.profile.depth && client->last < SIM_OPS_MAX;
}

static bool may_end(const struct client *client)
{
    return client->line != NULL && !client->ended && !has_pending(client) &&
           client->at == programs[client - clients].count;
}

static bool has_to_read(const struct client *client)
{
    return client->line->out.taken < client->line->out.size;
}

static bool can_step(const struct client *client)
{
    if (client->done || (client == &clients[READER] && !others_are_done()))
        return false;
    return client->line == NULL || has_pending(client) || has_op(client) || may_end(client) ||
           has_to_read(client) || line_is_over(client->line);
}

static void rest(struct client *client, int64_t us_max)
{
    client->next_ns = sim.now_ns + 1 + (int64_t)sim_below((uint64_t)us_max * 1000);
}

static void next_op(struct client *client)
{
    uint32_t id = (uint32_t)(client - clients);
    const struct op *op = &programs[id].op[client->at++];
    if (op->off)
        return;
    switch (op->kind) {
    case OP_SLEEP:
        client->next_ns = sim.now_ns + (int64_t)op->ms * 1000000;
        break;
    case OP_HALF_CLOSE:
        if (!has_pending(client)) {
            line_end(client->line);
            client->ended = true;
        }
        break;
    case OP_RESET:
        break_off(client);
        break;
    case OP_SHUTDOWN:
        sim.stopping = true;
        call_begin(client, id, op);
        break;
    default:
        call_begin(client, id, op);
    }
}

static void send_some(struct client *client)
{
    size_t size = client->pending.size - client->pending.taken;
    if (size > 1 && sim_one_in(sim.profile.cuts))
        size = 1 + sim_below(size - 1);
    client->pending.taken +=
        line_put(client->line, client->pending.data + client->pending.taken, size);
}

static void read_some(struct client *client)
{
    char piece[4096];
    size_t size = sim_one_in(2) ? sizeof(piece) : 1 + sim_below(sizeof(piece));
    size = line_take(client->line, piece, size);
    sim_bytes_add(&client->heard, piece, size);
    understand(client);
}

static void connect_again(struct client *client)
{
    client->killed = false;
    client->line = line_connect();
    if (client->line == NULL)
        client->done = true;
}

static void client_step(struct client *client)
{
    rest(client, 100);
    if (client->line == NULL)
        connect_again(client);
    else if (has_to_read(client) && !sim_one_in(3))
        sim_one_in(sim.profile.slow) ? rest(client, 20000) : read_some(client);
    else if (sim_one_in(sim.profile.resets))
        break_off(client);
    else if (has_pending(client) && sim_one_in(2))
        send_some(client);
    else if (has_op(client))
        next_op(client);
    else if (has_pending(client))
        send_some(client);
    else if (line_is_over(client->line))
        line_over(client);
    else if (may_end(client) && sim_one_in(2)) {
        line_end(client->line);
        client->ended = true;
    }
}

void clients_begin(void)
{
    for (uint32_t i = sim.profile.clients; i < READER; i++)
        clients[i].done = true;
    for (uint32_t i = 0; i < sim.profile.clients; i++)
        rest(&clients[i], 5000);
}

void clients_step(void)
{
    uint32_t ready[CLIENTS], count = 0;
    for (uint32_t i = 0; i < CLIENTS; i++)
        if (can_step(&clients[i]) && clients[i].next_ns <= sim.now_ns)
            ready[count++] = i;
    if (count > 0)
        client_step(&clients[ready[sim_below(count)]]);
}

int64_t clients_next_ns(void)
{
    int64_t next_ns = INT64_MAX;
    for (uint32_t i = 0; i < CLIENTS; i++)
        if (can_step(&clients[i]) && clients[i].next_ns < next_ns)
            next_ns = clients[i].next_ns;
    return next_ns;
}

bool clients_are_done(void)
{
    return others_are_done() && clients[READER].done;
}

bool clients_wait_for_replies(void)
{
    bool waiting = false;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        if (can_step(&clients[i]))
            return false;
        waiting |= !clients[i].done && clients[i].first < clients[i].last;
    }
    return waiting;
}
