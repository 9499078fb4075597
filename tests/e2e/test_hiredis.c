/*
 * test_hiredis.c - hiredis against a started server, over TCP and a Unix socket.
 *
 * RESP3 only where the library knows it (from 1.0 on; Debian 12 has 0.14): see resp3_maps().
 */
#include <hiredis/hiredis.h>

#include "support/started.h"

enum { PIPELINED = 2000, BIG_BYTES = 8 << 20, BIG_COUNT = 4, TIMEOUT_S = 120 };

/* One command and its reply, which is the caller's; NULL when the connection failed. */
#define COMMAND(context, ...) ((redisReply *)redisCommand(context, __VA_ARGS__))

static bool is(redisReply *reply, int type, const char *text, long long integer)
{
    bool ok = reply != NULL && reply->type == type;
    if (ok && text != NULL)
        ok = reply->len == strlen(text) && memcmp(reply->str, text, reply->len) == 0;
    if (ok && type == REDIS_REPLY_INTEGER)
        ok = reply->integer == integer;
    if (!ok && reply != NULL)
        printf("got type %d, %lld, %.200s\n", reply->type, reply->integer,
               reply->str ? reply->str : "");
    if (reply != NULL)
        freeReplyObject(reply);
    return ok;
}

static bool is_status(redisReply *reply, const char *text)
{
    return is(reply, REDIS_REPLY_STATUS, text, 0);
}

static bool is_text(redisReply *reply, const char *text)
{
    return is(reply, REDIS_REPLY_STRING, text, 0);
}

static bool is_integer(redisReply *reply, long long integer)
{
    return is(reply, REDIS_REPLY_INTEGER, NULL, integer);
}

static bool one_by_one(redisContext *c)
{
    expect(is_status(COMMAND(c, "PING"), "PONG"));
    expect(is_status(COMMAND(c, "SET %s %b", "name", "a\0b", (size_t)3), "OK"));
    expect(is_integer(COMMAND(c, "STRLEN name"), 3));
    expect(is_status(COMMAND(c, "SET text shoal"), "OK"));
    expect(is_text(COMMAND(c, "GET text"), "shoal"));
    expect(is(COMMAND(c, "GET none"), REDIS_REPLY_NIL, NULL, 0));
    expect(is_integer(COMMAND(c, "INCRBY n 42"), 42));
    expect(is_integer(COMMAND(c, "DEL text name none"), 2));
    expect(is_status(COMMAND(c, "SELECT 5"), "OK"));
    expect(is(COMMAND(c, "GET n"), REDIS_REPLY_NIL, NULL, 0));
    return true;
}

static bool errors(redisContext *c)
{
    expect(is_status(COMMAND(c, "SET text x"), "OK"));
    expect(is(COMMAND(c, "INCR text"), REDIS_REPLY_ERROR,
              "ERR value is not an integer or out of range", 0));
    expect(is(COMMAND(c, "GET"), REDIS_REPLY_ERROR,
              "ERR wrong number of arguments for 'get' command", 0));
    expect(is(COMMAND(c, "NOSUCH a b"), REDIS_REPLY_ERROR,
              "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' ", 0));
    expect(is_text(COMMAND(c, "GET text"), "x"));
    return true;
}

static redisReply *next_reply(redisContext *c)
{
    void *reply = NULL;
    return redisGetReply(c, &reply) == REDIS_OK ? reply : NULL;
}

static bool pipeline(redisContext *c)
{
    char text[16];
    for (int i = 0; i < PIPELINED; i++) {
        expect(redisAppendCommand(c, "SET key:%d %d", i, i) == REDIS_OK);
        expect(redisAppendCommand(c, "GET key:%d", i) == REDIS_OK);
    }
    for (int i = 0; i < PIPELINED; i++) {
        snprintf(text, sizeof(text), "%d", i);
        expect(is_status(next_reply(c), "OK"));
        expect(is_text(next_reply(c), text));
    }
    expect(is_integer(COMMAND(c, "DBSIZE"), PIPELINED));
    return true;
}

