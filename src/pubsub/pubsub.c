/*
 * pubsub.c - a reactor's part of publish and subscribe, and the table of its commands.
 */
#include "shoal/pubsub/pubsub.h"

#include "handlers.h"

#include "shoal/cmd/help.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/state.h"

void pubsub_init(struct pubsub *pubsub, uint32_t reactors)
{
    pubsub->topics = (struct topics){ 0 };
    interests_init(&pubsub->interests, reactors);
    notices_init(&pubsub->notices, reactors);
}

void pubsub_fini(struct pubsub *pubsub)
{
    topics_fini(&pubsub->topics);
    interests_fini(&pubsub->interests);
    notices_fini(&pubsub->notices);
}

uint64_t pubsub_bytes(const struct pubsub *pubsub)
{
    return pubsub->topics.bytes + pubsub->topics.size * sizeof(struct topic *) +
           interests_bytes(&pubsub->interests);
}

void pubsub_note(struct reactor *here)
{
    state_set(here, STATE_SUBSCRIPTIONS, pubsub_bytes(here->pubsub));
}

/* A publication waits for the commands before it: who hears of a change can read it. */
enum {
    SUBSCRIBER_FLAGS = CMD_PUBSUB | CMD_SUBSCRIBER | CMD_BARRIER | CMD_ANYTIME,
    PUBLISH_FLAGS = CMD_PUBSUB | CMD_BARRIER | CMD_ANYTIME | CMD_FAST,
};

/* clang-format off */
static const struct command subs[] = {
    { .name = "channels", .arity = -2, .flags = CMD_PUBSUB | CMD_ANYTIME,
      .route = ROUTE_GATHER, .gather = pubsub_channels,
      .group = "pubsub", .since = "2.8.0", .complexity = "O(N) where N is the number of channels with subscribers",
      .syntax = "[pattern]",
      .summary = "Returns the channels that have subscribers." },
    { .name = "numpat", .arity = 2, .flags = CMD_PUBSUB | CMD_ANYTIME,
      .route = ROUTE_HOME, .home = pubsub_numpat,
      .group = "pubsub", .since = "2.8.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the number of patterns that have subscribers." },
    { .name = "numsub", .arity = -2, .flags = CMD_PUBSUB | CMD_ANYTIME,
      .route = ROUTE_HOME, .home = pubsub_numsub,
      .group = "pubsub", .since = "2.8.0", .complexity = "O(N) where N is the number of channels asked for",
      .syntax = "[channel [channel ...]]",
      .summary = "Returns how many have subscribed to each of the channels." },
    { .name = "shardchannels", .arity = -2, .flags = CMD_PUBSUB | CMD_ANYTIME,
      .route = ROUTE_GATHER, .gather = pubsub_shardchannels,
      .group = "pubsub", .since = "7.0.0", .complexity = "O(N) where N is the number of shard channels with subscribers",
      .syntax = "[pattern]",
      .summary = "Returns the shard channels that have subscribers." },
    { .name = "shardnumsub", .arity = -2, .flags = CMD_PUBSUB | CMD_ANYTIME,
      .route = ROUTE_HOME, .home = pubsub_shardnumsub,
      .group = "pubsub", .since = "7.0.0", .complexity = "O(N) where N is the number of shard channels asked for",
      .syntax = "[shardchannel [shardchannel ...]]",
      .summary = "Returns how many have subscribed to each of the shard channels." },
    HELP_ROW("pubsub", "6.2.0", CMD_ANYTIME),
    { 0 },
};

const struct command pubsub_commands[] = {
    { .name = "subscribe", .arity = -2, .flags = SUBSCRIBER_FLAGS,
      .route = ROUTE_GATHER, .gather = subscribe_gather,
      .group = "pubsub", .since = "2.0.0", .complexity = "O(N) where N is the number of channels",
      .syntax = "channel [channel ...]",
      .summary = "Has the client receive what is published to channels." },
    { .name = "unsubscribe", .arity = -1, .flags = SUBSCRIBER_FLAGS,
      .route = ROUTE_HOME, .home = unsubscribe_command,
      .group = "pubsub", .since = "2.0.0", .complexity = "O(N) where N is the number of channels",
      .syntax = "[channel [channel ...]]",
      .summary = "Ends subscriptions to channels: to all, if none is named." },
    { .name = "psubscribe", .arity = -2, .flags = SUBSCRIBER_FLAGS,
      .route = ROUTE_GATHER, .gather = psubscribe_gather,
      .group = "pubsub", .since = "2.0.0", .complexity = "O(N) where N is the number of patterns",
      .syntax = "pattern [pattern ...]",
      .summary = "Has the client receive what is published to channels that match patterns." },
    { .name = "punsubscribe", .arity = -1, .flags = SUBSCRIBER_FLAGS,
      .route = ROUTE_HOME, .home = punsubscribe_command,
      .group = "pubsub", .since = "2.0.0", .complexity = "O(N) where N is the number of patterns",
      .syntax = "[pattern [pattern ...]]",
      .summary = "Ends subscriptions to patterns: to all, if none is named." },
    { .name = "ssubscribe", .arity = -2, .flags = SUBSCRIBER_FLAGS,
      .route = ROUTE_GATHER, .gather = ssubscribe_gather,
      .group = "pubsub", .since = "7.0.0", .complexity = "O(N) where N is the number of shard channels",
      .syntax = "shardchannel [shardchannel ...]",
      .summary = "Has the client receive what is published to shard channels." },
    { .name = "sunsubscribe", .arity = -1, .flags = SUBSCRIBER_FLAGS,
      .route = ROUTE_HOME, .home = sunsubscribe_command,
      .group = "pubsub", .since = "7.0.0", .complexity = "O(N) where N is the number of shard channels",
      .syntax = "[shardchannel [shardchannel ...]]",
      .summary = "Ends subscriptions to shard channels: to all, if none is named." },
    { .name = "publish", .arity = 3, .flags = PUBLISH_FLAGS,
      .route = ROUTE_HOME, .home = publish_command,
      .group = "pubsub", .since = "2.0.0",
      .complexity = "O(N+M) where N is the number of subscribers of the channel and M that of patterns",
      .syntax = "channel message",
      .summary = "Sends a message to a channel; returns how many receive it." },
    { .name = "spublish", .arity = 3, .flags = PUBLISH_FLAGS,
      .route = ROUTE_HOME, .home = spublish_command,
      .group = "pubsub", .since = "7.0.0", .complexity = "O(N) where N is the number of subscribers of the shard channel",
      .syntax = "shardchannel message",
      .summary = "Sends a message to a shard channel; returns how many receive it." },
    { .name = "pubsub", .arity = -2, .subs = subs,
      .group = "pubsub", .since = "2.8.0", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about channels and their subscribers." },
    { 0 },
};
/* clang-format on */
