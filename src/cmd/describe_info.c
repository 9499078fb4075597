/*
 * describe_info.c - a row as COMMAND and COMMAND INFO tell it: ten fields, as in Redis 7.
 *
 * Tips and key specs are derived from the row's flags and route.
 */
#include "shoal/cmd/categories.h"
#include "shoal/cmd/describe.h"
#include "shoal/cmd/registry.h"

struct word {
    unsigned bits;
    const char *text;
};

enum { WORDS_MAX = 16 };

/* Beside the flags of rows: no numbers say where the keys are, COMMAND GETKEYS does. */
#define MOVABLE_KEYS (1u << 31)

/* In the order in which Redis lists them. */
static const struct word flag_words[WORDS_MAX] = {
    { CMD_WRITE, "write" },
    { CMD_READONLY, "readonly" },
    { CMD_DENYOOM, "denyoom" },
    { CMD_ADMIN, "admin" },
    { CMD_LOADING, "loading" },
    { CMD_STALE, "stale" },
    { CMD_SKIP_SLOWLOG, "skip_slowlog" },
    { CMD_FAST, "fast" },
    { CMD_NOAUTH, "no_auth" },
    { CMD_NOMULTI, "no_multi" },
    { CMD_PUBSUB, "pubsub" },
    { MOVABLE_KEYS, "movablekeys" },
};

static const struct word category_words[WORDS_MAX] = {
    { CATEGORY_KEYSPACE, "@keyspace" },
    { CATEGORY_READ, "@read" },
    { CATEGORY_WRITE, "@write" },
    { CATEGORY_STRING, "@string" },
    { CATEGORY_BITMAP, "@bitmap" },
    { CATEGORY_PUBSUB, "@pubsub" },
    { CATEGORY_ADMIN, "@admin" },
    { CATEGORY_FAST, "@fast" },
    { CATEGORY_SLOW, "@slow" },
    { CATEGORY_DANGEROUS, "@dangerous" },
    { CATEGORY_CONNECTION, "@connection" },
    { CATEGORY_TRANSACTION, "@transaction" },
};

/* How a cluster client may split the command; the words of Redis's command tips. */
static const char *const route_tips[][2] = {
    [ROUTE_EACH_SUM] = { "request_policy:multi_shard", "response_policy:agg_sum" },
    [ROUTE_EACH_ARRAY] = { "request_policy:multi_shard", NULL },
    [ROUTE_ATOMIC] = { "request_policy:multi_shard", "response_policy:all_succeeded" },
    [ROUTE_ALL_SUM] = { "request_policy:all_shards", "response_policy:agg_sum" },
    [ROUTE_ALL_ARRAY] = { "request_policy:all_shards", "nondeterministic_output_order" },
    [ROUTE_ALL_ATOMIC] = { "request_policy:all_shards", "response_policy:all_succeeded" },
    [ROUTE_CURSOR] = { "nondeterministic_output", "request_policy:special" },
    [ROUTE_ANY] = { "request_policy:all_shards", "nondeterministic_output" },
};

static void reply_words(struct reply *reply, const struct word *words, unsigned bits)
{
    uint32_t count = 0;
    for (int i = 0; i < WORDS_MAX; i++)
        count += (words[i].bits & bits) != 0;
    reply_set(reply, count);
    for (int i = 0; i < WORDS_MAX; i++) {
        if (words[i].bits & bits)
            reply_simple(reply, words[i].text);
    }
}

bool describe_in_category(const struct command *command, struct bytes category)
{
    for (int i = 0; i < WORDS_MAX; i++)
        if (command->categories & category_words[i].bits &&
            bytes_is(category, category_words[i].text + 1))
            return true;
    return false;
}

static void reply_tips(struct reply *reply, const struct command *command)
{
    const size_t routes = sizeof(route_tips) / sizeof(route_tips[0]);
    const char *const none[2] = { NULL, NULL };
    const char *const *tips = command->route < routes ? route_tips[command->route] : none;
    uint32_t count = (tips[0] != NULL) + (tips[1] != NULL);
    reply_set(reply, count);
    for (uint32_t i = 0; i < count; i++)
        reply_cstr(reply, tips[i]);
}

static void reply_name_int(struct reply *reply, const char *name, int64_t value)
{
    reply_cstr(reply, name);
    reply_int(reply, value);
}

void describe_key_flags(struct reply *reply, bool written)
{
    reply_set(reply, written ? 3 : 2);
    reply_simple(reply, written ? "RW" : "RO");
    reply_simple(reply, "access");
    if (written)
        reply_simple(reply, "update");
}

/* One spec: the keys from the first index to the last, by steps. `lastkey` is relative to the
 * first. */
static void reply_key_specs(struct reply *reply, const struct command *command)
{
    reply_set(reply, command->first_key != 0);
    if (command->first_key == 0)
        return;
    reply_map(reply, 3);
    reply_cstr(reply, "flags");
    describe_key_flags(reply, command->flags & CMD_WRITE);
    reply_cstr(reply, "begin_search");
    reply_map(reply, 2);
    reply_cstr(reply, "type");
    reply_cstr(reply, "index");
    reply_cstr(reply, "spec");
    reply_map(reply, 1);
    reply_name_int(reply, "index", command->first_key);
    reply_cstr(reply, "find_keys");
    reply_map(reply, 2);
    reply_cstr(reply, "type");
    reply_cstr(reply, "range");
    reply_cstr(reply, "spec");
    reply_map(reply, 3);
    int last = command->last_key;
    reply_name_int(reply, "lastkey", last < 0 ? last : last - command->first_key);
    reply_name_int(reply, "keystep", command->step);
    reply_name_int(reply, "limit", 0);
}

static void reply_subs(struct reply *reply, const struct command *command)
{
    uint32_t count = 0;
    for (const struct command *sub = command->subs; sub != NULL && sub->name != NULL; sub++)
        count++;
    reply_array(reply, count);
    for (uint32_t i = 0; i < count; i++)
        describe_info(reply, &command->subs[i]);
}

void describe_info(struct reply *reply, const struct command *command)
{
    if (command == NULL) {
        reply_nil(reply); /* "$-1" in RESP2 as from Redis, although a command is an array */
        return;
    }
    reply_array(reply, 10);
    reply_cstr(reply, command->full_name);
    reply_int(reply, command->arity);
    bool movable = command->keys != NULL;
    reply_words(reply, flag_words, command->flags | (movable ? MOVABLE_KEYS : 0));
    reply_int(reply, command->first_key);
    reply_int(reply, movable ? 0 : command->last_key);
    reply_int(reply, command->step);
    reply_words(reply, category_words, command->categories);
    reply_tips(reply, command);
    reply_key_specs(reply, command);
    reply_subs(reply, command);
}