static bool transaction(redisContext *c)
{
    expect(is_status(COMMAND(c, "MULTI"), "OK"));
    expect(is_status(COMMAND(c, "SET here 1"), "QUEUED"));
    expect(is_status(COMMAND(c, "SET there 2"), "QUEUED"));
    expect(is_status(COMMAND(c, "MGET here there none"), "QUEUED"));
    redisReply *reply = COMMAND(c, "EXEC");
    expect(reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3);
    redisReply *many = reply->element[2];
    expect(many->type == REDIS_REPLY_ARRAY && many->elements == 3);
    expect(strcmp(many->element[0]->str, "1") == 0 && strcmp(many->element[1]->str, "2") == 0);
    expect(many->element[2]->type == REDIS_REPLY_NIL);
    freeReplyObject(reply);
    return true;
}

static bool big_values(redisContext *c)
{
    size_t size = BIG_BYTES / started_scale();
    char *value = malloc(size);
    expect(value != NULL);
    for (int i = 0; i < BIG_COUNT; i++) {
        memset(value, 'a' + i, size);
        expect(redisAppendCommand(c, "SET big:%d %b", i, value, size) == REDIS_OK);
    }
    for (int i = 0; i < BIG_COUNT; i++)
        expect(is_status(next_reply(c), "OK"));
    for (int i = 0; i < BIG_COUNT; i++)
        expect(redisAppendCommand(c, "GET big:%d", i) == REDIS_OK);
    for (int i = 0; i < BIG_COUNT; i++) {
        redisReply *reply = next_reply(c);
        memset(value, 'a' + i, size);
        expect(reply != NULL && reply->type == REDIS_REPLY_STRING && reply->len == size);
        expect(memcmp(reply->str, value, size) == 0);
        freeReplyObject(reply);
    }
    free(value);
    return true;
}

#ifdef REDIS_REPLY_MAP
enum { KNOWS_RESP3 = 1 };

static bool resp3_maps(redisContext *c)
{
    redisReply *reply = COMMAND(c, "HELLO 3");
    expect(reply != NULL && reply->type == REDIS_REPLY_MAP && reply->elements >= 14);
    freeReplyObject(reply);
    reply = COMMAND(c, "CONFIG GET databases");
    expect(reply != NULL && reply->type == REDIS_REPLY_MAP && reply->elements == 2);
    freeReplyObject(reply);
    expect(is(COMMAND(c, "GET none"), REDIS_REPLY_NIL, NULL, 0));
    return true;
}
#else
enum { KNOWS_RESP3 = 0 };

/* An old library takes a map for a broken reply: the connection ends, the server does not mind. */
static bool resp3_maps(redisContext *c)
{
    redisReply *reply = COMMAND(c, "HELLO 2");
    expect(reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 14);
    expect(strcmp(reply->element[4]->str, "proto") == 0 && reply->element[5]->integer == 2);
    freeReplyObject(reply);
    expect(COMMAND(c, "HELLO 3") == NULL);
    expect(c->err == REDIS_ERR_PROTOCOL);
    return true;
}
#endif

static const struct {
    const char *name;
    bool (*run)(redisContext *c);
} tests[] = {
    { "one_by_one", one_by_one },   { "errors", errors },         { "pipeline", pipeline },
    { "transaction", transaction }, { "big_values", big_values }, { "resp3_maps", resp3_maps },
};

static redisContext *connect_to(const struct started *server, bool by_path)
{
    redisContext *c =
        by_path ? redisConnectUnix(server->socket_path) : redisConnect("127.0.0.1", server->port);
    if (c == NULL || c->err != 0) {
        printf("no connection: %s\n", c != NULL ? c->errstr : "out of memory");
        exit(1);
    }
    redisSetTimeout(c, (struct timeval){ .tv_sec = TIMEOUT_S });
    return c;
}

static void run_all(struct started_counts *counts, const struct started *server, bool by_path)
{
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        redisContext *c = connect_to(server, by_path);
        bool ok = is_status(COMMAND(c, "FLUSHALL"), "OK") && tests[i].run(c);
        started_count(counts, ok, tests[i].name, server, by_path ? "unix" : "tcp");
        redisFree(c);
    }
}

int main(void)
{
    struct started_counts counts = { 0 };
    const int shards[] = { 1, 3 };
    for (int i = 0; i < 2; i++) {
        struct started server;
        started_begin(&server, shards[i], i);
        run_all(&counts, &server, false);
        run_all(&counts, &server, true);
        started_count(&counts, started_end(&server), "the server ends well", &server, "both");
    }
    if (!KNOWS_RESP3)
        puts("this hiredis does not know RESP3: only that it says so was tested");
    return started_finish(&counts);
}
