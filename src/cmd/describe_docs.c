/*
 * describe_docs.c - a row as COMMAND DOCS tells it; redis-cli makes its hints from the arguments.
 */
#include "shoal/cmd/describe.h"

#include "shoal/cmd/syntax.h"

static void reply_arguments(struct reply *reply, const struct syntax *syntax, int first);

static bool begins_with(struct bytes text, const char *word)
{
    size_t size = strlen(word);
    return text.size >= size && memcmp(text.data, word, size) == 0;
}

static const char *value_type(struct bytes name)
{
    static const char *const integers[] = { "seconds", "milliseconds", "count", "decrement",
                                            "offset",  "start",        "end",   "cursor" };
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        if (bytes_is(name, integers[i]))
            return "integer";
    }
    if (begins_with(name, "unix-time"))
        return "unix-time";
    return bytes_is(name, "key") ? "key" : bytes_is(name, "pattern") ? "pattern" : "string";
}

static const char *type_of(const struct syntax_node *node)
{
    switch (node->kind) {
    case SYNTAX_TOKEN:
        return "pure-token";
    case SYNTAX_BLOCK:
        return "block";
    case SYNTAX_ONEOF:
        return "oneof";
    default:
        return value_type(node->name);
    }
}

static void reply_field(struct reply *reply, const char *name, struct bytes text)
{
    reply_cstr(reply, name);
    reply_str(reply, text);
}

/* Names are lower case; a token's is the token. */
static void reply_name(struct reply *reply, struct bytes name)
{
    char lower[64];
    size_t size = name.size < sizeof(lower) ? name.size : sizeof(lower);
    for (size_t i = 0; i < size; i++) {
        char c = name.data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    reply_field(reply, "name", bytes_of(lower, size));
}

static void reply_argument_flags(struct reply *reply, const struct syntax_node *node)
{
    reply_cstr(reply, "flags");
    reply_set(reply, node->optional + node->multiple);
    if (node->optional)
        reply_simple(reply, "optional");
    if (node->multiple)
        reply_simple(reply, "multiple");
}

static void reply_argument(struct reply *reply, const struct syntax *syntax,
                           const struct syntax_node *node)
{
    bool flags = node->optional || node->multiple;
    bool key = node->kind == SYNTAX_VALUE && bytes_is(node->name, "key");
    reply_map(reply, 2u + key + (node->token.data != NULL) + flags + (node->first_child >= 0));
    reply_name(reply, node->name);
    reply_field(reply, "type", bytes_str(type_of(node)));
    if (key) {
        reply_cstr(reply, "key_spec_index");
        reply_int(reply, 0);
    }
    if (node->token.data != NULL)
        reply_field(reply, "token", node->token);
    if (flags)
        reply_argument_flags(reply, node);
    if (node->first_child >= 0) {
        reply_cstr(reply, "arguments");
        reply_arguments(reply, syntax, node->first_child);
    }
}

/* Recursion is as deep as the rows' own brackets. */
static void reply_arguments(struct reply *reply, const struct syntax *syntax, int first)
{
    uint32_t count = 0;
    for (int i = first; i >= 0; i = syntax->nodes[i].next)
        count++;
    reply_array(reply, count);
    for (int i = first; i >= 0; i = syntax->nodes[i].next)
        reply_argument(reply, syntax, &syntax->nodes[i]);
}

static void reply_subs(struct reply *reply, const struct command *command)
{
    uint32_t count = 0;
    while (command->subs[count].name != NULL)
        count++;
    reply_cstr(reply, "subcommands");
    reply_map(reply, count);
    for (uint32_t i = 0; i < count; i++)
        describe_docs(reply, &command->subs[i]);
}

void describe_docs(struct reply *reply, const struct command *command)
{
    struct syntax syntax = { .first = -1 };
    if (command->subs == NULL && command->syntax != NULL)
        syntax_parse(&syntax, command->syntax);
    reply_cstr(reply, command->full_name);
    reply_map(reply, 4u + (syntax.first >= 0) + (command->subs != NULL));
    reply_field(reply, "summary", bytes_str(command->summary));
    reply_field(reply, "since", bytes_str(command->since));
    reply_field(reply, "group", bytes_str(command->group));
    reply_field(reply, "complexity", bytes_str(command->complexity));
    if (syntax.first >= 0) {
        reply_cstr(reply, "arguments");
        reply_arguments(reply, &syntax, syntax.first);
    }
    if (command->subs != NULL)
        reply_subs(reply, command);
}
