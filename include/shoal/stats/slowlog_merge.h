/*
 * slowlog_merge.h - the slow logs of several reactors as one: entries in encoded form, newest
 * first.
 */
#ifndef SHOAL_STATS_SLOWLOG_MERGE_H
#define SHOAL_STATS_SLOWLOG_MERGE_H

#include "shoal/base/bytes.h"
#include "shoal/proto/proto.h"

/* The id of an entry as slowlog_reply() encodes it: an array whose first value is an integer.
 * Thread: any. */
int64_t slowlog_entry_id(struct bytes entry, enum proto proto);

#endif
