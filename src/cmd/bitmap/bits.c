/*
 * bits.c - strings as bitmaps: SETBIT, GETBIT, BITCOUNT, BITPOS.
 *
 * Bit 0 is the highest bit of the first byte. Ranges are turned into bits whatever unit they were
 * given in, so counting and searching know one kind only.
 */
#include "shoal/cmd/bitmap/bits.h"

#include "shoal/base/minmax.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

enum { BYTE_MAX = 0xff, WORD_BYTES = 8 };

/* Inclusive on both sides; empty when first > last. */
struct bit_range {
    int64_t first, last;
};

bool bits_offset_ok(const struct exec *exec, int64_t offset)
{
    return offset >= 0 && (uint64_t)offset / 8 < exec_limits(exec)->value_bytes_max;
}

bool bits_offset_parse(struct exec *exec, struct bytes text, int64_t *offset)
{
    if (number_parse_i64(text, offset) && bits_offset_ok(exec, *offset))
        return true;
    reply_error(exec->reply, ERR_BIT_OFFSET);
    return false;
}

/* ---- one bit ------------------------------------------------------------- */

static bool bit_value_parse(struct exec *exec, struct bytes text, bool *bit)
{
    int64_t value;
    if (!number_parse_i64(text, &value) || (value & ~INT64_C(1)) != 0) {
        reply_error(exec->reply, "ERR bit is not an integer or out of range");
        return false;
    }
    *bit = value == 1;
    return true;
}

/* Writes the bit, making room for it. Where it is there already nothing changes, to WATCH neither;
 * only a short text is called raw from its first SETBIT on in any case, as in Redis. */
static bool put_bit(struct exec *exec, struct item *item, int64_t offset, bool bit)
{
    char scratch[INT64_TEXT_MAX];
    struct bytes text = value_or_empty(item, scratch);
    size_t needed = bits_size(offset);
    if (text.size >= needed && bits_at(text, offset) == bit) {
        item_mark_resized(item);
        return true;
    }
    if (!value_reserve(exec, &item, max(needed, text.size)))
        return false;
    char *data = keyspace_resize(exec->keyspace, exec_key(exec), max(needed, value_size(item)));
    if (data == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return false;
    }
    bits_put(data, offset, bit);
    return true;
}

static void setbit_command(struct exec *exec)
{
    char scratch[INT64_TEXT_MAX];
    int64_t offset;
    bool bit;
    if (!bits_offset_parse(exec, exec_arg(exec, 2), &offset) ||
        !bit_value_parse(exec, exec_arg(exec, 3), &bit))
        return;
    struct item *item;
    if (!exec_find(exec, TYPE_STRING, &item))
        return;
    bool old = bits_at(value_or_empty(item, scratch), offset);
    if (put_bit(exec, item, offset, bit))
        reply_int(exec->reply, old);
}

static void getbit_command(struct exec *exec)
{
    char scratch[INT64_TEXT_MAX];
    int64_t offset;
    if (!bits_offset_parse(exec, exec_arg(exec, 2), &offset))
        return;
    struct item *item;
    if (exec_read(exec, TYPE_STRING, &item))
        reply_int(exec->reply, bits_at(value_or_empty(item, scratch), offset));
}

/* ---- ranges -------------------------------------------------------------- */

/* BYTE or BIT. False: the error is replied. */
static bool unit_parse(struct exec *exec, struct bytes word, bool *in_bits)
{
    *in_bits = bytes_is(word, "bit");
    if (*in_bits || bytes_is(word, "byte"))
        return true;
    reply_error(exec->reply, ERR_SYNTAX);
    return false;
}

static bool bound_parse(struct exec *exec, struct bytes text, int64_t *bound)
{
    if (number_parse_i64(text, bound))
        return true;
    reply_error(exec->reply, ERR_NOT_INTEGER);
    return false;
}

