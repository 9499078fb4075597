/*
 * bitfield.c - integers of any width within a string: BITFIELD, BITFIELD_RO.
 *
 * The arguments are walked twice by the same parser: once to refuse what is wrong and to learn how
 * long the string must become, once to run. Nothing is kept in between.
 */
#include "shoal/base/minmax.h"
#include "shoal/base/number.h"
#include "shoal/cmd/bitmap/bits.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

enum { UNSIGNED_BITS_MAX = 63, SIGNED_BITS_MAX = 64 };

enum field_action { FIELD_GET, FIELD_SET, FIELD_INCRBY, FIELD_OVERFLOW };
enum field_overflow { OVERFLOW_WRAP, OVERFLOW_SAT, OVERFLOW_FAIL };

struct field {
    enum field_action action;
    enum field_overflow overflow; /* holds until the next OVERFLOW */
    bool is_signed;
    int bits;
    int64_t offset;
    int64_t operand; /* of SET and INCRBY */
};

/* What the first walk found. */
struct field_plan {
    uint32_t replies;
    bool writes;
    size_t size; /* bytes that the farthest write needs */
};

/* ---- arguments ----------------------------------------------------------- */

static const struct {
    const char *word;
    uint32_t args; /* with the word itself */
} actions[] = {
    [FIELD_GET] = { "get", 3 },
    [FIELD_SET] = { "set", 4 },
    [FIELD_INCRBY] = { "incrby", 4 },
    [FIELD_OVERFLOW] = { "overflow", 2 },
};

static bool refuse(struct exec *exec, const char *text)
{
    reply_error(exec->reply, text);
    return false;
}

static bool overflow_parse(struct exec *exec, struct bytes word, struct field *field)
{
    static const char *const words[] = {
        [OVERFLOW_WRAP] = "wrap",
        [OVERFLOW_SAT] = "sat",
        [OVERFLOW_FAIL] = "fail",
    };
    for (int i = OVERFLOW_WRAP; i <= OVERFLOW_FAIL; i++) {
        if (bytes_is(word, words[i])) {
            field->overflow = (enum field_overflow)i;
            return true;
        }
    }
    return refuse(exec, "ERR Invalid OVERFLOW type specified");
}

/* "i16", "u8". */
static bool type_parse(struct exec *exec, struct bytes text, struct field *field)
{
    int64_t bits = 0;
    bool known = text.size > 0 && (text.data[0] == 'i' || text.data[0] == 'u') &&
                 number_parse_i64(bytes_of(text.data + 1, text.size - 1), &bits);
    field->is_signed = known && text.data[0] == 'i';
    if (!known || bits < 1 || bits > (field->is_signed ? SIGNED_BITS_MAX : UNSIGNED_BITS_MAX))
        return refuse(exec, "ERR Invalid bitfield type. Use something like i16 u8. "
                            "Note that u64 is not supported but i64 is.");
    field->bits = (int)bits;
    return true;
}

/* A bit's offset, or "#n": the n-th field of this width. */
static bool offset_parse(struct exec *exec, struct bytes text, struct field *field)
{
    int64_t *offset = &field->offset;
    if (text.size == 0 || text.data[0] != '#')
        return bits_offset_parse(exec, text, offset);
    if (!bits_offset_parse(exec, bytes_of(text.data + 1, text.size - 1), offset))
        return false;
    *offset *= field->bits;
    return bits_offset_ok(exec, *offset) || refuse(exec, ERR_BIT_OFFSET);
}

/* Reads what begins at argument `at`; returns how many it took, 0 when the error is replied. */
static uint32_t field_parse(struct exec *exec, uint32_t at, struct field *field)
{
    int action = FIELD_GET;
    while (action <= FIELD_OVERFLOW && !bytes_is(exec_arg(exec, at), actions[action].word))
        action++;
    if (action > FIELD_OVERFLOW || at + actions[action].args > exec->args.count)
        return refuse(exec, ERR_SYNTAX);
    field->action = (enum field_action)action;
    if (action == FIELD_OVERFLOW)
        return overflow_parse(exec, exec_arg(exec, at + 1), field) ? 2 : 0;
    if (!type_parse(exec, exec_arg(exec, at + 1), field) ||
        !offset_parse(exec, exec_arg(exec, at + 2), field))
        return 0;
    if (action != FIELD_GET && !number_parse_i64(exec_arg(exec, at + 3), &field->operand))
        return refuse(exec, ERR_NOT_INTEGER);
    return actions[action].args;
}

static bool plan_parse(struct exec *exec, struct field_plan *plan)
{
    struct field field = { .overflow = OVERFLOW_WRAP };
    *plan = (struct field_plan){ 0 };
    for (uint32_t at = 2, taken; at < exec->args.count; at += taken) {
        taken = field_parse(exec, at, &field);
        if (taken == 0)
            return false;
        plan->replies += field.action != FIELD_OVERFLOW;
        if (field.action != FIELD_SET && field.action != FIELD_INCRBY)
            continue;
        size_t size = bits_size(field.offset + field.bits - 1);
        plan->size = size > plan->size ? size : plan->size;
        plan->writes = true;
    }
    return true;
}

/* ---- fields -------------------------------------------------------------- */

/* The lowest bits of a word as the field's number. */
static int64_t field_number(const struct field *field, uint64_t word)
{
    int unused = 64 - field->bits;
    word <<= unused;
    return field->is_signed ? (int64_t)word >> unused : (int64_t)(word >> unused);
}

static int64_t field_read(const struct field *field, struct bytes text)
{
    uint64_t word = 0;
    for (int i = 0; i < field->bits; i++)
        word = word << 1 | bits_at(text, field->offset + i);
    return field_number(field, word);
}

