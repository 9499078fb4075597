/*
 * check.c - is there an order of all that was asked that explains all that was heard?
 *
 * Every request becomes one action or, where the promise is one for each shard or key, several. An
 * action happens at one moment between request and reply; one whose reply was lost happens then,
 * later, or never. The search tries the actions that can come next, remembers what it has tried, and
 * takes a read that fits at once: that is never wrong.
 *
 * source   the search is that of J. M. Wing and C. Gong, "Testing and Verifying Concurrent Objects"
 *          (1993), with the memory of G. Lowe, "Testing for Linearizability" (2017)
 */
#include "model.h"

#include <stdio.h>
#include <string.h>

enum {
    ACTIONS_MAX = 2 * SIM_CALLS_MAX,
    SEEN_SLOTS = 1 << 20,
    STATES_MAX = 100000, /* tried, before it is left undecided */
};

static struct action actions[ACTIONS_MAX]; /* by their from_ns */
static uint32_t action_count, must_happen;
static uint64_t sign[ACTIONS_MAX]; /* of each, for the hash of those that have happened */
static bool happened[ACTIONS_MAX];
static uint64_t *seen;
static uint32_t states, best_left;
static bool best[ACTIONS_MAX]; /* what had happened when the fewest were left */

/* ---- from calls to actions ----------------------------------------------- */

static struct action *action_add(uint32_t call, enum action_kind kind)
{
    if (action_count == ACTIONS_MAX)
        sim_fail("more actions than there is room for");
    struct action *action = &actions[action_count++];
    *action = (struct action){
        .kind = kind,
        .call = call,
        .keys = ~0u,
        .from_ns = calls[call].sent_ns,
        .until_ns = calls[call].heard_ns,
    };
    return action;
}

static uint32_t shards_of(const struct op *op)
{
    uint32_t shards = 0;
    if (op->kind == OP_FLUSHALL)
        return ~0u;
    for (uint32_t i = 0; i < op->keys; i++)
        shards |= 1u << key_shard(op->key[i]);
    return shards;
}

static void add_op(uint32_t call)
{
    const struct op *op = calls[call].op;
    uint32_t shards = shards_of(op);
    bool split = (op->kind == OP_MGET || op->kind == OP_DELS) && !sim.profile.strict;
    for (uint32_t shard = 0; shard < 32; shard++) {
        if (!split || !(shards & 1u << shard))
            continue;
        struct action *action = action_add(call, ACTION_OP);
        action->shards = 1u << shard;
        action->keys = 0;
        for (uint32_t i = 0; i < op->keys; i++)
            action->keys |= key_shard(op->key[i]) == shard ? 1u << i : 0;
    }
    if (!split)
        action_add(call, ACTION_OP)->shards = shards;
}

static void add_watch(uint32_t call)
{
    for (uint32_t i = 0; i < calls[call].op->keys; i++) {
        struct action *action = action_add(call, ACTION_WATCH);
        action->keys = i;
        action->shards = ~0u;
    }
}

/* What a client's connection has queued. */
struct queue {
    bool open;
    uint32_t life, count;
    const struct op *op[MODEL_OPS_MAX];
};

static void add_exec(uint32_t call, struct queue *queue)
{
    struct action *action = action_add(call, ACTION_EXEC);
    action->shards = ~0u;
    action->queued_count = queue->count;
    action->queued = sim_alloc(queue->count * sizeof(*action->queued) + 1);
    for (uint32_t i = 0; i < queue->count; i++)
        action->queued[i] = queue->op[i];
    queue->open = false;
}

static bool was_refused(const struct call *call)
{
    return call->heard_ns < INT64_MAX && call->reply.type == '-';
}

static bool replies(const struct call *call, char type, const char *text)
{
    return call->heard_ns == INT64_MAX ||
           (call->reply.type == type && strncmp(call->reply.text, text, strlen(text)) == 0);
}

static void expect(const struct call *call, bool fine)
{
    if (!fine && !was_refused(call))
        sim_fail("the reply of number %u, %s, is %c%.40s", call->op->number,
                 op_name((enum op_kind)call->op->kind), call->reply.type, call->reply.text);
}

static void add_in_queue(uint32_t i, struct queue *queue)
{
    const struct call *call = &calls[i];
    if (call->op->kind == OP_EXEC) {
        add_exec(i, queue);
    } else if (call->op->kind == OP_DISCARD) {
        expect(call, replies(call, '+', "OK"));
        action_add(i, ACTION_FORGET)->shards = ~0u;
        queue->open = false;
    } else if (call->op->kind != OP_WATCH && call->op->kind != OP_MULTI) {
        expect(call, replies(call, '+', "QUEUED"));
        if (!was_refused(call))
            queue->op[queue->count++] = call->op;
    }
}

