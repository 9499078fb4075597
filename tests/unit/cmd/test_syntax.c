/*
 * test_syntax.c - syntaxes to trees, printed in a short form: {} a block, () one of, ? optional,
 * + repeated, T:v a token with a value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "shoal/cmd/syntax.h"
#include "support/cmd_harness.h"

static void print(const struct syntax *syntax, int first, char *out)
{
    for (int i = first; i >= 0; i = syntax->nodes[i].next) {
        const struct syntax_node *node = &syntax->nodes[i];
        char *at = out + strlen(out);
        if (i != first)
            *at++ = ' ';
        if (node->first_child >= 0) {
            at += sprintf(at, node->kind == SYNTAX_ONEOF ? "(" : "{");
            print(syntax, node->first_child, at);
            strcat(at, node->kind == SYNTAX_ONEOF ? ")" : "}");
        } else if (node->token.data != NULL && node->kind == SYNTAX_VALUE) {
            sprintf(at, "%.*s:%.*s", (int)node->token.size, node->token.data, (int)node->name.size,
                    node->name.data);
        } else {
            sprintf(at, "%.*s", (int)node->name.size, node->name.data);
        }
        strcat(at, node->optional ? "?" : "");
        strcat(at, node->multiple ? "+" : "");
    }
}

static void check(const char *text, const char *expected)
{
    char out[512] = "";
    struct syntax syntax;
    syntax_parse(&syntax, text);
    print(&syntax, syntax.first, out);
    assert_string_equal(out, expected);
}

static void trees(void **state)
{
    (void)state;
    check("", "");
    check("key", "key");
    check("key [key ...]", "key key?+");
    check("key value [key value ...]", "key value {key value}?+");
    check("[ASYNC | SYNC]", "(ASYNC SYNC)?");
    check("cursor [MATCH pattern] [COUNT count]", "cursor MATCH:pattern? COUNT:count?");
    check("key [NX | IFEQ v] [GET] [EX s | KEEPTTL]", "key (NX IFEQ:v)? GET? (EX:s KEEPTTL)?");
    check("ON | OFF", "(ON OFF)");
    check("LIB-NAME name | LIB-VER version", "(LIB-NAME:name LIB-VER:version)");
    check("address | [ID id] [SKIPME yes-no]", "(address {ID:id? SKIPME:yes-no?})");
    check("[protover [AUTH user password] [SETNAME name]]",
          "{protover {AUTH:user password}? SETNAME:name?}?");
}

static void every_row_parses(void **state)
{
    (void)state;
    harness_registry_with(NULL);
    for (uint32_t i = 0; i < registry_count(); i++) {
        struct syntax syntax;
        syntax_parse(&syntax, registry_at(i)->syntax);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(every_row_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