static void field_write(const struct field *field, char *data, int64_t value)
{
    for (int i = 0; i < field->bits; i++)
        bits_put(data, field->offset + i, (uint64_t)value >> (field->bits - 1 - i) & 1);
}

/*
 * What the field becomes. False: it does not fit and OVERFLOW is FAIL. The sum of two 64-bit
 * numbers needs 65 bits, hence the wide type. SET reads its operand as the field's type does: -1 is
 * the greatest unsigned number.
 */
static bool field_next(const struct field *field, int64_t old, int64_t *next)
{
    int value_bits = field->is_signed ? field->bits - 1 : field->bits;
    __int128 max = ((__int128)1 << value_bits) - 1, min = field->is_signed ? -max - 1 : 0;
    __int128 sum = (__int128)old + field->operand;
    if (field->action == FIELD_SET)
        sum = field->is_signed ? (__int128)field->operand : (__int128)(uint64_t)field->operand;
    *next = field_number(field, (uint64_t)sum);
    if (sum >= min && sum <= max)
        return true;
    if (field->overflow == OVERFLOW_SAT)
        *next = (int64_t)(sum < min ? min : max);
    return field->overflow != OVERFLOW_FAIL;
}

static void field_update(struct exec *exec, const struct field *field, char *data, size_t size)
{
    int64_t old = field_read(field, bytes_of(data, size)), next;
    if (!field_next(field, old, &next)) {
        reply_nil(exec->reply);
        return;
    }
    if (next != old)
        field_write(field, data, next);
    reply_int(exec->reply, field->action == FIELD_SET ? old : next);
}

/* ---- commands ------------------------------------------------------------ */

/* The second walk: one element for each but OVERFLOW. */
static void run_fields(struct exec *exec, uint32_t replies, char *data, size_t size)
{
    struct field field = { .overflow = OVERFLOW_WRAP };
    reply_array(exec->reply, replies);
    for (uint32_t at = 2; at < exec->args.count; at += actions[field.action].args) {
        field_parse(exec, at, &field);
        if (field.action == FIELD_GET)
            reply_int(exec->reply, field_read(&field, bytes_of(data, size)));
        else if (field.action != FIELD_OVERFLOW)
            field_update(exec, &field, data, size);
    }
}

static void read_fields(struct exec *exec, uint32_t replies)
{
    char scratch[INT64_TEXT_MAX];
    struct item *item;
    if (!exec_read(exec, TYPE_STRING, &item))
        return;
    struct bytes text = value_or_empty(item, scratch);
    /* only GETs follow: the bytes are not written to */
    run_fields(exec, replies, (char *)text.data, text.size);
}

/* True when a field will be another than it is. Those before the first such one find the text as it
 * is, so nothing needs to be written to know. */
static bool fields_differ(struct exec *exec, struct bytes text)
{
    struct field field = { .overflow = OVERFLOW_WRAP };
    for (uint32_t at = 2; at < exec->args.count; at += actions[field.action].args) {
        field_parse(exec, at, &field);
        if (field.action == FIELD_GET || field.action == FIELD_OVERFLOW)
            continue;
        int64_t old = field_read(&field, text), next;
        if (field_next(&field, old, &next) && next != old)
            return true;
    }
    return false;
}

/* The string grows to the farthest write even if that fails, as in Redis; otherwise writes that
 * change nothing are no change to WATCH. */
static void write_fields(struct exec *exec, const struct field_plan *plan)
{
    char scratch[INT64_TEXT_MAX];
    struct key key = exec_key(exec);
    struct item *item;
    if (!exec_find(exec, TYPE_STRING, &item))
        return;
    struct bytes text = value_or_empty(item, scratch);
    if (item != NULL && plan->size <= text.size && !fields_differ(exec, text)) {
        item_mark_resized(item); /* raw in OBJECT ENCODING all the same, as in Redis */
        run_fields(exec, plan->replies, (char *)text.data, text.size); /* nothing is written */
        return;
    }
    if (!value_size_ok(exec, plan->size) ||
        !value_reserve(exec, &item, max(plan->size, value_size(item))))
        return;
    size_t size = max(plan->size, value_size(item));
    char *data = keyspace_resize(exec->keyspace, key, size);
    if (data == NULL)
        reply_error(exec->reply, ERR_NO_MEMORY);
    else
        run_fields(exec, plan->replies, data, size);
}

static void bitfield_command(struct exec *exec)
{
    struct field_plan plan;
    if (!plan_parse(exec, &plan))
        return;
    if (plan.writes)
        write_fields(exec, &plan);
    else
        read_fields(exec, plan.replies);
}

static void bitfield_ro_command(struct exec *exec)
{
    struct field_plan plan;
    if (!plan_parse(exec, &plan))
        return;
    if (plan.writes)
        reply_error(exec->reply, "ERR BITFIELD_RO only supports the GET subcommand");
    else
        read_fields(exec, plan.replies);
}

/* clang-format off */
const struct command bitfield_commands[] = {
    { .name = "bitfield", .arity = -2, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = bitfield_command,
      .group = "bitmap", .since = "3.2.0", .complexity = "O(1) for each operation",
      .syntax = "key [[GET encoding offset] [OVERFLOW WRAP | OVERFLOW SAT | OVERFLOW FAIL] "
                "[SET encoding offset value] [INCRBY encoding offset increment] ...]",
      .summary = "Reads and writes integers of any width within a string." },
    { .name = "bitfield_ro", .arity = -2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = bitfield_ro_command,
      .group = "bitmap", .since = "6.0.0", .complexity = "O(1) for each operation",
      .syntax = "key [GET encoding offset ...]",
      .summary = "Reads integers of any width within a string." },
    { 0 },
};
/* clang-format on */
