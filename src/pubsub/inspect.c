/*
 * inspect.c - PUBSUB: which channels there are, and how many have subscribed.
 */
#include "handlers.h"

#include "shoal/base/glob.h"
#include "shoal/base/minmax.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names, from every reactor ------------------------------------------- */

struct question {
    enum topic_kind kind;
    bool all;
    struct bytes pattern;
};

static void names_control(struct reactor *here, void *context, struct reply *reply)
{
    const struct question *question = context;
    const struct topics *topics = &here->pubsub->topics;
    for (uint32_t i = 0; i < topics->size; i++) {
        for (const struct topic *topic = topics->chains[i]; topic != NULL; topic = topic->next) {
            if (topic->kind != question->kind ||
                (!question->all && !glob_match(question->pattern, topic_name(topic), false)))
                continue;
            reply_raw(reply, topic_name(topic));
            reply_mark(reply);
        }
    }
}

static int by_bytes(const void *left, const void *right)
{
    const struct bytes *a = left, *b = right;
    int order = memcmp(a->data, b->data, min(a->size, b->size));
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* A channel may have subscribers on several reactors. */
static void names_merge(struct plan *plan, void *context, struct reply *reply)
{
    (void)context;
    uint32_t count = 0, distinct = 0;
    for (uint32_t i = 0; i < plan->home->count; i++)
        count += plan_elements(plan, i);
    struct bytes *names = malloc((count + 1) * sizeof(*names));
    if (names == NULL) {
        reply_error(reply, ERR_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0, at = 0; i < plan->home->count; i++)
        for (uint32_t left = plan_elements(plan, i); left > 0; left--)
            names[at++] = plan_element(plan, i);
    qsort(names, count, sizeof(*names), by_bytes);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || !bytes_equal(names[i], names[distinct - 1]))
            names[distinct++] = names[i];
    reply_array(reply, distinct);
    for (uint32_t i = 0; i < distinct; i++)
        reply_str(reply, names[i]);
    free(names);
}

/* In Redis's words, which it uses for too many arguments of these two. */
static void refuse_count(struct plan *plan, struct bytes sub)
{
    char error[256];
    snprintf(error, sizeof(error),
             "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try PUBSUB HELP.",
             error_text_size(sub), sub.data);
    plan_add_error(plan, error);
}

static void ask_names(struct plan *plan, const struct args *args, enum topic_kind kind)
{
    if (args->count > 3) {
        refuse_count(plan, args_at(args, 1));
        return;
    }
    struct question *question = malloc(sizeof(*question));
    if (question == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    *question = (struct question){ .kind = kind, .all = args->count == 2 };
    if (!question->all)
        question->pattern = args_at(args, 2);
    plan_add_control(plan, names_control, names_merge, question);
}

void pubsub_channels(struct plan *plan, const struct args *args)
{
    ask_names(plan, args, TOPIC_CHANNEL);
}

void pubsub_shardchannels(struct plan *plan, const struct args *args)
{
    ask_names(plan, args, TOPIC_SHARD);
}

/* ---- numbers, which every reactor knows ---------------------------------- */

static void count_each(const struct conn *conn, const struct args *args, enum topic_kind kind,
                       struct reply *reply)
{
    const struct interests *interests = &conn->reactor->pubsub->interests;
    reply_map(reply, args->count - 2);
    for (uint32_t i = 2; i < args->count; i++) {
        int64_t count = 0;
        uint32_t at = 0;
        uint64_t hash = topic_hash(kind, args_at(args, i));
        for (const struct interest *it; (it = interests_next(interests, hash, &at)) != NULL;)
            count += it->count;
        reply_str(reply, args_at(args, i));
        reply_int(reply, count);
    }
}

void pubsub_numsub(struct conn *conn, const struct args *args, struct reply *reply)
{
    count_each(conn, args, TOPIC_CHANNEL, reply);
}

void pubsub_shardnumsub(struct conn *conn, const struct args *args, struct reply *reply)
{
    count_each(conn, args, TOPIC_SHARD, reply);
}

void pubsub_numpat(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    reply_int(reply, conn->reactor->pubsub->interests.distinct[TOPIC_PATTERN]);
}
