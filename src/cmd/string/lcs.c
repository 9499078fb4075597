/*
 * lcs.c - LCS: the longest common subsequence of two strings, its length, or where it lies.
 *
 * The usual table has in cell (r, c) the length for the first r bytes of one string and the first c
 * of the other. Neighbours differ by 0 or 1, so a row is a string of bits, a 0 where the length
 * grows, and 64 columns of a row are made from those of the row above by one addition. The shorter
 * string has the rows. Stripes of 64 columns are filled one after the other:
 *
 *        border 0     border 1     border 2       a border has a bit for each row: 1 where the
 *          |  stripe 0  |  stripe 1  |            length there is one more than in the row above
 *   row 1  |  64 bits   |  64 bits   |
 *   row 2  |  64 bits   |  64 bits   |
 *
 * The borders are kept, which take 1/512 byte a cell. The way back from the last cell gives the
 * subsequence, last byte first; it fills each stripe once more from its left border.
 *
 * Time grows with the product of both lengths. It is bounded where Redis bounds the memory of its
 * table, which is two million steps here, and as many again for the way back. Memory is less than
 * 1 MB for two values of a like size, and 3 MB at most.
 *
 * source   the step of a row: H. Hyyro, "Bit-parallel LCS-length computation revisited" (AWOCA
 *          2004); keeping borders: D. Hirschberg's idea of computing twice (CACM 1975)
 */
#include <stdlib.h>

#include "shoal/base/number.h"
#include "shoal/cmd/combine.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

#define ERR_NOT_STRINGS "ERR The specified keys must contain string values"

enum {
    LCS_CELLS_MAX = VALUE_BYTES_MAX / 4, /* in Redis: proto-max-bulk-len, of 4 bytes a cell */
    STRIPE = 64,
    GROUP = 8, /* rows, one byte of a border */
};

struct lcs_options {
    bool idx, len, with_match_len;
    int64_t match_len_min;
};

struct lcs {
    struct bytes a, b;
    struct bytes rows, columns; /* a and b, or b and a */
    bool rows_are_a;
    uint32_t length;     /* of the subsequence */
    size_t border_bytes; /* of one border */
    uint8_t *borders;    /* one after the other; in place of all a single one for LEN alone */
    uint64_t *bits;      /* the stripe in hand: [r] are those of row r, 0 to rows.size */
    size_t stripe;       /* which one that is */
};

/* Bytes that are in both, side by side: a[a_first ...] and b[b_first ...]. */
struct match {
    size_t a_first, b_first, size;
};

/* ---- arguments ----------------------------------------------------------- */

static bool option_parse(struct exec *exec, uint32_t *at, struct lcs_options *options)
{
    struct bytes word = exec_arg(exec, *at);
    if (bytes_is(word, "idx")) {
        options->idx = true;
    } else if (bytes_is(word, "len")) {
        options->len = true;
    } else if (bytes_is(word, "withmatchlen")) {
        options->with_match_len = true;
    } else if (bytes_is(word, "minmatchlen") && *at + 1 < exec->args.count) {
        if (!number_parse_i64(exec_arg(exec, ++*at), &options->match_len_min)) {
            reply_error(exec->reply, ERR_NOT_INTEGER);
            return false;
        }
    } else {
        reply_error(exec->reply, ERR_SYNTAX);
        return false;
    }
    return true;
}

static bool options_parse(struct exec *exec, struct lcs_options *options)
{
    *options = (struct lcs_options){ 0 };
    for (uint32_t at = 3; at < exec->args.count; at++) {
        if (!option_parse(exec, &at, options))
            return false;
    }
    if (!options->idx || !options->len)
        return true;
    reply_error(exec->reply, "ERR If you want both the length and indexes, please just use IDX.");
    return false;
}

/* ---- the table ----------------------------------------------------------- */

static size_t stripe_count(const struct lcs *lcs)
{
    return (lcs->columns.size + STRIPE - 1) / STRIPE;
}

static struct bytes stripe_columns(const struct lcs *lcs, size_t stripe)
{
    size_t first = stripe * STRIPE, left = lcs->columns.size - first;
    return bytes_of(lcs->columns.data + first, left < STRIPE ? left : STRIPE);
}

/* One row further: `bits` of the row above, `equal` the columns with the row's byte, `carry` from
 * the border on the left to that on the right. */
static inline uint64_t row_step(uint64_t bits, uint64_t equal, unsigned *carry)
{
    unsigned long long sum;
    bool over = __builtin_add_overflow(bits, bits & equal, &sum);
    over |= __builtin_add_overflow(sum, *carry, &sum);
    *carry = over;
    return sum | (bits & ~equal);
}

/* Fills `rows` rows of a stripe from the border `in`, and its right border `out`, which may be the
 * same. Its rows go to `kept` unless that is NULL. Returns those of the last row. */
