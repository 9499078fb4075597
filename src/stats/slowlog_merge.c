/*
 * slowlog_merge.c - reading the id back from an encoded entry.
 */
#include "shoal/stats/slowlog_merge.h"

#include "shoal/base/must.h"
#include "shoal/base/number.h"

enum { NATIVE_ID_AT = 6 }; /* type and count of the array, type of the integer */

int64_t slowlog_entry_id(struct bytes entry, enum proto proto)
{
    int64_t id = 0;
    if (proto == PROTO_NATIVE) {
        must(entry.size >= NATIVE_ID_AT + sizeof(id));
        memcpy(&id, entry.data + NATIVE_ID_AT, sizeof(id));
        return id;
    }
    const char *number = memchr(entry.data, ':', entry.size);
    must(number != NULL);
    number++;
    const char *end = memchr(number, '\r', entry.size - (size_t)(number - entry.data));
    must(end != NULL && number_parse_i64(bytes_of(number, (size_t)(end - number)), &id));
    return id;
}
