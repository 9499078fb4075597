/*
 * plan.h - a command, or a whole MULTI, that several shards work on.
 *
 * A plan has steps and parts. A step is one value of the reply: how the values of shards become the
 * client's. A part is one message to one shard with everything it has to do, in order. The parts of
 * a read (MGET) run at once; those of a transaction take their keys on every shard first (round
 * LOCK, through the sequencer), then run, then give the keys back with the last round:
 *
 *   LOCK      -> granted, and what WATCH says             by the sequencer, in one order everywhere
 *   RUN ...   -> values                                   straight from the origin
 *
 *   BUILD ---> LOCK ---> CHECK ---> RUN ---> END
 *     |        |  |      ^  |       ^ |       ^
 *     |        |  |      |  v       | v       |  CHECK   a round for each step that has checks:
 *     |        |  |      PUT        | SETTLE -+          MSETNX, or values to be fetched, as of
 *     |        |  |                 |   ^                RENAME over two shards
 *     +--------+--|-----------------+   |        PUT     they go to the destination
 *                 +---------------------+        RUN     the parts run what is left
 *                                                SETTLE  what has run stands or is undone
 *
 * A plan whose parts need not run as one (MGET), or that has one part, goes from BUILD to RUN. Keys
 * are given back by the last round. That is RUN where nothing can fail (DEL, FLUSHALL) or a watched
 * key has changed. A command that needs memory can fail on one shard after others have run theirs:
 * then every part keeps what the keys were (store/keyspace/undo.h), and SETTLE is the last round.
 * Without checks such a transaction runs as soon as it has its keys, in LOCK: as many rounds as one
 * that cannot fail.
 *
 * Since no key is given back before all are held, no other command sees one shard's part without
 * the others'. The plan lives on the connection's reactor and goes on to the end if the client
 * dies: nothing stays locked.
 */
#ifndef SHOAL_ROUTE_PLAN_H
#define SHOAL_ROUTE_PLAN_H

#include "shoal/mesh/mesh.h"
#include "shoal/shard/part.h"

/* Transactions over several shards of one reactor under way at once: the part of the response rings
 * that is kept for them. */
enum { TRANSACTIONS_MAX = MESH_RING_MIN };

/* How a step's values are put together. */
enum step_rule {
    STEP_ONE,     /* one part's value as it is */
    STEP_SUM,     /* integers, added */
    STEP_MIN,     /* integers, the least */
    STEP_KEYS,    /* one element a key, in the keys' order */
    STEP_CONCAT,  /* every element of every part */
    STEP_OK,      /* the first error, or the first value */
    STEP_PICK,    /* some value that is not nil, or nil */
    STEP_COMBINE, /* the value of the destination's part */
    STEP_CROSS,   /* an error: the keys are on several shards and the command cannot span them */
    STEP_ERROR,   /* an error of its own: `context` is the text */
    STEP_HOME,    /* nobody's: `command` runs at home when its turn comes */
    STEP_CUSTOM,  /* `merge` writes the value from the parts */
};

/* Back home: writes the value. Elements of part p: plan_element(). */
typedef void (*merge_fn)(struct plan *plan, void *context, struct reply *reply);

struct step {
    const struct command *command;
    struct args args;
    uint8_t rule;
    uint8_t db;
    bool checked;         /* its ops are */
    bool refused;         /* a check said no: MSETNX answers 0 */
    uint32_t destination; /* STEP_COMBINE: the shard */
    uint32_t *key_parts;  /* STEP_KEYS: shard of each key, in order */
    uint32_t key_count;
    merge_fn merge;
    void *context; /* malloc'ed, freed with the plan */
};

/* What is under way, see the drawing above. */
enum plan_phase {
    PLAN_BUILD,  /* nothing yet; or it waits for its turn */
    PLAN_LOCK,   /* every part takes its keys, and says whether WATCH's marks hold */
    PLAN_CHECK,  /* the parts run up to the step that is checked next, and check it */
    PLAN_PUT,    /* one part stores the value of a STEP_COMBINE */
    PLAN_RUN,    /* the parts run the rest, and give their keys back unless one may have failed */
    PLAN_SETTLE, /* the parts undo what has run, or not, and give their keys back */
    PLAN_END,    /* the reply can be composed */
};

struct plan {
    uint8_t phase;    /* enum plan_phase */
    bool transaction; /* it takes keys, by the sequencer */
    struct request *request;
    struct reactor *home;
    struct plan *next_waiting;
    struct message sequence; /* to the sequencer */
    struct part **part;      /* by shard; NULL: not concerned */
    uint32_t part_count;     /* parts that exist */
    struct step *steps;
    uint32_t step_count, step_capacity;
    uint32_t outstanding;              /* messages under way */
    void (*at_end)(struct conn *conn); /* runs once the reply is written; NULL: nothing */
    bool multi;                        /* the reply is an array of the steps' values */
    bool atomic;
    bool settles;          /* it ends with PLAN_SETTLE */
    bool eager;            /* ... and PLAN_LOCK runs everything */
    bool failed;           /* memory was out */
    bool refused;          /* a shard had no room for what it would add */
    bool aborted;          /* a watched key changed: nil */
    uint32_t merging;      /* the step whose value is being written */
    uint32_t next_checked; /* steps before it have been checked */
};

/* For the request; NULL when memory is out. Thread: owner of the connection, as all below. */
struct plan *plan_new(struct request *request);
void plan_free(struct plan **plan);

/* Adds one command: its step and its ops. The arguments are borrowed until the plan ends. */
void plan_add(struct plan *plan, const struct command *command, const struct args *args,
              uint8_t db);
/* Adds a step that asks every reactor. `context` is malloc'ed, read by all, freed with the plan;
 * may be NULL. */
void plan_add_control(struct plan *plan, control_fn control, merge_fn merge, void *context);
/* A step that only answers this error. */
void plan_add_error(struct plan *plan, const char *text);
/* Adds a check of a watched key (borrowed). */
void plan_add_watch(struct plan *plan, struct watched_key *key);

/* Sets it going; request->plan answers the request when it ends. Takes the plan. */
void plan_start(struct plan *plan);

/* Writes the whole reply. */
void plan_compose(struct plan *plan, struct reply *reply);

/* While a merge_fn runs: elements of its step that are left in part `shard`, and taking the next
 * one (without pins). */
uint32_t plan_elements(const struct plan *plan, uint32_t shard);
struct bytes plan_element(struct plan *plan, uint32_t shard);
/* A merge_fn for what has no answer but OK. */
void plan_answer_ok(struct plan *plan, void *context, struct reply *reply);

/* True when the command concerns several shards and must not be seen half done. */
bool command_is_global(const struct reactor *reactor, const struct command *command,
                       const struct args *args);
/* The one shard that holds all keys; -1 when there are several. Hash of the first key in *hash. */
int command_shard(const struct reactor *reactor, const struct command *command,
                  const struct args *args, uint64_t *hash);

#endif