/* Negative bounds count from the end. */
static struct bit_range clamp(int64_t start, int64_t end, size_t size, bool in_bits)
{
    int64_t total = (int64_t)size * (in_bits ? 8 : 1);
    start = start < 0 ? start + total : start;
    end = end < 0 ? end + total : end;
    start = start < 0 ? 0 : start;
    end = end < 0 ? 0 : end;
    end = end >= total ? total - 1 : end;
    if (start > end)
        return (struct bit_range){ .first = 0, .last = -1 };
    if (in_bits)
        return (struct bit_range){ .first = start, .last = end };
    return (struct bit_range){ .first = start * 8, .last = end * 8 + 7 };
}

/* The byte's bits that lie in the range, each turned over where `flip` has one. */
static unsigned byte_in_range(const uint8_t *data, struct bit_range range, int64_t byte,
                              uint8_t flip)
{
    unsigned bits = (unsigned)data[byte] ^ flip;
    if (byte == range.first / 8)
        bits &= BYTE_MAX >> range.first % 8;
    if (byte == range.last / 8)
        bits &= BYTE_MAX << (7 - range.last % 8);
    return bits & BYTE_MAX;
}

static int64_t count_bytes(const uint8_t *data, int64_t size)
{
    int64_t count = 0;
    for (; size >= WORD_BYTES; size -= WORD_BYTES, data += WORD_BYTES) {
        uint64_t word;
        memcpy(&word, data, sizeof(word));
        count += __builtin_popcountll(word);
    }
    for (; size > 0; size--)
        count += __builtin_popcount(*data++);
    return count;
}

static int64_t count_range(struct bytes text, struct bit_range range)
{
    const uint8_t *data = (const uint8_t *)text.data;
    if (range.first > range.last)
        return 0;
    int64_t from = range.first / 8, to = range.last / 8;
    int64_t count = __builtin_popcount(byte_in_range(data, range, from, 0));
    if (from == to)
        return count;
    return count + count_bytes(data + from + 1, to - from - 1) +
           __builtin_popcount(byte_in_range(data, range, to, 0));
}

/* The first byte from `from` on that is not `filler`; `to` when all before it are. */
static int64_t skip_bytes(const uint8_t *data, int64_t from, int64_t to, uint8_t filler)
{
    uint64_t word, fillers;
    memset(&fillers, filler, sizeof(fillers));
    for (; to - from >= WORD_BYTES; from += WORD_BYTES) {
        memcpy(&word, data + from, sizeof(word));
        if (word != fillers)
            break;
    }
    while (from < to && data[from] == filler)
        from++;
    return from;
}

/* Offset of the first `bit` in the range, -1 when there is none. */
static int64_t find_in_range(struct bytes text, struct bit_range range, bool bit)
{
    const uint8_t *data = (const uint8_t *)text.data;
    uint8_t flip = bit ? 0 : BYTE_MAX;
    if (range.first > range.last)
        return -1;
    int64_t byte = range.first / 8, to = range.last / 8;
    unsigned found = byte_in_range(data, range, byte, flip);
    if (found == 0 && byte < to) {
        byte = skip_bytes(data, byte + 1, to, flip);
        found = byte_in_range(data, range, byte, flip);
    }
    return found == 0 ? -1 : byte * 8 + __builtin_clz(found) - (int)(sizeof(found) * 8 - 8);
}

/*
 * BITCOUNT key [start end [BYTE | BIT]]. As in Redis a missing key is 0 whatever follows, and two
 * negative bounds that cross are 0 even where the unit is no word.
 */
