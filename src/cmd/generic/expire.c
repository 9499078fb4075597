/*
 * expire.c - reads expiry times, with Redis's limits: the conversion to milliseconds and the sum
 * with the present must both fit 64 bits.
 */
#include "shoal/cmd/generic/expire.h"

#include "shoal/base/clock.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"

static bool to_expire_ms(const struct exec *exec, int64_t time, enum expire_unit unit,
                         int64_t *expire_ms)
{
    if ((unit == EXPIRE_S || unit == EXPIRE_WALL_S) && __builtin_mul_overflow(time, 1000, &time))
        return false;
    if (unit == EXPIRE_WALL_S || unit == EXPIRE_WALL_MS)
        time = clock_from_wall(time);
    else if (__builtin_add_overflow(time, exec->keyspace->now_ms, &time))
        return false;
    *expire_ms = time > 0 ? time : 1;
    return true;
}

static bool parse(struct exec *exec, struct bytes text, enum expire_unit unit, int64_t min,
                  int64_t *expire_ms)
{
    int64_t time;
    if (!number_parse_i64(text, &time)) {
        reply_error(exec->reply, ERR_NOT_INTEGER);
        return false;
    }
    if (time < min || !to_expire_ms(exec, time, unit, expire_ms)) {
        reply_invalid_expire(exec->reply, exec->command);
        return false;
    }
    *expire_ms = keyspace_explicit_expire(exec->keyspace, *expire_ms);
    return true;
}

bool expire_parse(struct exec *exec, struct bytes text, enum expire_unit unit, int64_t *expire_ms)
{
    return parse(exec, text, unit, INT64_MIN, expire_ms);
}

bool expire_parse_positive(struct exec *exec, struct bytes text, enum expire_unit unit,
                           int64_t *expire_ms)
{
    return parse(exec, text, unit, 1, expire_ms);
}
