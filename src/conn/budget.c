/*
 * budget.c - reservations for large requests, and how tight replies are.
 */
#include "shoal/conn/budget.h"

#include "shoal/base/must.h"

#include <stddef.h>

enum {
    FLOOR_PARTS = 4, /* of an equal part are everyone's at any time */
    LOOKED_AT = 64,  /* in line behind one that can never fit, before a turn gives up */
};

uint64_t budget_part(uint64_t limit_bytes, uint32_t shards, uint64_t own_bytes,
                     uint64_t total_bytes)
{
    uint64_t half = limit_bytes / 2, floor = half / shards / FLOOR_PARTS;
    if (limit_bytes == 0)
        return UINT64_MAX;
    if (shards == 1)
        return half;
    uint64_t part = own_bytes;
    if (total_bytes <= half)
        part += (half - total_bytes) / shards;
    else
        part -=
            (uint64_t)((double)(total_bytes - half) * ((double)own_bytes / (double)total_bytes));
    return part > floor ? part : floor;
}

/* The size of all replies from which on the next level holds; UINT64_MAX: it never does. */
static uint64_t budget_level_end(uint64_t limit_bytes, enum budget_level level)
{
    if (limit_bytes == 0 || level == BUDGET_FULL)
        return UINT64_MAX;
    return level == BUDGET_EASY ? limit_bytes / 4 : limit_bytes / 2;
}

enum budget_level budget_level(uint64_t limit_bytes, uint64_t reply_bytes)
{
    enum budget_level level = BUDGET_EASY;
    while (reply_bytes >= budget_level_end(limit_bytes, level))
        level++;
    return level;
}

/* ---- the line ------------------------------------------------------------ */

static void line_join(struct budget *budget, struct reservation *claim)
{
    claim->next = NULL;
    claim->prev = budget->last;
    if (budget->last != NULL)
        budget->last->next = claim;
    else
        budget->first = claim;
    budget->last = claim;
    budget->waiting++;
}

static void line_leave(struct budget *budget, struct reservation *claim)
{
    must(budget->waiting > 0 && claim->needed > 0);
    if (claim->prev != NULL)
        claim->prev->next = claim->next;
    else
        budget->first = claim->next;
    if (claim->next != NULL)
        claim->next->prev = claim->prev;
    else
        budget->last = claim->prev;
    if (budget->looked == claim)
        budget->looked = claim->next;
    claim->prev = claim->next = NULL;
    claim->needed = 0;
    budget->waiting--;
}

/* ---- claims -------------------------------------------------------------- */

uint64_t budget_request_bytes(const struct budget *budget)
{
    uint64_t all = 0;
    for (int share = 0; share < BUDGET_SHARES; share++)
        all += budget->taken[share];
    return all - budget->promised_bytes;
}

static bool fits(uint64_t most, uint64_t taken, uint64_t more)
{
    return taken <= most && more <= most - taken;
}

static void promise(struct budget *budget, struct reservation *claim, uint64_t more)
{
    claim->promised += more;
    budget->promised_bytes += more;
    budget->taken[claim->share] += more;
}

static void promise_less(struct budget *budget, struct reservation *claim, uint64_t less)
{
    must(less <= claim->promised && less <= budget->taken[claim->share]);
    claim->promised -= less;
    budget->promised_bytes -= less;
    budget->taken[claim->share] -= less;
}

/* What it has allocated is its owner's to move. */
static void move_promise(struct budget *budget, struct reservation *claim, enum budget_share share)
{
    uint64_t promised = claim->promised;
    promise_less(budget, claim, promised);
    claim->share = share;
    promise(budget, claim, promised);
}

/* Out of the part, or beside it if no other request is. */
static bool grant(struct budget *budget, struct reservation *claim, uint64_t more)
{
    uint64_t taken = budget->taken[BUDGET_PART];
    if (claim->share == BUDGET_PART && !fits(budget->part_bytes, taken, more)) {
        if (budget->taken[BUDGET_BESIDE] > 0)
            return false;
        move_promise(budget, claim, BUDGET_BESIDE);
    }
    promise(budget, claim, more);
    return true;
}

bool budget_reserve(struct budget *budget, struct reservation *claim, uint64_t has, uint64_t total)
{
    if (claim->needed > 0)
        return false;
    if (total <= has + claim->promised)
        return true;
    uint64_t more = total - has - claim->promised;
    bool in_turn = budget->first == NULL || claim->share != BUDGET_PART;
    if (in_turn && grant(budget, claim, more))
        return true;
    claim->needed = more;
    claim->total = total;
    line_join(budget, claim);
    return false;
}

void budget_used(struct budget *budget, struct reservation *claim, uint64_t bytes)
{
    promise_less(budget, claim, bytes < claim->promised ? bytes : claim->promised);
}

void budget_cancel(struct budget *budget, struct reservation *claim)
{
    promise_less(budget, claim, claim->promised);
    claim->share = BUDGET_PART;
}

void budget_release(struct budget *budget, struct reservation *claim)
{
    if (claim->needed > 0)
        line_leave(budget, claim);
    budget_cancel(budget, claim);
}

/* In order, except that a reservation which could not fit into an empty budget lets others pass
 * until it can be the one beside it. */
struct reservation *budget_next(struct budget *budget)
{
    struct reservation *claim = budget->first;
    for (int i = 0; claim != NULL && i < LOOKED_AT; i++, claim = claim->next) {
        if (grant(budget, claim, claim->needed)) {
            line_leave(budget, claim);
            return claim;
        }
        if (claim->total <= budget->part_bytes)
            return NULL;
    }
    return NULL;
}

struct reservation *budget_look(struct budget *budget)
{
    struct reservation *claim = budget->looked != NULL ? budget->looked : budget->first;
    budget->looked = claim != NULL ? claim->next : NULL;
    return claim;
}

bool budget_let_in(struct budget *budget, struct reservation *claim, uint64_t has, uint64_t total)
{
    must(claim->needed > 0);
    if (!fits(BUDGET_WHOLE_BYTES, budget->taken[BUDGET_WHOLE], total))
        return false;
    line_leave(budget, claim);
    move_promise(budget, claim, BUDGET_WHOLE);
    if (total > has + claim->promised)
        promise(budget, claim, total - has - claim->promised);
    return true;
}