static void bitcount_command(struct exec *exec)
{
    char scratch[INT64_TEXT_MAX];
    int64_t start = 0, end = -1;
    bool in_bits = false;
    uint32_t count = exec->args.count;
    struct item *item;
    if (!exec_read(exec, TYPE_STRING, &item))
        return;
    if (item == NULL) {
        reply_int(exec->reply, 0);
        return;
    }
    if (count == 3 || count > 5) {
        reply_error(exec->reply, ERR_SYNTAX);
        return;
    }
    if (count >= 4 && (!bound_parse(exec, exec_arg(exec, 2), &start) ||
                       !bound_parse(exec, exec_arg(exec, 3), &end)))
        return;
    bool crossed = start < 0 && end < 0 && start > end;
    if (!crossed && count == 5 && !unit_parse(exec, exec_arg(exec, 4), &in_bits))
        return;
    struct bytes text = item_value(item, scratch);
    reply_int(exec->reply, crossed ? 0 : count_range(text, clamp(start, end, text.size, in_bits)));
}

/* The bit that BITPOS looks for. */
static bool sought_parse(struct exec *exec, bool *bit)
{
    int64_t value;
    if (!bound_parse(exec, exec_arg(exec, 2), &value))
        return false;
    *bit = value == 1;
    if (value == 0 || value == 1)
        return true;
    reply_error(exec->reply, "ERR The bit argument must be 1 or 0.");
    return false;
}

/* [start [end [BYTE | BIT]]] of BITPOS, read in the order in which Redis complains. */
static bool bitpos_range_parse(struct exec *exec, size_t size, struct bit_range *range)
{
    int64_t start = 0, end = -1;
    bool in_bits = false;
    uint32_t count = exec->args.count;
    if (count > 6) {
        reply_error(exec->reply, ERR_SYNTAX);
        return false;
    }
    if ((count > 3 && !bound_parse(exec, exec_arg(exec, 3), &start)) ||
        (count > 5 && !unit_parse(exec, exec_arg(exec, 5), &in_bits)) ||
        (count > 4 && !bound_parse(exec, exec_arg(exec, 4), &end)))
        return false;
    *range = clamp(start, end, size, in_bits);
    return true;
}

/*
 * BITPOS key bit [start [end [BYTE | BIT]]]. Beyond the string are zeros without an end: a clear
 * bit is found there unless the range ends where it was told to.
 */
static void bitpos_command(struct exec *exec)
{
    char scratch[INT64_TEXT_MAX];
    struct bit_range range;
    bool bit;
    if (!sought_parse(exec, &bit))
        return;
    struct item *item;
    if (!exec_read(exec, TYPE_STRING, &item))
        return;
    if (item == NULL) {
        reply_int(exec->reply, bit ? -1 : 0);
        return;
    }
    struct bytes text = item_value(item, scratch);
    if (!bitpos_range_parse(exec, text.size, &range))
        return;
    int64_t at = find_in_range(text, range, bit);
    bool open = exec->args.count < 5 && range.first <= range.last;
    reply_int(exec->reply, at < 0 && !bit && open ? (int64_t)text.size * 8 : at);
}

/* clang-format off */
const struct command bits_commands[] = {
    { .name = "setbit", .arity = 4, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = setbit_command,
      .group = "bitmap", .since = "2.2.0", .complexity = "O(1)",
      .syntax = "key offset value",
      .summary = "Sets or clears a bit of a string, zero-filled up to it; returns the old bit." },
    { .name = "getbit", .arity = 3, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = getbit_command,
      .group = "bitmap", .since = "2.2.0", .complexity = "O(1)",
      .syntax = "key offset",
      .summary = "Returns a bit of a string, 0 beyond its end." },
    { .name = "bitcount", .arity = -2, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = bitcount_command,
      .group = "bitmap", .since = "2.6.0", .complexity = "O(N) where N is the length of the range",
      .syntax = "key [start end [BYTE | BIT]]",
      .summary = "Counts the bits that are set in a string or in a range of it." },
    { .name = "bitpos", .arity = -3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = bitpos_command,
      .group = "bitmap", .since = "2.8.7", .complexity = "O(N) where N is the length of the range",
      .syntax = "key bit [start [end [BYTE | BIT]]]",
      .summary = "Finds the first bit that is set, or clear, in a string or in a range of it." },
    { 0 },
};
/* clang-format on */
