/*
 * sim.h - the simulator: a whole server with its clients in one thread, under one seed.
 *
 * The reactors run the server's own loop, each on a stack of its own, and are switched where they
 * wait, and at some reads of the clock: what else happens between two instructions of a thread is
 * left to the models and to ThreadSanitizer. Time, the network and the order of everything are
 * choices of the seed (world.c, ring_sim.c), and so are the clients' programs (program.c, client.c).
 * What the clients saw is held against a model of what the server promises (model.c, check.c). The
 * same seed, the same build and the same program give the same run, down to each byte.
 *
 * One process runs one seed: it ends by sim_fail(), by an assertion of the server's, or well.
 */
#ifndef SHOAL_TESTS_SIM_H
#define SHOAL_TESTS_SIM_H

#include "shoal/base/random.h"
#include "shoal/net/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIM_REACTORS_MAX = 4,
    SIM_CLIENTS_MAX = 6,
    SIM_KEYS_MAX = 6,
    SIM_OPS_MAX = 48,    /* of one client */
    SIM_LINES_MAX = 128, /* connections of a run */
    SIM_CALLS_MAX = SIM_CLIENTS_MAX * SIM_OPS_MAX + SIM_KEYS_MAX + 8,
    SIM_FD_FIRST = 100000, /* descriptors that no system call knows */
    SIM_LISTENER = SIM_FD_FIRST - 1,
};

/* ---- choices ------------------------------------------------------------- */

/* What a seed makes likely; one in so many, 0: never. */
struct profile {
    uint32_t reactors, clients, keys, ops;
    uint32_t depth;      /* requests that a client sends before it has replies */
    uint32_t yields;     /* switches at reads of the clock */
    uint32_t jumps;      /* jumps of the clock, when a reactor goes to sleep */
    uint32_t cuts;       /* receives and sends of a part only */
    uint32_t no_buffers; /* receives that find no buffer */
    uint32_t resets;     /* connections that break, at each of their steps */
    uint32_t no_memory;  /* allocations that fail */
    uint32_t slow;       /* steps at which a client does not read */
    bool late;           /* wake-ups and completions take long */
    bool strict;         /* strict-mget */
    bool expiry;         /* keys with a time to live */
    bool evicts;         /* a memory limit that is reached */
    bool control;        /* CLIENT KILL, PAUSE and CONFIG SET */
    bool shutdown;       /* SHUTDOWN while clients are active */
};

struct sim {
    uint64_t seed;
    struct profile profile;
    struct random choice; /* of what happens when */
    int64_t now_ns;       /* since the beginning */
    int64_t wall_off_ns;  /* the wall clock's steps */
    uint64_t trace;       /* a hash of all that has happened */
    uint32_t turns;       /* switches to a reactor */
    struct server *server;
    bool stopping; /* a clean end has been asked for */
    bool verbose;
};
extern struct sim sim;

/* Ends the run: it has failed for this reason. */
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Part of the trace, and of the story that --verbose tells. */
void sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline bool sim_one_in(uint32_t n)
{
    return n != 0 && random_below(&sim.choice, n) == 0;
}
static inline uint64_t sim_below(uint64_t limit)
{
    return random_below(&sim.choice, limit);
}

/* Memory of the simulator's own: it never fails, and is not the server's to give back. */
void *sim_alloc(size_t size);

/* ---- the world: time and turns (world.c) --------------------------------- */

void world_begin(void);
/* Until every client has ended; then, or when a client asks for it, the server ends. */
void world_run(void);
/* Everything has been given back. */
void world_check_empty(void);
void world_end(void);
int64_t world_ms(void);     /* the server's time, as expiry uses it */
int64_t world_low_ms(void); /* the oldest time that a reactor still goes by */
/* Another reactor or a client may run before this one goes on. Thread: a reactor. */
void world_yield(void);
/* A reactor waits: until it is woken, something completes, or so long. */
void world_wait(struct ring *ring, int64_t wait_ns);
/* Bytes have moved: nobody waits in vain. */
void world_progress(void);

/* ---- the network (ring_sim.c) -------------------------------------------- */

struct sim_bytes {
    char *data;
    size_t size, taken, capacity;
};
void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t size);

/* A connection: what is on its way in either direction, and what the server has in flight. */
struct line {
    int fd;
    bool open;        /* at the server's end */
    bool ends, reset; /* the client's end: no more will come; it has broken the connection */
    bool shut;        /* the server sends no more: after `out` comes the end */
    bool lost;        /* the server's end has thrown away what was on its way */
    struct sim_bytes in, out;
    int64_t in_at_ns, out_at_ns; /* when the next step may be, in each direction */
    struct io_op *recv, *send;
    char *recv_to;
    size_t recv_most;
    bool recv_once;
    const struct iovec *parts; /* the caller's own: it has to leave them alone */
    struct iovec one;
    size_t part_count, part, part_at, sent;
};

