/*
 * test_lcs.c - LCS: the text, its length, the matches, and what is refused.
 */
#include "support/cmd_harness.h"

static void texts(void **state)
{
    RUN_STEPS(state, { "LCS a b", "$0 " }, { "SET a ohmytext", "+OK" }, { "LCS a b", "$0 " },
              { "SET b mynewtext", "+OK" }, { "LCS a b", "$6 mytext" }, { "LCS a b LEN", ":6" },
              { "LCS a a", "$8 ohmytext" }, { "SET n 12345", "+OK" }, { "SET m 2945", "+OK" },
              { "LCS n m", "$3 245" }, { "LCS a n", "$0 " }, { "LCS a n len", ":0" });
}

static void matches(void **state)
{
    RUN_STEPS(
        state, { "SET a ohmytext", "+OK" }, { "SET b mynewtext", "+OK" },
        { "LCS a b IDX", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6" },
        { "LCS a b IDX MINMATCHLEN 4", "*4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6" },
        { "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
          "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6" },
        { "LCS a b WITHMATCHLEN idx MINMATCHLEN 5", "*4 $7 matches *0 $3 len :6" },
        { "LCS a b IDX MINMATCHLEN -5 MINMATCHLEN 3",
          "*4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6" },
        { "LCS a c IDX", "*4 $7 matches *0 $3 len :0" }, { "LCS a b MINMATCHLEN 5", "$6 mytext" });
}

static void refuses(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "LCS a", "-ERR wrong number of arguments for 'lcs' command" },
              { "LCS a b foo", "-ERR syntax error" },
              { "LCS a b MINMATCHLEN", "-ERR syntax error" },
              { "LCS a b MINMATCHLEN x", "-ERR value is not an integer or out of range" },
              { "LCS a b IDX LEN",
                "-ERR If you want both the length and indexes, please just use IDX." });
    harness_run(h, "SETRANGE a 19999 x");
    harness_run(h, "SETRANGE b 19999 x");
    assert_string_equal(harness_run(h, "LCS a b LEN"),
                        "-ERR Insufficient memory, transient memory for LCS exceeds "
                        "proto-max-bulk-len");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(texts),
        HARNESS_TEST(matches),
        HARNESS_TEST(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
