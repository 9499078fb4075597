/*
 * command.h - what a command is: one row of data beside its handler, and what the handler sees.
 *
 * A shard command runs on the shard that owns its keys and sees nothing but that shard. A home
 * command runs on the reactor that owns the connection; its handler is in a room above. Explicit
 * lists of families name all rows (cmd/families.h, src/commands.c).
 */
#ifndef SHOAL_CMD_COMMAND_H
#define SHOAL_CMD_COMMAND_H

#include "shoal/cmd/exec.h"

struct conn; /* home handlers only */

enum command_flag {
    CMD_WRITE = 1 << 0,
    CMD_READONLY = 1 << 1,
    CMD_DENYOOM = 1 << 2, /* may grow memory: refused while over maxmemory under noeviction */
    CMD_ADMIN = 1 << 3,
    CMD_FAST = 1 << 4,
    CMD_NOAUTH = 1 << 5, /* allowed before AUTH */
    /* Changes the connection: it waits for the requests before it, those behind wait for it. */
    CMD_BARRIER = 1 << 6,
    CMD_NOMULTI = 1 << 7, /* refused inside MULTI */
    /* Runs inside MULTI instead of being queued (EXEC, DISCARD, WATCH ...). */
    CMD_IMMEDIATE = 1 << 8,
    /* Only words of COMMAND INFO: the server neither loads data nor follows another. */
    CMD_LOADING = 1 << 9,
    CMD_STALE = 1 << 10,
    CMD_ANYTIME = CMD_LOADING | CMD_STALE,
    CMD_SKIP_SLOWLOG = 1 << 11, /* its parts are logged, or it never ran */
    CMD_UNPAUSABLE = 1 << 12,   /* runs although clients are paused (CLIENT UNPAUSE) */
    CMD_RUNS_QUEUED = 1 << 13,  /* runs the commands that MULTI has queued (EXEC) */
    /* Not FAST in Redis, but bounded by its arguments: its batch may be timed as a whole. */
    CMD_QUICK = 1 << 14,
    CMD_PUBSUB = 1 << 15, /* a word of COMMAND INFO */
    /* May wait for something (reply_park()): what is behind it waits with it, as for a barrier. For
     * rows whose keys are not exactly one, which dispatch() takes a closer look at. */
    CMD_MAY_PARK = 1 << 17,
    CMD_UNDOCUMENTED = 1 << 18, /* exists only in builds with assertions */
    CMD_SUBSCRIBER = 1 << 16,   /* allowed on a RESP2 connection that has subscribed to something */
};

/* Where a command runs, and how the parts of several shards become one reply. */
enum command_route {
    ROUTE_HOME, /* on the connection's reactor: `home` */
    ROUTE_KEY,  /* one key (or several that must be on one shard): `shard` there */
    /* keys are split by shard; `each` runs once a key and its integers are added up (DEL) */
    ROUTE_EACH_SUM,
    /* the same; `each` writes one element a key and they are put in the keys' order (MGET) */
    ROUTE_EACH_ARRAY,
    /* several keys, all or nothing: `shard` on one shard, a transaction over several (MSET) */
    ROUTE_ATOMIC,
    /* the same, of values from keys of several shards: `combine`, see cmd/combine.h (RENAME) */
    ROUTE_COMBINE,
    ROUTE_ALL_SUM, /* every shard: `shard` writes one integer, they are added (DBSIZE) */
    /* every shard: `shard` writes elements, each followed by reply_mark(), without a header
     * (KEYS) */
    ROUTE_ALL_ARRAY,
    ROUTE_ALL_ATOMIC, /* every shard in one transaction; `shard` writes OK (FLUSHALL) */
    /* every reactor, about the server itself: `gather` adds the question to the plan
     * (CLIENT LIST) */
    ROUTE_GATHER,
    ROUTE_CURSOR, /* the shard that the SCAN cursor names, see cmd/generic/cursor.h */
    ROUTE_ANY,    /* any shard with keys: tried in turn while it answers nil (RANDOMKEY) */
};

typedef void (*command_shard_fn)(struct exec *exec);
/* `key_index` is the argument that is the key; its hash is in exec->hash. ROUTE_EACH_SUM: returns
 * what this key adds and writes nothing; ROUTE_EACH_ARRAY: writes one element, the result is
 * ignored. */
typedef int64_t (*command_each_fn)(struct exec *exec, uint32_t key_index);
struct combine;
struct plan; /* the server's; ROUTE_GATHER only */
typedef void (*command_gather_fn)(struct plan *plan, const struct args *args);
typedef void (*command_home_fn)(struct conn *conn, const struct args *args, struct reply *reply);
typedef bool (*command_check_fn)(struct exec *exec);

/*
 * The keys of a row: index of the first argument that is one, index of the last, and the distance
 * from one to the next. A last of -1 is the last argument. A row without KEYS has no keys.
 */
#define KEYS(first, last, distance) .first_key = (first), .last_key = (last), .step = (distance)

/*
 * The keys of a row that these numbers cannot tell, since they follow a count or a word.
 *
 *   after    an argument; 0 to begin
 *   *writes  whether the command writes to the key found
 *   returns  the index of the first key beyond `after`, in order of arguments; 0 when there is none,
 *            also where the arguments are wrong: the handler says so
 *
 * Its handler finds its keys with exec_key_at(); `exec->hash` is that of the first. Thread: any.
 */
typedef uint32_t (*command_keys_fn)(const struct args *args, uint32_t after, bool *writes);
/* No number of the row is an argument, so that nobody takes one for a key. */
#define KEYS_BY(function) .keys = (function), .first_key = 0, .last_key = -1, .step = 0

struct command {
    const char *name; /* lower case; a sub-command has its own ("encoding") */
    /* As in Redis: exact, or -minimum; the name counts, of a sub-command both names. */
    int16_t arity;
    uint32_t flags;                   /* enum command_flag */
    uint8_t route;                    /* enum command_route */
    int8_t first_key, last_key, step; /* see KEYS; all 0 without keys */
    command_keys_fn keys;             /* see KEYS_BY; NULL for most */
    command_shard_fn shard;
    command_each_fn each;
    command_home_fn home;
    command_gather_fn gather;
    const struct combine *combine; /* ROUTE_COMBINE */
    /*
     * ROUTE_ATOMIC over several shards: runs on every shard before `shard` runs on any. It changes
     * and replies nothing. If it is false on one shard, `shard` runs on none and the reply is 0
     * (MSETNX: a key exists). NULL: nothing to check.
     */
    command_check_fn check;
    const struct command *subs; /* sub-commands, ended by a row without a name; NULL if none */
    const char *
        group; /* "string", "generic", "connection", "server", "transactions", "cluster", "pubsub" */
    const char *since; /* Redis version that has it */
    const char *complexity;
    const char *summary;
    const char *syntax; /* arguments as documentation shows them: "key value [NX | XX] [GET]" */

    /* filled by registry_init() */
    uint16_t id;           /* 0..registry_count()-1; sub-commands have their own */
    uint32_t categories;   /* enum command_category */
    const char *full_name; /* "client|kill" */
};

#endif