struct ring *ring_sim_new(void);
bool ring_sim_ready(const struct ring *ring);       /* something completes, or it was woken */
int64_t ring_sim_ready_ns(const struct ring *ring); /* when at the earliest; INT64_MAX: not known */
bool ring_sim_woken(struct ring *ring);             /* and it is taken back */
bool ring_sim_is_waking(const struct ring *ring);   /* a wake-up is on its way to it */
uint32_t ring_sim_held(const struct ring *ring);    /* receive buffers */

struct line *line_connect(void); /* NULL: the server accepts no more */
size_t line_put(struct line *line, const void *data, size_t size);
size_t line_take(struct line *line, char *to, size_t size);
void line_end(struct line *line); /* a half-close */
void line_reset(struct line *line);
bool line_is_over(const struct line *line); /* the client has had all that there will be */
void lines_close(void);                     /* the process is gone */
size_t line_room(const struct line *line);  /* in the client's system, for replies */

/* ---- programs (program.c) ------------------------------------------------ */

enum op_kind {
    OP_GET,
    OP_SET,
    OP_SETNX,
    OP_SETXX,
    OP_GETSET,
    OP_GETDEL,
    OP_DEL,
    OP_EXISTS,
    OP_INCR,
    OP_APPEND,
    OP_STRLEN,
    OP_PEXPIRE,
    OP_PERSIST,
    OP_SETPX,
    OP_MSET,
    OP_MSETNX,
    OP_MGET,
    OP_DELS,
    OP_RENAME,
    OP_RENAMENX,
    OP_COPY,
    OP_FLUSHALL,
    OP_FILL,
    OP_WATCH,
    OP_UNWATCH,
    OP_MULTI,
    OP_EXEC,
    OP_DISCARD,
    OP_PING,
    OP_ECHO,
    OP_KILL,
    OP_PAUSE,
    OP_UNPAUSE,
    OP_CONFIG,
    OP_HALF_CLOSE,
    OP_RESET,
    OP_SHUTDOWN,
    OP_SLEEP,
    OP_KINDS
};

enum { OP_KEYS_MAX = 3 };

struct op {
    uint8_t kind;
    uint8_t keys;
    uint8_t key[OP_KEYS_MAX];
    bool off;        /* taken out, to see whether the run still fails */
    uint32_t number; /* unique: what it writes is made of it */
    uint32_t size;   /* of what it writes */
    uint32_t ms;     /* to live, to sleep, to pause */
    uint32_t client; /* whom it kills */
};

struct program {
    uint32_t count;
    struct op op[SIM_OPS_MAX];
};
extern struct program programs[SIM_CLIENTS_MAX + 1]; /* the last one reads what is left */

void profile_make(uint64_t seed);
void programs_make(uint64_t seed);
const char *op_name(enum op_kind kind);
/* What it writes for its key number `i`. */
size_t op_value(const struct op *op, uint32_t i, char *out);
enum { OP_VALUE_MAX = 48 * 1024 };
/* The name of a key, and the reactor that owns it. */
const char *key_name(uint32_t key);
uint32_t key_shard(uint32_t key);

/* ---- clients (client.c) -------------------------------------------------- */

struct reply_value {
    char type; /* + - : $ * and _ for nil */
    int64_t number;
    char *text;
    size_t size;
    struct reply_value *items;
    uint32_t count;
};

/* One request and what became of it. */
struct call {
    const struct op *op;
    uint32_t client;
    uint32_t life;           /* which of the client's connections */
    int64_t sent_ns;         /* before the server can have seen it */
    int64_t heard_ns;        /* INT64_MAX: its reply never came */
    int64_t low_ms, high_ms; /* the server's time as it ran lies between */
    struct reply_value reply;
};
extern struct call calls[SIM_CALLS_MAX];
extern uint32_t call_count;

void clients_begin(void);
void clients_step(void);       /* one of them does something */
int64_t clients_next_ns(void); /* when one can; INT64_MAX: none will by itself */
bool clients_are_done(void);
bool clients_wait_for_replies(void); /* and have sent all, and read all there is */

/* ---- the judge (check.c) ------------------------------------------------- */

void check_history(void);

struct sim_totals {
    uint64_t calls, answered, actions, states, undecided, commits, aborts;
    uint64_t most_bytes, evicted;
    uint64_t cuts, resets, no_buffers, no_memory, jumps, wakeups, turns;
};
extern struct sim_totals totals;

#endif