static void add_call(uint32_t i, struct queue *queue)
{
    const struct call *call = &calls[i];
    switch (call->op->kind) {
    case OP_MULTI:
        expect(call, replies(call, '+', "OK"));
        queue->open = !was_refused(call);
        queue->count = 0;
        break;
    case OP_EXEC:
    case OP_DISCARD:
        expect(call, replies(call, '-', "ERR"));
        break;
    case OP_WATCH:
        expect(call, replies(call, '+', "OK"));
        add_watch(i);
        break;
    case OP_UNWATCH:
        expect(call, replies(call, '+', "OK"));
        action_add(i, ACTION_FORGET)->shards = ~0u;
        break;
    case OP_KILL:
        break; /* whether it was still there nobody knows */
    case OP_PAUSE:
    case OP_UNPAUSE:
    case OP_CONFIG:
        expect(call, replies(call, '+', "OK"));
        break;
    case OP_SHUTDOWN:
        expect(call, call->heard_ns == INT64_MAX);
        break;
    default:
        add_op(i);
    }
}

/* Keys that the client ever watches. */
static uint32_t watched_by(uint32_t client)
{
    uint32_t keys = 0;
    for (uint32_t i = 0; i < action_count; i++)
        if (actions[i].kind == ACTION_WATCH && calls[actions[i].call].client == client)
            keys |= model_keys(&actions[i]);
    return keys;
}

static void actions_make(void)
{
    static struct queue queues[MODEL_CLIENTS];
    struct random random;
    random_seed(&random, 1);
    for (uint32_t i = 0; i < call_count; i++) {
        struct queue *queue = &queues[calls[i].client];
        if (queue->life != calls[i].life)
            *queue = (struct queue){ .life = calls[i].life };
        if (queue->open)
            add_in_queue(i, queue);
        else
            add_call(i, queue);
    }
    for (uint32_t i = 0; i < action_count; i++) {
        actions[i].touches = model_keys(&actions[i]);
        if (actions[i].kind == ACTION_EXEC)
            actions[i].touches |= watched_by(calls[actions[i].call].client);
        sign[i] = random_next(&random);
        must_happen += actions[i].until_ns < INT64_MAX;
    }
}

/* ---- the search ---------------------------------------------------------- */

/* False: it was there. */
static bool remember(uint64_t hash)
{
    uint32_t at = (uint32_t)(hash % SEEN_SLOTS);
    hash |= 1;
    while (seen[at] != 0) {
        if (seen[at] == hash)
            return false;
        at = (at + 1) % SEEN_SLOTS;
    }
    seen[at] = hash;
    return true;
}

/* Of one connection, those on the same shard come in order. (One that was refused without a word
 * never comes.) */
static bool is_before(uint32_t i, uint32_t at)
{
    const struct call *call = &calls[actions[at].call], *other = &calls[actions[i].call];
    if (actions[i].until_ns == INT64_MAX && sim.profile.no_memory > 0)
        return false;
    return i < at && other->client == call->client && other->life == call->life &&
           actions[i].call != actions[at].call && actions[i].shards & actions[at].shards;
}

/* Those that the clock lets come next, and whichever of them is answered first. */
static uint32_t window(uint32_t first, uint32_t *out, uint32_t *pivot)
{
    int64_t until_ns = INT64_MAX;
    uint32_t count = 0, kept = 0;
    for (uint32_t i = first; i < action_count && actions[i].from_ns <= until_ns; i++) {
        if (happened[i])
            continue;
        if (actions[i].until_ns < until_ns) {
            until_ns = actions[i].until_ns;
            *pivot = i;
        }
        out[count++] = i;
    }
    for (uint32_t i = 0; i < count; i++)
        if (actions[out[i]].from_ns <= until_ns)
            out[kept++] = out[i];
    return kept;
}

static bool belongs(uint32_t one, const uint32_t *all, uint32_t count, const bool *in,
                    uint32_t touches)
{
    if (actions[one].touches & touches)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (in[i] && is_before(one, all[i]))
            return true;
    return false;
}

/*
 * Which of them have to be tried: the one that is answered first, those that share a key with it, or
 * have to come before it, and so on. When the others happen makes no difference to these.
 */
static uint32_t candidates(uint32_t first, uint32_t *out)
{
    uint32_t all[ACTIONS_MAX], pivot = first, kept = 0;
    bool in[ACTIONS_MAX], more = true;
    uint32_t count = window(first, all, &pivot), touches = actions[pivot].touches;
    for (uint32_t i = 0; i < count; i++)
        in[i] = all[i] == pivot;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < count; i++) {
            if (in[i] || !belongs(all[i], all, count, in, touches))
                continue;
            in[i] = more = true;
            touches |= actions[all[i]].touches;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        bool free = in[i];
        for (uint32_t k = 0; k < i && free; k++)
            free = !is_before(all[k], all[i]);
        uint32_t at = kept;
        for (; free && at > 0 && actions[out[at - 1]].until_ns > actions[all[i]].until_ns; at--)
            out[at] = out[at - 1];
        if (free) {
            out[at] = all[i];
            kept++;
        }
    }
    return kept;
}

static bool search(const struct state *state, uint32_t first, uint32_t left, uint64_t done);