static uint64_t stripe_fill(const struct lcs *lcs, size_t stripe, size_t rows, const uint8_t *in,
                            uint8_t *out, uint64_t *kept)
{
    uint64_t equal[256] = { 0 }, bits = ~0ull;
    struct bytes columns = stripe_columns(lcs, stripe);
    const unsigned char *text = (const unsigned char *)lcs->rows.data;
    for (size_t i = 0; i < columns.size; i++)
        equal[(unsigned char)columns.data[i]] |= 1ull << i;
    for (size_t first = 0; first < rows; first += GROUP) {
        unsigned carries = in[first / GROUP], passed = 0;
        for (unsigned k = 0; k < GROUP && first + k < rows; k++) {
            unsigned carry = carries >> k & 1;
            bits = row_step(bits, equal[text[first + k]], &carry);
            passed |= carry << k;
            if (kept != NULL)
                kept[first + k + 1] = bits;
        }
        out[first / GROUP] = (uint8_t)passed;
    }
    return bits;
}

static uint8_t *border(const struct lcs *lcs, size_t stripe)
{
    return lcs->bits != NULL ? lcs->borders + stripe * lcs->border_bytes : lcs->borders;
}

static void lcs_fill(struct lcs *lcs)
{
    for (size_t stripe = 0; stripe < stripe_count(lcs); stripe++) {
        uint64_t last = stripe_fill(lcs, stripe, lcs->rows.size, border(lcs, stripe),
                                    border(lcs, stripe + 1), NULL);
        lcs->length += (uint32_t)__builtin_popcountll(~last);
    }
}

static void lcs_fini(struct lcs *lcs)
{
    free(lcs->borders);
    free(lcs->bits);
}

/* False: the error is replied. The first border is 0, hence calloc. */
static bool lcs_init(struct exec *exec, struct lcs *lcs, struct bytes a, struct bytes b,
                     bool way_back)
{
    bool rows_are_a = a.size <= b.size;
    struct bytes rows = rows_are_a ? a : b, columns = rows_are_a ? b : a;
    *lcs = (struct lcs){ .a = a, .b = b, .rows = rows, .columns = columns };
    lcs->rows_are_a = rows_are_a;
    /* no overflow: both are at most VALUE_BYTES_MAX */
    if ((a.size + 1) * (b.size + 1) > LCS_CELLS_MAX) {
        reply_errorf(exec->reply,
                     "ERR LCS of values of %zu and %zu bytes would take too long, their product "
                     "is limited to %d",
                     a.size, b.size, LCS_CELLS_MAX);
        return false;
    }
    lcs->border_bytes = rows.size / GROUP + 1;
    lcs->borders = calloc(way_back ? stripe_count(lcs) + 1 : 1, lcs->border_bytes);
    lcs->stripe = SIZE_MAX;
    if (way_back)
        lcs->bits = malloc((rows.size + 1) * sizeof(*lcs->bits));
    if (lcs->borders == NULL || (way_back && lcs->bits == NULL)) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        lcs_fini(lcs);
        return false;
    }
    lcs_fill(lcs);
    return true;
}

/* ---- the way back -------------------------------------------------------- */

/* The stripe's bits up to row `row`: the way back does not come to those below it again. */
static void stripe_recall(struct lcs *lcs, size_t stripe, size_t row)
{
    if (stripe == lcs->stripe)
        return;
    lcs->stripe = stripe;
    lcs->bits[0] = ~0ull;
    stripe_fill(lcs, stripe, row, border(lcs, stripe), border(lcs, stripe + 1), lcs->bits);
}

/* By how much the length in cell (row, column) exceeds that in the column before: 0 or 1. */
static unsigned more_than_before(struct lcs *lcs, size_t row, size_t column)
{
    stripe_recall(lcs, (column - 1) / STRIPE, row);
    return (unsigned)(~lcs->bits[row] >> (column - 1) % STRIPE & 1);
}

/* The same of the row above. */
static unsigned more_than_above(struct lcs *lcs, size_t row, size_t column)
{
    size_t stripe = (column - 1) / STRIPE;
    stripe_recall(lcs, stripe, row);
    uint64_t columns = ~0ull >> (STRIPE - 1 - (column - 1) % STRIPE);
    int within = __builtin_popcountll(~lcs->bits[row] & columns) -
                 __builtin_popcountll(~lcs->bits[row - 1] & columns);
    unsigned at_border = border(lcs, stripe)[(row - 1) / GROUP] >> (row - 1) % GROUP & 1;
    return at_border + (unsigned)within;
}

/* Of two ways back that are equally good Redis takes the one that shortens b, so a is shortened
 * only where the last byte of b counts. */
static bool shortens_a(struct lcs *lcs, size_t i, size_t j)
{
    return lcs->rows_are_a ? more_than_before(lcs, i, j) : more_than_above(lcs, j, i);
}

