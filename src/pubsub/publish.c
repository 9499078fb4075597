/*
 * publish.c - PUBLISH and SPUBLISH: to the reactors that have subscribers, and from there to these.
 */
#include "handlers.h"

#include "shoal/base/glob.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/push.h"
#include "shoal/mesh/mesh.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/reactor/reactor.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROTOCOLS = PROTO_RESP3 + 1,
    MATCHED_INLINE = 32,
    /* Encoded messages up to this size are copied to each subscriber and need no memory of their
     * own. */
    ENCODED_INLINE = PUSH_COPY_MAX,
};

/* What is published. */
struct letter {
    enum topic_kind kind; /* TOPIC_CHANNEL or TOPIC_SHARD */
    struct bytes channel, text;
    const uint64_t *patterns; /* hashes of those that match and have subscribers here */
    uint32_t pattern_count;
};

/* ... on its way to another reactor. */
struct publication {
    struct push_message push;
    uint8_t kind;
    uint32_t channel_size, text_size, pattern_count;
    uint64_t patterns[]; /* then the channel, then the text */
};

/* ---- to the subscribers of this reactor ---------------------------------- */

/* A message as it is sent, in each protocol that a subscriber speaks. */
struct encoded {
    bool made, failed;
    struct reply reply;
    struct reply_ref *ref; /* of one that is large */
    char inline_bytes[ENCODED_INLINE];
};

/* "message", channel, text; or "pmessage", pattern, channel, text. */
static void encode(struct reactor *here, struct encoded *to, enum proto proto,
                   const struct letter *letter, const struct topic *topic)
{
    struct reply *reply = &to->reply;
    bool pattern = topic->kind == TOPIC_PATTERN;
    reply_init(reply, proto, to->inline_bytes, sizeof(to->inline_bytes), NULL, 0);
    reply_begin(reply);
    reply_push(reply, pattern ? 4 : 3);
    reply_cstr(reply, pattern ? "pmessage" : topic->kind == TOPIC_SHARD ? "smessage" : "message");
    if (pattern)
        reply_str(reply, topic_name(topic));
    reply_str(reply, letter->channel);
    reply_str(reply, letter->text);
    reply_end(reply);
    to->made = true;
    to->ref = NULL;
    to->failed = reply->no_memory;
    if (reply->heap && !to->failed) {
        to->ref = reply_ref_new(here, reply, false);
        to->failed = to->ref == NULL;
    } else if (to->failed) {
        reply_fini(reply);
    }
}

/* One for whom there is no memory must not miss a message unawares. */
static void send_to(struct conn *conn, const struct encoded *encoded)
{
    if (encoded->failed)
        conn_kill(conn);
    else if (encoded->ref != NULL)
        conn_push_ref(conn, encoded->ref, PUSH_AT_ONCE);
    else
        conn_push(conn, bytes_of(encoded->reply.base, encoded->reply.size), PUSH_AT_ONCE);
}

static void deliver_topic(struct reactor *here, const struct letter *letter,
                          const struct topic *topic)
{
    struct encoded encoded[PROTOCOLS];
    for (int proto = 0; proto < PROTOCOLS; proto++) {
        encoded[proto].made = false;
        encoded[proto].ref = NULL;
    }
    for (struct subscription *it = topic->first; it != NULL; it = it->next) {
        struct conn *conn = it->subscriber->conn;
        if (!encoded[conn->proto].made)
            encode(here, &encoded[conn->proto], conn->proto, letter, topic);
        send_to(conn, &encoded[conn->proto]);
    }
    for (int proto = 0; proto < PROTOCOLS; proto++)
        if (encoded[proto].ref != NULL)
            reply_ref_unuse(here, encoded[proto].ref);
}

static void deliver(struct reactor *here, const struct letter *letter)
{
    const struct topics *topics = &here->pubsub->topics;
    const struct topic *topic = topics_find(topics, letter->kind, letter->channel,
                                            topic_hash(letter->kind, letter->channel));
    if (topic != NULL)
        deliver_topic(here, letter, topic);
    for (uint32_t i = 0; i < letter->pattern_count; i++) {
        topic = topics_find_pattern(topics, letter->patterns[i]);
        if (topic != NULL)
            deliver_topic(here, letter, topic);
    }
}

/* ---- to other reactors --------------------------------------------------- */

static void publication_run(struct reactor *here, struct message *message)
{
    const struct publication *it = (struct publication *)message;
    const char *bytes = (const char *)(it->patterns + it->pattern_count);
    struct letter letter = {
        .kind = it->kind,
        .channel = bytes_of(bytes, it->channel_size),
        .text = bytes_of(bytes + it->channel_size, it->text_size),
        .patterns = it->patterns,
        .pattern_count = it->pattern_count,
    };
    deliver(here, &letter);
    mesh_respond(here->port, message);
}

static void publication_done(struct reactor *home, struct message *message)
{
    (void)home;
    free(message);
}

