/*
 * hello.c - a first exchange with shoal: SET, GET, a counter, a pipeline, and what can go wrong.
 *
 *     cc -o hello hello.c -lshoal && ./hello [host [port]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "shoal/client.h"

enum { PORT = 6379, TIMEOUT_MS = 1000, PIPELINED = 1000 };

static void die(const struct shoal_client *client)
{
    fprintf(stderr, "hello: %s\n", shoal_error(client));
    exit(1);
}

static void print_reply(const struct shoal_reply *reply)
{
    switch (reply->type) {
    case SHOAL_NIL:
        puts("(nil)");
        break;
    case SHOAL_ERROR:
        printf("error: %s\n", reply->text);
        break;
    case SHOAL_STRING:
        printf("\"%s\"\n", reply->text);
        break;
    case SHOAL_INTEGER:
        printf("%lld\n", (long long)reply->integer);
        break;
    case SHOAL_PUSH: /* never a reply: see shoal_on_push() */
    case SHOAL_ARRAY:
        printf("%zu elements:\n", reply->count);
        for (size_t i = 0; i < reply->count; i++)
            print_reply(&reply->elements[i]);
        break;
    }
}

/* One command after another: a reply may be an error ("ERR ..."), a status says that the talk
 * failed. */
static void one_by_one(struct shoal_client *client)
{
    struct shoal_reply reply;

    if (shoal_command(client, &reply, "SET", "greeting", "hello, shoal", "EX", "60", NULL) !=
        SHOAL_OK)
        die(client);
    print_reply(&reply);
    shoal_reply_free(&reply);

    if (shoal_command(client, &reply, "GET", "greeting", NULL) != SHOAL_OK)
        die(client);
    print_reply(&reply);
    shoal_reply_free(&reply);

    if (shoal_command(client, &reply, "INCR", "greeting", NULL) != SHOAL_OK)
        die(client);
    print_reply(&reply); /* error: ERR value is not an integer or out of range */
    shoal_reply_free(&reply);
}

/* Many requests in flight: append all, then read as many replies, in the same order. */
static void pipelined(struct shoal_client *client)
{
    const char *request[] = { "INCR", "visits" };
    struct shoal_reply reply;
    long long last = 0;

    for (int i = 0; i < PIPELINED; i++) {
        if (shoal_append(client, 2, request, NULL) != SHOAL_OK)
            die(client);
    }
    while (shoal_pending(client) > 0) {
        if (shoal_read(client, &reply) != SHOAL_OK)
            die(client);
        last = reply.integer;
        shoal_reply_free(&reply);
    }
    printf("%d visits counted, %lld in all\n", PIPELINED, last);
}

int main(int argc, char **argv)
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    int port = argc > 2 ? atoi(argv[2]) : PORT;

    struct shoal_client *client = shoal_connect(host, port, TIMEOUT_MS);
    if (client == NULL)
        return 1; /* out of memory */
    if (shoal_status_of(client) != SHOAL_OK)
        die(client);
    one_by_one(client);
    pipelined(client);
    shoal_close(&client);
    return 0;
}
