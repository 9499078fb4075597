/*
 * string_options.c - reads NX XX IFEQ GET, EX PX EXAT PXAT, KEEPTTL and PERSIST.
 *
 * As in Redis an option may be repeated (the last time wins), but two that contradict each other
 * are a syntax error.
 */
#include "shoal/cmd/string/string_options.h"

#include "shoal/cmd/errors.h"

static const struct {
    const char *word;
    enum expire_unit unit;
} time_words[] = {
    { "ex", EXPIRE_S },
    { "px", EXPIRE_MS },
    { "exat", EXPIRE_WALL_S },
    { "pxat", EXPIRE_WALL_MS },
};

static bool set_condition(struct string_options *options, enum string_condition condition)
{
    if (options->condition != STRING_ALWAYS && options->condition != condition)
        return false;
    options->condition = condition;
    return true;
}

static bool set_ttl(struct string_options *options, enum string_ttl ttl)
{
    if (options->ttl != STRING_TTL_NONE && options->ttl != ttl)
        return false;
    options->ttl = ttl;
    return true;
}

/* EX and its like: takes the argument behind it. False when the word is none of them, or
 * misplaced. */
static bool parse_time(struct string_options *options, struct bytes word, const struct bytes *next)
{
    for (size_t i = 0; i < sizeof(time_words) / sizeof(time_words[0]); i++) {
        if (!bytes_is(word, time_words[i].word))
            continue;
        bool other_unit = options->ttl == STRING_TTL_SET && options->unit != time_words[i].unit;
        if (next == NULL || other_unit || !set_ttl(options, STRING_TTL_SET))
            return false;
        options->unit = time_words[i].unit;
        options->time = *next;
        return true;
    }
    return false;
}

static bool parse_set_word(struct string_options *options, struct bytes word)
{
    if (bytes_is(word, "nx"))
        return set_condition(options, STRING_NX);
    if (bytes_is(word, "xx"))
        return set_condition(options, STRING_XX);
    if (bytes_is(word, "keepttl"))
        return set_ttl(options, STRING_TTL_KEEP);
    if (!bytes_is(word, "get"))
        return false;
    options->get = true;
    return true;
}

/* How many arguments one option took; 0 when it is not accepted. */
static uint32_t parse_option(struct string_options *options, enum string_command command,
                             struct bytes word, const struct bytes *next)
{
    if (parse_time(options, word, next))
        return 2;
    if (command == STRING_GETEX)
        return bytes_is(word, "persist") && set_ttl(options, STRING_TTL_PERSIST) ? 1 : 0;
    if (bytes_is(word, "ifeq") && next != NULL) {
        options->expected = *next;
        return set_condition(options, STRING_IFEQ) ? 2 : 0;
    }
    return parse_set_word(options, word) ? 1 : 0;
}

bool string_options_parse(struct exec *exec, uint32_t from, enum string_command command,
                          struct string_options *options)
{
    *options = (struct string_options){ 0 };
    uint32_t count = exec->args.count;
    for (uint32_t i = from, taken; i < count; i += taken) {
        struct bytes next = { 0 };
        bool has_next = i + 1 < count;
        if (has_next)
            next = exec_arg(exec, i + 1);
        taken = parse_option(options, command, exec_arg(exec, i), has_next ? &next : NULL);
        if (taken == 0) {
            reply_error(exec->reply, ERR_SYNTAX);
            return false;
        }
    }
    return true;
}
