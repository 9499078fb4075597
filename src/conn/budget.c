/*
 * budget.c - reservations for large requests, and how tight replies are.
 */
#include "shoal/conn/budget.h"

#include "shoal/base/must.h"

#include <stddef.h>

enum {
    FLOOR_PARTS = 4, /* of an equal part are everyone's at any time */
    LOOKED_AT = 64,  /* in line for the request beside the budget, before a turn gives up */
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

static void line_join(struct budget *budget, struct reservation *claim, uint64_t needed)
{
    claim->needed = needed;
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
    claim->prev = claim->next = NULL;
    claim->needed = 0;
    budget->waiting--;
}

/* ---- claims -------------------------------------------------------------- */

static uint64_t claimed(const struct reservation *claim)
{
    return claim->allocated + claim->promised;
}

uint64_t budget_taken(const struct budget *budget)
{
    uint64_t all = budget->request_bytes + budget->promised_bytes;
    uint64_t beside =
        budget->oversize != NULL ? claimed(budget->oversize) : budget->oversize_left_bytes;
    return all > beside ? all - beside : 0;
}

static bool fits(const struct budget *budget, uint64_t more)
{
    uint64_t used = budget_taken(budget);
    return used <= budget->part_bytes && more <= budget->part_bytes - used;
}

static void promise(struct budget *budget, struct reservation *claim, uint64_t more)
{
    claim->promised += more;
    budget->promised_bytes += more;
}

/* Out of the budget, or beside it if no other reservation is. */
static bool grant(struct budget *budget, struct reservation *claim, uint64_t more)
{
    if (claim != budget->oversize && !fits(budget, more)) {
        if (budget->oversize != NULL || budget->oversize_left_bytes > 0)
            return false;
        budget->oversize = claim;
    }
    promise(budget, claim, more);
    return true;
}

bool budget_reserve(struct budget *budget, struct reservation *claim, uint64_t total)
{
    uint64_t has = claimed(claim);
    if (claim->needed > 0)
        return false;
    if (total <= has)
        return true;
    bool in_turn = budget->first == NULL || claim == budget->oversize;
    if (in_turn && grant(budget, claim, total - has))
        return true;
    line_join(budget, claim, total - has);
    return false;
}

void budget_grown(struct budget *budget, struct reservation *claim, uint64_t bytes)
{
    uint64_t more = bytes > claim->allocated ? bytes - claim->allocated : 0;
    uint64_t kept = more < claim->promised ? more : claim->promised;
    claim->promised -= kept;
    budget->promised_bytes -= kept;
    claim->allocated = bytes;
}

bool budget_release(struct budget *budget, struct reservation *claim)
{
    bool passes = budget->oversize == claim && claim->allocated > 0;
    if (claim->needed > 0)
        line_leave(budget, claim);
    if (budget->oversize == claim)
        budget->oversize = NULL;
    if (passes)
        budget->oversize_left_bytes = claim->allocated;
    must(claim->promised <= budget->promised_bytes);
    budget->promised_bytes -= claim->promised;
    claim->promised = claim->allocated = 0;
    return passes;
}

void budget_cancel(struct budget *budget, struct reservation *claim)
{
    if (budget->oversize == claim)
        budget->oversize = NULL;
    budget->promised_bytes -= claim->promised;
    claim->promised = 0;
}

void budget_passed(struct budget *budget)
{
    budget->oversize_left_bytes = 0;
}

/* In order, except that a reservation which could not fit into an empty budget lets others pass
 * until it can be the one beside it. */
struct reservation *budget_next(struct budget *budget)
{
    struct reservation *claim = budget->first;
    for (int i = 0; claim != NULL && i < LOOKED_AT; i++, claim = claim->next) {
        uint64_t needed = claim->needed;
        if (grant(budget, claim, needed)) {
            line_leave(budget, claim);
            return claim;
        }
        if (claimed(claim) + needed <= budget->part_bytes)
            return NULL;
    }
    return NULL;
}
