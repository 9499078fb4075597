/*
 * test_native_client.c - libshoal against a started server, over TCP and a Unix socket, and the
 * example program.
 */
#include <libgen.h>

#include "shoal/client.h"
#include "support/started.h"

enum { PIPELINED = 2000, BIG_BYTES = 64 << 20, TIMEOUT_MS = 120 * 1000 };

/* The reply to one command is this value; prints what it was instead. */
static bool is(enum shoal_status status, struct shoal_reply *reply, enum shoal_type type,
               const char *text, int64_t integer)
{
    if (status != SHOAL_OK) {
        printf("got no reply: %s\n", shoal_status_name(status));
        return false;
    }
    bool ok = reply->type == type;
    if (ok && text != NULL)
        ok = reply->size == strlen(text) && memcmp(reply->text, text, reply->size) == 0;
    if (ok && type == SHOAL_INTEGER)
        ok = reply->integer == integer;
    if (!ok)
        printf("got type %d, %lld, %.200s\n", reply->type, (long long)reply->integer,
               reply->text != NULL ? reply->text : "");
    shoal_reply_free(reply);
    return ok;
}

/* `c`, a client, must be in scope. */
#define says(type, text, integer, ...)                                                             \
    ({                                                                                             \
        struct shoal_reply reply_;                                                                 \
        enum shoal_status status_ = shoal_command(c, &reply_, __VA_ARGS__, NULL);                  \
        is(status_, &reply_, type, text, integer);                                                 \
    })

static bool one_by_one(struct shoal_client *c)
{
    expect(says(SHOAL_STRING, "PONG", 0, "PING"));
    expect(says(SHOAL_STRING, "OK", 0, "SET", "name", "shoal", "EX", "100"));
    expect(says(SHOAL_STRING, "shoal", 0, "GET", "name"));
    expect(says(SHOAL_NIL, NULL, 0, "GET", "none"));
    expect(says(SHOAL_INTEGER, NULL, 42, "INCRBY", "n", "42"));
    expect(says(SHOAL_STRING, "42.5", 0, "INCRBYFLOAT", "n", "0.5"));
    expect(says(SHOAL_INTEGER, NULL, 2, "DEL", "name", "n", "none"));
    expect(says(SHOAL_STRING, "OK", 0, "SELECT", "5"));
    expect(says(SHOAL_INTEGER, NULL, 0, "DBSIZE"));
    return true;
}

static bool errors(struct shoal_client *c)
{
    expect(says(SHOAL_STRING, "OK", 0, "SET", "text", "x"));
    expect(says(SHOAL_ERROR, "ERR value is not an integer or out of range", 0, "INCR", "text"));
    expect(says(SHOAL_ERROR, "ERR wrong number of arguments for 'get' command", 0, "GET"));
    expect(says(SHOAL_ERROR, "ERR unknown command 'NOSUCH', with args beginning with: 'a' ", 0,
                "NOSUCH", "a"));
    expect(says(SHOAL_STRING, "x", 0, "GET", "text"));
    return true;
}

static bool arrays(struct shoal_client *c)
{
    struct shoal_reply reply;
    expect(says(SHOAL_STRING, "OK", 0, "MSET", "a", "1", "b", "2", "c", "3"));
    expect(shoal_command(c, &reply, "MGET", "a", "none", "c", NULL) == SHOAL_OK);
    expect(reply.type == SHOAL_ARRAY && reply.count == 3);
    expect(strcmp(reply.elements[0].text, "1") == 0 && reply.elements[1].type == SHOAL_NIL);
    expect(strcmp(reply.elements[2].text, "3") == 0);
    shoal_reply_free(&reply);
    expect(shoal_command(c, &reply, "SCAN", "0", "COUNT", "1000", NULL) == SHOAL_OK);
    expect(reply.type == SHOAL_ARRAY && reply.count == 2);
    expect(reply.elements[0].type == SHOAL_STRING && reply.elements[1].type == SHOAL_ARRAY);
    shoal_reply_free(&reply);
    expect(says(SHOAL_STRING, "OK", 0, "MULTI"));
    expect(says(SHOAL_STRING, "QUEUED", 0, "INCR", "a"));
    expect(says(SHOAL_STRING, "QUEUED", 0, "INCR", "b"));
    expect(shoal_command(c, &reply, "EXEC", NULL) == SHOAL_OK);
    expect(reply.type == SHOAL_ARRAY && reply.count == 2);
    expect(reply.elements[0].integer == 2 && reply.elements[1].integer == 3);
    shoal_reply_free(&reply);
    return true;
}

static void note_push(void *context, const struct shoal_reply *push)
{
    char *heard = context;
    if (push->type == SHOAL_PUSH && push->count == 3 && strlen(heard) < 40)
        strcat(heard, push->elements[2].text);
}

