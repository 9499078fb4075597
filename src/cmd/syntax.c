/*
 * syntax.c - recursive descent over a row's syntax; rows are ours, so a bad one aborts.
 */
#include "shoal/cmd/syntax.h"

#include "shoal/base/must.h"

static int parse_alternatives(struct syntax *syntax);

static void skip_spaces(struct syntax *syntax)
{
    while (*syntax->_at == ' ')
        syntax->_at++;
}

static bool take(struct syntax *syntax, const char *text)
{
    skip_spaces(syntax);
    size_t size = strlen(text);
    if (strncmp(syntax->_at, text, size) != 0)
        return false;
    syntax->_at += size;
    return true;
}

static bool at_end_of_sequence(struct syntax *syntax)
{
    skip_spaces(syntax);
    return *syntax->_at == '\0' || *syntax->_at == ']' || *syntax->_at == '|';
}

static struct syntax_node *add_node(struct syntax *syntax, enum syntax_kind kind, int *index)
{
    must(syntax->count < SYNTAX_NODES_MAX);
    *index = syntax->count++;
    struct syntax_node *node = &syntax->nodes[*index];
    *node = (struct syntax_node){ .kind = kind, .first_child = -1, .next = -1 };
    return node;
}

static struct bytes take_word(struct syntax *syntax)
{
    skip_spaces(syntax);
    size_t size = strcspn(syntax->_at, " []|");
    must(size > 0);
    struct bytes word = bytes_of(syntax->_at, size);
    syntax->_at += size;
    return word;
}

static bool is_token(struct bytes word)
{
    return word.data[0] >= 'A' && word.data[0] <= 'Z';
}

static bool value_follows(struct syntax *syntax)
{
    skip_spaces(syntax);
    return *syntax->_at >= 'a' && *syntax->_at <= 'z';
}

static int parse_word(struct syntax *syntax)
{
    int index;
    struct bytes word = take_word(syntax);
    struct syntax_node *node = add_node(syntax, SYNTAX_VALUE, &index);
    node->name = word;
    if (!is_token(word))
        return index;
    node->token = word;
    if (value_follows(syntax))
        node->name = take_word(syntax);
    else
        node->kind = SYNTAX_TOKEN;
    return index;
}

static int parse_optional(struct syntax *syntax)
{
    int index = parse_alternatives(syntax);
    must(take(syntax, "]"));
    syntax->nodes[index].optional = true;
    return index;
}

/* Words up to the end of the sequence; returns the first node, -1 for none. "..." repeats what is
 * before it or, at the end of an optional sequence of several, all of it. */
static int parse_sequence(struct syntax *syntax, bool *repeated)
{
    int first = -1, last = -1, length = 0;
    *repeated = false;
    while (!at_end_of_sequence(syntax)) {
        if (take(syntax, "...")) {
            must(last >= 0);
            if (length > 1)
                *repeated = true;
            else
                syntax->nodes[last].multiple = true;
            continue;
        }
        int node = take(syntax, "[") ? parse_optional(syntax) : parse_word(syntax);
        if (last >= 0)
            syntax->nodes[last].next = node;
        else
            first = node;
        last = node;
        length++;
    }
    return first;
}

static int wrap(struct syntax *syntax, enum syntax_kind kind, int first)
{
    int index;
    struct syntax_node *node = add_node(syntax, kind, &index);
    node->first_child = first;
    node->name = syntax->nodes[first].name;
    return index;
}

/* One alternative is one node: a sequence of several, or a repeated one, becomes a block. */
static int parse_alternative(struct syntax *syntax)
{
    bool repeated;
    int first = parse_sequence(syntax, &repeated);
    must(first >= 0);
    if (syntax->nodes[first].next >= 0) {
        first = wrap(syntax, SYNTAX_BLOCK, first);
        syntax->nodes[first].multiple = repeated;
    }
    return first;
}

static int parse_alternatives(struct syntax *syntax)
{
    int first = parse_alternative(syntax);
    if (!take(syntax, "|"))
        return first;
    int last = first;
    do {
        int node = parse_alternative(syntax);
        syntax->nodes[last].next = node;
        last = node;
    } while (take(syntax, "|"));
    return wrap(syntax, SYNTAX_ONEOF, first);
}

void syntax_parse(struct syntax *syntax, const char *text)
{
    bool repeated;
    syntax->count = 0;
    syntax->_at = text;
    syntax->first = parse_sequence(syntax, &repeated);
    if (*syntax->_at == '|') { /* the whole is a choice: again, one node an alternative */
        syntax->count = 0;
        syntax->_at = text;
        syntax->first = parse_alternatives(syntax);
    }
    must(*syntax->_at == '\0' && !repeated);
}