/* False: memory is out. */
static bool send_away(struct conn *conn, const struct letter *letter, uint32_t to)
{
    struct mesh_port *port = conn->reactor->port;
    size_t hashes = letter->pattern_count * sizeof(letter->patterns[0]);
    size_t size = sizeof(struct publication) + hashes + letter->channel.size + letter->text.size;
    struct publication *it = malloc(size);
    if (it == NULL)
        return false;
    *it = (struct publication){
        .push = { .message = { .run = publication_run,
                               .done = publication_done,
                               .kind = MESSAGE_PUSH,
                               .magic = MESSAGE_MAGIC,
                               .to = (uint16_t)to },
                  .bytes = (uint32_t)size },
        .kind = (uint8_t)letter->kind,
        .channel_size = (uint32_t)letter->channel.size,
        .text_size = (uint32_t)letter->text.size,
        .pattern_count = letter->pattern_count,
    };
    char *bytes = (char *)it->patterns + hashes;
    if (hashes > 0)
        memcpy(it->patterns, letter->patterns, hashes);
    memcpy(bytes, letter->channel.data, letter->channel.size);
    memcpy(bytes + letter->channel.size, letter->text.data, letter->text.size);
    mesh_push(port, &it->push);
    if (unlikely(mesh_push_congested(port, to)))
        conn_wait_for_pushes(conn, to);
    return true;
}

/* ---- who gets it --------------------------------------------------------- */

/* The reactors and patterns that a message concerns. */
struct audience {
    uint64_t reactors[2]; /* with subscribers of the channel, by bits */
    const struct known_pattern **matched;
    uint32_t matched_count;
    int64_t receivers;
    const struct known_pattern *matched_inline[MATCHED_INLINE];
};

static void find_channel(struct audience *to, const struct interests *interests, uint64_t hash)
{
    uint32_t at = 0;
    for (const struct interest *it; (it = interests_next(interests, hash, &at)) != NULL;) {
        to->reactors[it->reactor / 64] |= (uint64_t)1 << it->reactor % 64;
        to->receivers += it->count;
    }
}

/* False: memory is out. */
static bool find_patterns(struct audience *to, const struct interests *interests,
                          struct bytes channel)
{
    uint32_t known = interests->distinct[TOPIC_PATTERN];
    if (known > MATCHED_INLINE) {
        to->matched = malloc(known * sizeof(struct known_pattern *));
        if (to->matched == NULL)
            return false;
    }
    for (const struct known_pattern *it = interests->patterns; it != NULL; it = it->next) {
        if (!glob_match(known_pattern_name(interests, it), channel, false))
            continue;
        to->matched[to->matched_count++] = it;
        to->receivers += it->total;
    }
    return true;
}

/* To one reactor, with those of the patterns that have subscribers there. */
static bool send_one(struct conn *conn, struct letter *letter, const struct audience *to,
                     uint32_t reactor, uint64_t *hashes)
{
    bool channel = (to->reactors[reactor / 64] >> reactor % 64 & 1) != 0;
    letter->patterns = hashes;
    letter->pattern_count = 0;
    for (uint32_t i = 0; i < to->matched_count; i++)
        if (to->matched[i]->count[reactor] > 0)
            hashes[letter->pattern_count++] = to->matched[i]->hash;
    if (!channel && letter->pattern_count == 0)
        return true;
    if (reactor != conn->reactor->id)
        return send_away(conn, letter, reactor);
    deliver(conn->reactor, letter);
    return true;
}

/* Others first: the message is on its way while it is delivered here. */
static bool send_all(struct conn *conn, struct letter *letter, const struct audience *to)
{
    uint64_t inline_hashes[MATCHED_INLINE], *hashes = inline_hashes;
    const struct reactor *here = conn->reactor;
    if (to->matched_count > MATCHED_INLINE)
        hashes = malloc(to->matched_count * sizeof(*hashes));
    bool ok = hashes != NULL;
    for (uint32_t i = 1; i <= here->count && ok; i++)
        ok = send_one(conn, letter, to, (here->id + i) % here->count, hashes);
    if (hashes != inline_hashes)
        free(hashes);
    return ok;
}

static void publish(struct conn *conn, const struct args *args, enum topic_kind kind,
                    struct reply *reply)
{
    const struct interests *interests = &conn->reactor->pubsub->interests;
    struct letter letter = { .kind = kind, .channel = args_at(args, 1), .text = args_at(args, 2) };
    struct audience to;
    to.reactors[0] = to.reactors[1] = 0;
    to.matched = to.matched_inline;
    to.matched_count = 0;
    to.receivers = 0;
    find_channel(&to, interests, topic_hash(kind, letter.channel));
    bool ok = kind != TOPIC_CHANNEL || interests->patterns == NULL ||
              find_patterns(&to, interests, letter.channel);
    if (ok && to.receivers > 0)
        ok = send_all(conn, &letter, &to);
    if (to.matched != to.matched_inline)
        free(to.matched);
    if (ok)
        reply_int(reply, to.receivers);
    else
        reply_error(reply, ERR_NO_MEMORY);
}

void publish_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    publish(conn, args, TOPIC_CHANNEL, reply);
}

void spublish_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    publish(conn, args, TOPIC_SHARD, reply);
}