static bool messages(struct shoal_client *c)
{
    struct shoal_reply reply;
    char heard[64] = "";
    shoal_on_push(c, note_push, heard);
    expect(shoal_command(c, &reply, "SUBSCRIBE", "news", "other", NULL) == SHOAL_OK);
    expect(reply.type == SHOAL_ARRAY && reply.count == 2 && reply.elements[1].count == 3);
    shoal_reply_free(&reply);
    expect(says(SHOAL_INTEGER, NULL, 1, "PUBLISH", "news", "a"));
    expect(says(SHOAL_INTEGER, NULL, 1, "PUBLISH", "other", "b"));
    while (strlen(heard) < 2)
        expect(shoal_wait_push(c) == SHOAL_OK);
    expect(strcmp(heard, "ab") == 0);
    expect(shoal_command(c, &reply, "UNSUBSCRIBE", NULL) == SHOAL_OK);
    expect(reply.type == SHOAL_ARRAY && reply.count == 2);
    shoal_reply_free(&reply);
    shoal_on_push(c, NULL, NULL);
    return true;
}

static bool pipeline(struct shoal_client *c)
{
    char key[16], value[16];
    struct shoal_reply reply;
    for (int i = 0; i < PIPELINED; i++) {
        snprintf(key, sizeof(key), "key:%d", i);
        snprintf(value, sizeof(value), "%d", i);
        expect(shoal_append(c, 3, (const char *[]){ "SET", key, value }, NULL) == SHOAL_OK);
        expect(shoal_append(c, 2, (const char *[]){ "GET", key }, NULL) == SHOAL_OK);
    }
    expect(shoal_pending(c) == 2 * PIPELINED);
    for (int i = 0; i < PIPELINED; i++) {
        snprintf(value, sizeof(value), "%d", i);
        expect(is(shoal_read(c, &reply), &reply, SHOAL_STRING, "OK", 0));
        expect(is(shoal_read(c, &reply), &reply, SHOAL_STRING, value, 0));
    }
    expect(says(SHOAL_INTEGER, NULL, PIPELINED, "DBSIZE"));
    return true;
}

static bool big_value(struct shoal_client *c)
{
    size_t size = BIG_BYTES / started_scale();
    char *value = malloc(size);
    struct shoal_reply reply;
    expect(value != NULL);
    for (size_t i = 0; i < size; i++)
        value[i] = (char)(i * 31 + (i >> 12));
    const char *set[] = { "SET", "big", value };
    expect(
        is(shoal_call(c, &reply, 3, set, (size_t[]){ 3, 3, size }), &reply, SHOAL_STRING, "OK", 0));
    expect(shoal_command(c, &reply, "GET", "big", NULL) == SHOAL_OK);
    expect(reply.type == SHOAL_STRING && reply.size == size);
    expect(memcmp(reply.text, value, size) == 0);
    shoal_reply_free(&reply);
    free(value);
    expect(says(SHOAL_INTEGER, NULL, 1, "DEL", "big"));
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct shoal_client *c);
} tests[] = {
    { "one_by_one", one_by_one }, { "errors", errors },     { "arrays", arrays },
    { "pipeline", pipeline },     { "messages", messages }, { "big_value", big_value },
};

static struct shoal_client *connect_to(const struct started *server, bool by_path)
{
    struct shoal_client *c = by_path ? shoal_connect_unix(server->socket_path, TIMEOUT_MS)
                                     : shoal_connect("127.0.0.1", server->port, TIMEOUT_MS);
    if (c == NULL || shoal_status_of(c) != SHOAL_OK) {
        printf("no connection: %s\n", c != NULL ? shoal_error(c) : "out of memory");
        exit(1);
    }
    return c;
}

static void run_all(struct started_counts *counts, const struct started *server, bool by_path)
{
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        struct shoal_client *c = connect_to(server, by_path);
        bool ok = says(SHOAL_STRING, "OK", 0, "FLUSHALL") && tests[i].run(c);
        if (!ok)
            printf("the client says: %s\n", shoal_error(c));
        started_count(counts, ok, tests[i].name, server, by_path ? "unix" : "tcp");
        shoal_close(&c);
    }
}

/* docs/examples/hello.c, built beside the server. */
static bool example_runs(const struct started *server)
{
    static const char expected[] = "\"OK\"\n\"hello, shoal\"\n"
                                   "error: ERR value is not an integer or out of range\n"
                                   "1000 visits counted, 1000 in all\n";
    char command[512], path[256], text[512] = "";
    snprintf(path, sizeof(path), "%s", started_binary());
    snprintf(command, sizeof(command), "%s/examples/hello 127.0.0.1 %d", dirname(path),
             server->port);
    FILE *output = popen(command, "r");
    expect(output != NULL);
    size_t size = fread(text, 1, sizeof(text) - 1, output);
    int status = pclose(output);
    if (status != 0 || strcmp(text, expected) != 0)
        printf("status %d, %zu bytes: %s\n", status, size, text);
    return status == 0 && strcmp(text, expected) == 0;
}

int main(void)
{
    struct started_counts counts = { 0 };
    const int shards[] = { 1, 3 };
    for (int i = 0; i < 2; i++) {
        struct started server;
        started_begin(&server, shards[i], i);
        started_count(&counts, example_runs(&server), "example_runs", &server, "tcp");
        run_all(&counts, &server, false);
        run_all(&counts, &server, true);
        started_count(&counts, started_end(&server), "the server ends well", &server, "both");
    }
    return started_finish(&counts);
}
