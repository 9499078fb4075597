/*
 * errors.h - error replies that several commands share, word for word as Redis gives them.
 */
#ifndef SHOAL_CMD_ERRORS_H
#define SHOAL_CMD_ERRORS_H

#include "shoal/cmd/command.h"

#define ERR_SYNTAX "ERR syntax error"
#define ERR_WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"
#define ERR_NOT_INTEGER "ERR value is not an integer or out of range"
#define ERR_NOT_INT "ERR value is out of range, value must between -2147483648 and 2147483647"
#define ERR_NO_DATABASE "ERR DB index is out of range"
#define ERR_NOT_FLOAT "ERR value is not a valid float"
#define ERR_OVERFLOW "ERR increment or decrement would overflow"
#define ERR_NO_KEY "ERR no such key"
#define ERR_NAN "ERR increment would produce NaN or Infinity"
#define ERR_SAME_OBJECT "ERR source and destination objects are the same"
#define ERR_OUT_OF_RANGE "ERR value is out of range"
#define ERR_STRING_TOO_LONG "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
#define ERR_KEY_TOO_LONG "ERR key exceeds the maximum of 16777215 bytes"
#define ERR_QUEUE_FULL                                                                             \
    "OOM the transaction is larger than client-query-buffer-limit, maxmemory-clients or memory "   \
    "allow"
#define ERR_NO_MEMORY "OOM the allocator has no memory" /* ANSWER_INLINE keeps it without any */
#define ERR_OOM "OOM command not allowed when used memory > 'maxmemory'."
/* EXEC's: a reason follows. */
#define ERR_EXEC_ABORTED "EXECABORT Transaction discarded because of: "
#define ERR_CROSS_SLOT "CROSSSLOT Keys in request don't hash to the same shard"

enum {
    ERROR_TEXT_MAX = 128,      /* bytes of a client's words that an error repeats, as in Redis */
    ERROR_WRONG_SUB_MAX = 256, /* the text of error_wrong_sub() with its end */
};

/* How much of a client's words an error repeats, for "%.*s". Thread: any. */
static inline int error_text_size(struct bytes text)
{
    return text.size < ERROR_TEXT_MAX ? (int)text.size : ERROR_TEXT_MAX;
}

/* "ERR wrong number of arguments for 'client|kill' command". Thread: any. */
void reply_wrong_arity(struct reply *reply, const struct command *command);

/* "ERR unknown command 'x', with args beginning with: 'a' 'b' ". Thread: any. */
void reply_unknown_command(struct reply *reply, const struct args *args);

/* "ERR unknown subcommand 'x'. Try CLIENT HELP."; `name` as the client wrote it. Thread: any. */
void reply_unknown_subcommand(struct reply *reply, struct bytes name,
                              const struct command *container);

/* "ERR unknown subcommand or wrong number of arguments for 'x'. Try CLIENT HELP.", for a sub-command
 * that counts its arguments itself; returns `text`, which has to hold ERROR_WRONG_SUB_MAX bytes.
 * Thread: any. */
const char *error_wrong_sub(char *text, const struct args *args);

/* "ERR invalid expire time in 'set' command". Thread: any. */
void reply_invalid_expire(struct reply *reply, const struct command *command);

#endif
