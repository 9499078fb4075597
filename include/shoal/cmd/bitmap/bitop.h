/*
 * bitop.h - BITOP on values that are at hand, wherever they come from. Thread: owner of the
 * destination.
 */
#ifndef SHOAL_CMD_BITMAP_BITOP_H
#define SHOAL_CMD_BITMAP_BITOP_H

#include "shoal/cmd/command.h"

/*
 * Stores under the command's destination what its operation makes of the operands, in the order of
 * its keys; a missing key has no bytes. Replies the length, or an error. No operand may lie in the
 * keyspace unless room for the result has been reserved; one may be the destination's own value.
 */
void bitop_store(struct exec *exec, const struct bytes *operands, uint32_t count);

#endif
