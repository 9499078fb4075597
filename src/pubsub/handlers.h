/*
 * handlers.h - the commands of publish and subscribe, for the table in pubsub.c.
 */
#ifndef SHOAL_SRC_PUBSUB_HANDLERS_H
#define SHOAL_SRC_PUBSUB_HANDLERS_H

#include "shoal/cmd/command.h"
#include "shoal/pubsub/topics.h"

/* subscriber.c */

/* What the connection has subscribed to, NULL: nothing so far; or, made if need be, when memory is
 * not out. */
struct subscriber *subscriber_of(const struct conn *conn);
struct subscriber *subscriber_get(struct conn *conn);
/* The connection's state says whether it is subscribed to anything. To be called after changes. */
void subscriber_note(struct subscriber *subscriber);
/*
 * The answer to one of `count` names: the word, the name (data NULL: nil), and how many are left.
 * A command has as many values as names; only the native protocol puts them into one array, since
 * there a request has one reply.
 */
void confirm_begin(struct reply *reply, uint32_t count);
void confirm(struct reply *reply, const struct subscriber *subscriber, enum topic_kind kind,
             const char *word, struct bytes name);
/* These answers are sent even where CLIENT REPLY says that nothing is to be answered. */
void confirm_aloud(struct conn *conn);

/* subscribe.c */

/* Forgets what was announced and will not be answered any more. */
void announced_drop(struct conn *conn, struct subscriber *subscriber);
void subscribe_gather(struct plan *plan, const struct args *args);
void psubscribe_gather(struct plan *plan, const struct args *args);
void ssubscribe_gather(struct plan *plan, const struct args *args);

/* unsubscribe.c */
void unsubscribe_command(struct conn *conn, const struct args *args, struct reply *reply);
void punsubscribe_command(struct conn *conn, const struct args *args, struct reply *reply);
void sunsubscribe_command(struct conn *conn, const struct args *args, struct reply *reply);

/* publish.c */
void publish_command(struct conn *conn, const struct args *args, struct reply *reply);
void spublish_command(struct conn *conn, const struct args *args, struct reply *reply);

/* inspect.c */
void pubsub_channels(struct plan *plan, const struct args *args);
void pubsub_shardchannels(struct plan *plan, const struct args *args);
void pubsub_numsub(struct conn *conn, const struct args *args, struct reply *reply);
void pubsub_shardnumsub(struct conn *conn, const struct args *args, struct reply *reply);
void pubsub_numpat(struct conn *conn, const struct args *args, struct reply *reply);

#endif
