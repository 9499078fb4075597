/*
 * buffers.c - reservations for large requests, and how tight replies are.
 */
#include "shoal/conn/buffers.h"

#include "shoal/base/must.h"

#include <stddef.h>

enum {
    FLOOR_PARTS = 4, /* of an equal part are everyone's at any time */
    LOOKED_AT = 64,  /* in line for the request beside the budget, before a turn gives up */
};

uint64_t buffers_part(uint64_t limit_bytes, uint32_t shards, uint64_t own_bytes,
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

uint64_t buffers_level_end(uint64_t limit_bytes, enum buffers_level level)
{
    if (limit_bytes == 0 || level == BUFFERS_FULL)
        return UINT64_MAX;
    return level == BUFFERS_EASY ? limit_bytes / 4 : limit_bytes / 2;
}

enum buffers_level buffers_level(uint64_t limit_bytes, uint64_t reply_bytes)
{
    enum buffers_level level = BUFFERS_EASY;
    while (reply_bytes >= buffers_level_end(limit_bytes, level))
        level++;
    return level;
}

/* ---- the line ------------------------------------------------------------ */

static void line_join(struct buffers *buffers, struct reservation *claim, uint64_t lacking)
{
    claim->lacking = lacking;
    claim->next = NULL;
    claim->prev = buffers->last;
    if (buffers->last != NULL)
        buffers->last->next = claim;
    else
        buffers->first = claim;
    buffers->last = claim;
    buffers->waiting++;
}

static void line_leave(struct buffers *buffers, struct reservation *claim)
{
    must(buffers->waiting > 0 && claim->lacking > 0);
    if (claim->prev != NULL)
        claim->prev->next = claim->next;
    else
        buffers->first = claim->next;
    if (claim->next != NULL)
        claim->next->prev = claim->prev;
    else
        buffers->last = claim->prev;
    claim->prev = claim->next = NULL;
    claim->lacking = 0;
    buffers->waiting--;
}

/* ---- claims -------------------------------------------------------------- */

static uint64_t claimed(const struct reservation *claim)
{
    return claim->allocated + claim->promised;
}

uint64_t buffers_taken(const struct buffers *buffers)
{
    uint64_t all = buffers->request_bytes + buffers->promised_bytes;
    uint64_t beside = buffers->beside != NULL ? claimed(buffers->beside) : buffers->passing_bytes;
    return all > beside ? all - beside : 0;
}

static bool fits(const struct buffers *buffers, uint64_t more)
{
    uint64_t used = buffers_taken(buffers);
    return used <= buffers->part_bytes && more <= buffers->part_bytes - used;
}

static void promise(struct buffers *buffers, struct reservation *claim, uint64_t more)
{
    claim->promised += more;
    buffers->promised_bytes += more;
}

/* By room, or beside the budget if nobody is. */
static bool grant(struct buffers *buffers, struct reservation *claim, uint64_t more)
{
    if (claim != buffers->beside && !fits(buffers, more)) {
        if (buffers->beside != NULL || buffers->passing_bytes > 0)
            return false;
        buffers->beside = claim;
    }
    promise(buffers, claim, more);
    return true;
}

bool buffers_reserve(struct buffers *buffers, struct reservation *claim, uint64_t total)
{
    uint64_t has = claimed(claim);
    if (claim->lacking > 0)
        return false;
    if (total <= has)
        return true;
    bool in_turn = buffers->first == NULL || claim == buffers->beside;
    if (in_turn && grant(buffers, claim, total - has))
        return true;
    line_join(buffers, claim, total - has);
    return false;
}

void buffers_grown(struct buffers *buffers, struct reservation *claim, uint64_t bytes)
{
    uint64_t more = bytes > claim->allocated ? bytes - claim->allocated : 0;
    uint64_t kept = more < claim->promised ? more : claim->promised;
    claim->promised -= kept;
    buffers->promised_bytes -= kept;
    claim->allocated = bytes;
}

bool buffers_settle(struct buffers *buffers, struct reservation *claim)
{
    bool passes = buffers->beside == claim && claim->allocated > 0;
    if (claim->lacking > 0)
        line_leave(buffers, claim);
    if (buffers->beside == claim)
        buffers->beside = NULL;
    if (passes)
        buffers->passing_bytes = claim->allocated;
    must(claim->promised <= buffers->promised_bytes);
    buffers->promised_bytes -= claim->promised;
    claim->promised = claim->allocated = 0;
    return passes;
}

void buffers_waive(struct buffers *buffers, struct reservation *claim)
{
    if (buffers->beside == claim)
        buffers->beside = NULL;
    buffers->promised_bytes -= claim->promised;
    claim->promised = 0;
}

void buffers_passed(struct buffers *buffers)
{
    buffers->passing_bytes = 0;
}

/* In order, except that who could not fit into an empty budget lets others pass until it can be the
 * one beside. */
struct reservation *buffers_next(struct buffers *buffers)
{
    struct reservation *claim = buffers->first;
    for (int i = 0; claim != NULL && i < LOOKED_AT; i++, claim = claim->next) {
        uint64_t lacking = claim->lacking;
        if (grant(buffers, claim, lacking)) {
            line_leave(buffers, claim);
            return claim;
        }
        if (claimed(claim) + lacking <= buffers->part_bytes)
            return NULL;
    }
    return NULL;
}
