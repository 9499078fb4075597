/*
 * lcs.c - LCS: the longest common subsequence of two strings, its length, or where it lies.
 *
 * The usual table of lengths: cell (i, j) is that of the first i bytes of a and the first j of b.
 * Walking it back from the end gives the subsequence, last byte first. Time and memory grow with
 * the product of both lengths, so the table is bounded as in Redis.
 */
#include <stdlib.h>

#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

enum { LCS_TABLE_BYTES_MAX = VALUE_BYTES_MAX }; /* Redis: proto-max-bulk-len */

struct lcs_options {
    bool idx, len, with_match_len;
    int64_t match_len_min;
};

struct lcs {
    struct bytes a, b;
    uint32_t *lengths; /* (a.size + 1) rows of b.size + 1 */
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

static inline uint32_t *cell(const struct lcs *lcs, size_t i, size_t j)
{
    return &lcs->lengths[i * (lcs->b.size + 1) + j];
}

static void fill(struct lcs *lcs)
{
    for (size_t i = 0; i < lcs->a.size; i++) {
        const uint32_t *above = cell(lcs, i, 0);
        uint32_t *row = cell(lcs, i + 1, 0);
        for (size_t j = 0; j < lcs->b.size; j++) {
            if (lcs->a.data[i] == lcs->b.data[j])
                row[j + 1] = above[j] + 1;
            else
                row[j + 1] = above[j + 1] > row[j] ? above[j + 1] : row[j];
        }
    }
}

/* False: the error is replied. The first row and column are 0, hence calloc. */
static bool lcs_init(struct exec *exec, struct lcs *lcs, struct bytes a, struct bytes b)
{
    /* no overflow: both are at most VALUE_BYTES_MAX */
    size_t cells = (a.size + 1) * (b.size + 1);
    *lcs = (struct lcs){ .a = a, .b = b };
    if (cells > LCS_TABLE_BYTES_MAX / sizeof(uint32_t)) {
        reply_error(exec->reply, "ERR Insufficient memory, transient memory for LCS exceeds "
                                 "proto-max-bulk-len");
        return false;
    }
    lcs->lengths = calloc(cells, sizeof(uint32_t));
    if (lcs->lengths == NULL) {
        reply_error(exec->reply,
                    "ERR Insufficient memory, failed allocating transient memory for LCS");
        return false;
    }
    fill(lcs);
    return true;
}

static void lcs_fini(struct lcs *lcs)
{
    free(lcs->lengths);
}

/* The last match that ends at or before the first *i bytes of a and *j of b, which move to its
 * start. Of two ways back that are equally good Redis takes the one that shortens b. */
static bool match_before(const struct lcs *lcs, size_t *i, size_t *j, struct match *match)
{
    const char *a = lcs->a.data, *b = lcs->b.data;
    while (*i > 0 && *j > 0 && a[*i - 1] != b[*j - 1]) {
        if (*cell(lcs, *i - 1, *j) > *cell(lcs, *i, *j - 1))
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

static void reply_text(struct exec *exec, const struct lcs *lcs, uint32_t length)
{
    struct match match;
    size_t i = lcs->a.size, j = lcs->b.size, left = length;
    char *text = malloc(length + 1);
    if (text == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return;
    }
    while (match_before(lcs, &i, &j, &match)) {
        left -= match.size;
        memcpy(text + left, lcs->a.data + match.a_first, match.size);
    }
    reply_str(exec->reply, bytes_of(text, length));
    free(text);
}

static bool wanted(const struct lcs_options *options, const struct match *match)
{
    return (int64_t)match->size >= options->match_len_min;
}

static uint32_t count_matches(const struct lcs *lcs, const struct lcs_options *options)
{
    struct match match;
    uint32_t count = 0;
    for (size_t i = lcs->a.size, j = lcs->b.size; match_before(lcs, &i, &j, &match);)
        count += wanted(options, &match);
    return count;
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

/* The matches, last one first, and the length. An array's size comes first, so they are walked
 * twice. */
static void reply_matches(struct exec *exec, const struct lcs *lcs,
                          const struct lcs_options *options, uint32_t length)
{
    struct match match;
    reply_map(exec->reply, 2);
    reply_cstr(exec->reply, "matches");
    reply_array(exec->reply, count_matches(lcs, options));
    for (size_t i = lcs->a.size, j = lcs->b.size; match_before(lcs, &i, &j, &match);) {
        if (wanted(options, &match))
            reply_match(exec->reply, &match, options->with_match_len);
    }
    reply_cstr(exec->reply, "len");
    reply_int(exec->reply, length);
}

static void lcs_command(struct exec *exec)
{
    char scratch[2][INT64_TEXT_MAX];
    struct bytes text[2];
    struct lcs_options options;
    struct lcs lcs;
    for (uint32_t i = 0; i < 2; i++) {
        const struct item *item = keyspace_read(exec->keyspace, exec_key_at(exec, i + 1));
        text[i] = item == NULL ? bytes_of("", 0) : item_value(item, scratch[i]);
    }
    if (!options_parse(exec, &options) || !lcs_init(exec, &lcs, text[0], text[1]))
        return;
    uint32_t length = *cell(&lcs, lcs.a.size, lcs.b.size);
    if (options.idx)
        reply_matches(exec, &lcs, &options, length);
    else if (options.len)
        reply_int(exec->reply, length);
    else
        reply_text(exec, &lcs, length);
    lcs_fini(&lcs);
}

/* clang-format off */
const struct command lcs_commands[] = {
    { .name = "lcs", .arity = -3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(1, 2, 1), .shard = lcs_command,
      .group = "string", .since = "7.0.0",
      .complexity = "O(N*M) where N and M are the lengths of the strings",
      .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
      .summary = "Finds the longest common subsequence of two strings." },
    { 0 },
};
/* clang-format on */