/* It happens now, with those of its keys dead that the bits say. */
static bool happens(const struct state *state, uint32_t at, uint32_t first, uint32_t left,
                    uint64_t done, uint32_t lost, bool *fits)
{
    struct state after = *state;
    model_expire(&after, &actions[at]);
    *fits = model_run(&after, &actions[at], lost);
    if (!*fits)
        return false;
    happened[at] = true;
    bool found = search(&after, first, left - (actions[at].until_ns < INT64_MAX), done ^ sign[at]);
    happened[at] = false;
    return found;
}

/* In each way that the keys it looks at may have died. True: all else fits, too. */
static bool try_action(const struct state *state, uint32_t at, uint32_t first, uint32_t left,
                       uint64_t done, bool *only)
{
    struct state now = *state;
    model_expire(&now, &actions[at]);
    uint32_t mortal = model_mortal(&now, &actions[at]), lost = 0;
    if (model_may_have_happened(&actions[at]))
        mortal |= MODEL_HAPPENED;
    bool reads = model_only_reads(&actions[at]) && actions[at].until_ns < INT64_MAX &&
                 memcmp(&now, state, sizeof(now)) == 0; /* none of its keys dies by then */
    *only = false;
    do {
        bool fits;
        if (happens(state, at, first, left, done, lost, &fits))
            return true;
        if (fits && reads && lost == 0 && mortal == 0) {
            *only = true; /* a read that fits: no other order is needed */
            return false;
        }
        lost = (lost - mortal) & mortal; /* the next of its subsets */
    } while (lost != 0 && states < STATES_MAX);
    return false;
}

static bool search(const struct state *state, uint32_t first, uint32_t left, uint64_t done)
{
    uint32_t next[ACTIONS_MAX];
    if (left == 0)
        return true;
    if (states >= STATES_MAX || !remember(done ^ model_hash(state)))
        return false;
    states++;
    while (first < action_count && happened[first])
        first++;
    if (left < best_left) {
        best_left = left;
        memcpy(best, happened, sizeof(best));
    }
    uint32_t count = candidates(first, next);
    for (uint32_t pass = 0; pass < 2; pass++) { /* reads first */
        for (uint32_t i = 0; i < count; i++) {
            bool only;
            if (model_only_reads(&actions[next[i]]) != (pass == 0))
                continue;
            if (try_action(state, next[i], first, left, done, &only))
                return true;
            if (only)
                return false;
        }
    }
    return false;
}

/* ---- the verdict --------------------------------------------------------- */

static void tell_call(const struct call *call)
{
    const struct op *op = call->op;
    char line[256];
    int size = snprintf(line, sizeof(line), "client %u  %-9s number %u", call->client,
                        op_name((enum op_kind)op->kind), op->number);
    for (uint32_t i = 0; i < op->keys; i++)
        size += snprintf(line + size, sizeof(line) - (size_t)size, " %s", key_name(op->key[i]));
    if (op->kind == OP_PEXPIRE || op->kind == OP_SETPX)
        snprintf(line + size, sizeof(line) - (size_t)size, " for %u ms", op->ms);
    if (call->heard_ns == INT64_MAX)
        printf("%s  (%.6f, no reply)\n", line, (double)call->sent_ns / 1e6);
    else
        printf("%s  (%.6f to %.6f) %c%.30s", line, (double)call->sent_ns / 1e6,
               (double)call->heard_ns / 1e6, call->reply.type, call->reply.text);
    for (uint32_t i = 0; i < call->reply.count && call->heard_ns < INT64_MAX; i++)
        printf(" [%c%.20s]", call->reply.items[i].type, call->reply.items[i].text);
    if (call->heard_ns < INT64_MAX)
        printf("\n");
}

/* Could all that the call has become be given a place? */
static bool is_placed(uint32_t call)
{
    for (uint32_t i = 0; i < action_count; i++)
        if (actions[i].call == call && !best[i] && actions[i].until_ns < INT64_MAX)
            return false;
    return true;
}

/* What could not be explained, where the best attempt came to its end. */
static void tell_where(void)
{
    enum { SHOWN = 14 };
    uint32_t first = 0;
    while (first < call_count && is_placed(first))
        first++;
    printf("no order of the requests explains the replies; around the first that has no place:\n");
    for (uint32_t i = first > SHOWN ? first - SHOWN : 0; i < call_count && i < first + SHOWN; i++) {
        printf("%s", is_placed(i) ? "  " : "> ");
        tell_call(&calls[i]);
    }
}

void check_history(void)
{
    struct state state;
    memset(&state, 0, sizeof(state));
    actions_make();
    seen = sim_alloc(SEEN_SLOTS * sizeof(*seen));
    best_left = must_happen + 1;
    for (uint32_t i = 0; i < call_count; i++) {
        totals.answered += calls[i].heard_ns < INT64_MAX;
        totals.commits += calls[i].op->kind == OP_EXEC && calls[i].reply.type == '*';
        totals.aborts += calls[i].op->kind == OP_EXEC && calls[i].reply.type == '_';
    }
    totals.calls += call_count;
    totals.actions += action_count;
    bool found = search(&state, 0, must_happen, 0);
    totals.states += states;
    if (found)
        return;
    if (states >= STATES_MAX) {
        totals.undecided++;
        return;
    }
    tell_where();
    sim_fail("the replies are not those of any order of the requests");
}
