/*
 * syntax.h - a row's syntax ("key value [NX | XX] [EX seconds | KEEPTTL]") as a tree of arguments.
 *
 *   word          a value           NX      a token           EX seconds   a token with a value
 *   [ ... ]       optional          a | b   one of them       word ...     any number of times
 */
#ifndef SHOAL_CMD_SYNTAX_H
#define SHOAL_CMD_SYNTAX_H

#include "shoal/base/bytes.h"

enum { SYNTAX_NODES_MAX = 64 };

enum syntax_kind { SYNTAX_VALUE, SYNTAX_TOKEN, SYNTAX_BLOCK, SYNTAX_ONEOF };

struct syntax_node {
    enum syntax_kind kind;
    struct bytes name;  /* of a value or a token; of a block or oneof that of its first child */
    struct bytes token; /* what stands before a value, no data if nothing does */
    bool optional, multiple;
    int first_child; /* index of a node, -1 for none */
    int next;        /* the sibling, -1 for none */
};

struct syntax {
    struct syntax_node nodes[SYNTAX_NODES_MAX];
    int count;
    int first; /* of the top level, -1 when the syntax is empty */
    const char *_at;
};

/* `text` is borrowed by the tree. Aborts on a row that is not well-formed. Thread: any. */
void syntax_parse(struct syntax *syntax, const char *text);

#endif
