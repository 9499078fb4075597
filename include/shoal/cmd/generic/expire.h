/*
 * expire.h - when a key is to expire: the times that SET, GETEX and the EXPIRE family take.
 *
 * All become milliseconds of clock_now_ms(), what the item holds. Wall-clock times go through
 * base/clock.h. Thread: owner.
 */
#ifndef SHOAL_CMD_GENERIC_EXPIRE_H
#define SHOAL_CMD_GENERIC_EXPIRE_H

#include "shoal/cmd/command.h"

enum expire_unit {
    EXPIRE_S,       /* EX, EXPIRE */
    EXPIRE_MS,      /* PX, PEXPIRE */
    EXPIRE_WALL_S,  /* EXAT, EXPIREAT */
    EXPIRE_WALL_MS, /* PXAT, PEXPIREAT */
};

/*
 * Reads a time, and applies max-ttl and ttl-jitter to it.
 *
 *   *expire_ms  at least 1, since 0 means "never" to an item; it may be in the past
 *   returns     false when the text is no integer or the sum overflows: the error is replied
 */
bool expire_parse(struct exec *exec, struct bytes text, enum expire_unit unit, int64_t *expire_ms);

/* The same for SET and GETEX, which also refuse 0 and negative times. */
bool expire_parse_positive(struct exec *exec, struct bytes text, enum expire_unit unit,
                           int64_t *expire_ms);

#endif