/* The last match that ends at or before the first *i bytes of a and *j of b, which move to its
 * start. */
static bool match_before(struct lcs *lcs, size_t *i, size_t *j, struct match *match)
{
    const char *a = lcs->a.data, *b = lcs->b.data;
    while (*i > 0 && *j > 0 && a[*i - 1] != b[*j - 1]) {
        if (shortens_a(lcs, *i, *j))
            --*i;
        else
            --*j;
    }
    size_t end = *i;
    for (; *i > 0 && *j > 0 && a[*i - 1] == b[*j - 1]; --*i)
        --*j;
    *match = (struct match){ .a_first = *i, .b_first = *j, .size = end - *i };
    return match->size > 0;
}

/* ---- replies ------------------------------------------------------------- */

static void reply_text(struct exec *exec, struct lcs *lcs)
{
    struct match match;
    size_t i = lcs->a.size, j = lcs->b.size, left = lcs->length;
    char *text = malloc(left + 1);
    if (text == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return;
    }
    while (match_before(lcs, &i, &j, &match)) {
        left -= match.size;
        memcpy(text + left, lcs->a.data + match.a_first, match.size);
    }
    reply_str(exec->reply, bytes_of(text, lcs->length));
    free(text);
}

static void reply_range(struct reply *reply, size_t first, size_t size)
{
    reply_array(reply, 2);
    reply_int(reply, (int64_t)first);
    reply_int(reply, (int64_t)(first + size - 1));
}

static void reply_match(struct reply *reply, const struct match *match, bool with_match_len)
{
    reply_array(reply, with_match_len ? 3 : 2);
    reply_range(reply, match->a_first, match->size);
    reply_range(reply, match->b_first, match->size);
    if (with_match_len)
        reply_int(reply, (int64_t)match->size);
}

/* The matches, last one first, and the length. An array's size comes first, and the way back is
 * gone once, so they are gathered. */
static void reply_matches(struct exec *exec, struct lcs *lcs, const struct lcs_options *options)
{
    struct match *matches = malloc((lcs->length + 1) * sizeof(*matches));
    uint32_t count = 0;
    if (matches == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return;
    }
    for (size_t i = lcs->a.size, j = lcs->b.size; match_before(lcs, &i, &j, &matches[count]);)
        count += (int64_t)matches[count].size >= options->match_len_min;
    reply_map(exec->reply, 2);
    reply_cstr(exec->reply, "matches");
    reply_array(exec->reply, count);
    for (uint32_t i = 0; i < count; i++)
        reply_match(exec->reply, &matches[i], options->with_match_len);
    reply_cstr(exec->reply, "len");
    reply_int(exec->reply, lcs->length);
    free(matches);
}

static void lcs_run(struct exec *exec, struct bytes a, struct bytes b)
{
    struct lcs_options options;
    struct lcs lcs;
    if (!options_parse(exec, &options) || !lcs_init(exec, &lcs, a, b, options.idx || !options.len))
        return;
    if (options.idx)
        reply_matches(exec, &lcs, &options);
    else if (options.len)
        reply_int(exec->reply, lcs.length);
    else
        reply_text(exec, &lcs);
    lcs_fini(&lcs);
}

static void lcs_command(struct exec *exec)
{
    char scratch[2][INT64_TEXT_MAX];
    struct bytes text[2];
    for (uint32_t i = 0; i < 2; i++) {
        const struct item *item = keyspace_read(exec->keyspace, exec_key_at(exec, i + 1));
        if (item != NULL && item_type(item) != TYPE_STRING) {
            reply_error(exec->reply, ERR_NOT_STRINGS);
            return;
        }
        text[i] = value_or_empty(item, scratch[i]);
    }
    lcs_run(exec, text[0], text[1]);
}

static bool lcs_of_operands(struct exec *exec, const struct operand *operands, uint32_t count)
{
    (void)count;
    if (operands[0].type != TYPE_STRING || operands[1].type != TYPE_STRING)
        reply_error(exec->reply, ERR_NOT_STRINGS);
    else
        lcs_run(exec, operands[0].value, operands[1].value);
    return false;
}

/* The second value goes to the shard of the first, which does the work. */
static const struct combine lcs_combine = {
    .destination = 1, .first_source = 1, .last_source = 2, .store = lcs_of_operands
};

/* clang-format off */
const struct command lcs_commands[] = {
    { .name = "lcs", .arity = -3, .flags = CMD_READONLY,
      .route = ROUTE_COMBINE, KEYS(1, 2, 1), .shard = lcs_command, .combine = &lcs_combine,
      .group = "string", .since = "7.0.0",
      .complexity = "O(N*M) where N and M are the lengths of the strings",
      .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
      .summary = "Finds the longest common subsequence of two strings." },
    { 0 },
};
/* clang-format on */
