/*
 * test_lcs.c - LCS: the text, its length, the matches, what it allocates, and what is refused.
 */
#include "support/cmd_harness.h"
#include "support/seed.h"

enum { TEXT_MAX = 300, ROUNDS = 400 };

static size_t allocated;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    allocated += size;
    return __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    allocated += count * size;
    return __real_calloc(count, size);
}

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

/* The whole table, and the way back through it as Redis goes it: the model. */
struct model {
    char text[TEXT_MAX + 1];
    char idx[TEXT_MAX * 64];
    unsigned length;
};

static void model_matches(struct model *model, const unsigned (*table)[TEXT_MAX + 1], const char *a,
                          const char *b)
{
    static char matches[TEXT_MAX * 48];
    size_t i = strlen(a), j = strlen(b), left = model->length, size = 0, count = 0;
    model->text[left] = matches[0] = '\0';
    while (i > 0 && j > 0) {
        size_t end = i;
        for (; i > 0 && j > 0 && a[i - 1] == b[j - 1]; i--, j--)
            model->text[--left] = a[i - 1];
        if (i < end) {
            size += (size_t)sprintf(matches + size, " *3 *2 :%zu :%zu *2 :%zu :%zu :%zu", i,
                                    end - 1, j, j + (end - i) - 1, end - i);
            count++;
        } else if (table[i - 1][j] > table[i][j - 1]) {
            i--;
        } else {
            j--;
        }
    }
    sprintf(model->idx, "*4 $7 matches *%zu%s $3 len :%u", count, matches, model->length);
}

static void model_of(struct model *model, const char *a, const char *b)
{
    static unsigned table[TEXT_MAX + 1][TEXT_MAX + 1];
    size_t rows = strlen(a), columns = strlen(b);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            unsigned up = table[i][j + 1], before = table[i + 1][j];
            table[i + 1][j + 1] = a[i] == b[j] ? table[i][j] + 1 : up > before ? up : before;
        }
    model->length = table[rows][columns];
    model_matches(model, table, a, b);
}

static void set_text(struct harness *h, const char *key, const char *text)
{
    struct bytes words[] = { bytes_str("SET"), bytes_str(key), bytes_str(text) };
    harness_run_args(h, words, 3);
}

static void draw_text(struct random *random, char *text)
{
    uint64_t size = random_below(random, random_below(random, 2) ? TEXT_MAX : 9);
    if (random_below(random, 4) == 0)
        size = 64 + 64 * random_below(random, 3) - random_below(random, 2);
    uint64_t letters = 1 + random_below(random, 5);
    for (uint64_t i = 0; i < size; i++)
        text[i] = (char)('a' + random_below(random, letters));
    text[size] = '\0';
}

static void as_the_whole_table_says(void **state)
{
    static struct model model;
    struct harness *h = *state;
    struct random random;
    char a[TEXT_MAX + 1], b[TEXT_MAX + 1], want[TEXT_MAX + 16];
    random_seed(&random, test_seed());
    for (unsigned round = 0; round < ROUNDS; round++) {
        draw_text(&random, a);
        draw_text(&random, b);
        set_text(h, "a", a);
        set_text(h, "b", b);
        model_of(&model, a, b);
        sprintf(want, ":%u", model.length);
        assert_string_equal(harness_run(h, "LCS a b LEN"), want);
        sprintf(want, "$%u %s", model.length, model.text);
        assert_string_equal(harness_run(h, "LCS a b"), want);
        assert_string_equal(harness_run(h, "LCS a b IDX WITHMATCHLEN"), model.idx);
    }
}

/* The largest square that there may be. A table of cells took 528 MB. */
static void takes_little_memory(void **state)
{
    struct harness *h = *state;
    harness_run(h, "SETRANGE a 11583 x");
    harness_run(h, "SETRANGE b 11583 y");
    allocated = 0;
    assert_string_equal(harness_run(h, "LCS a b LEN"), ":11583");
    assert_in_range(allocated, 1, 16 * 1024);
    allocated = 0;
    harness_run(h, "LCS a b");
    assert_in_range(allocated, 1, 512 * 1024);
    allocated = 0;
    harness_run(h, "LCS a b IDX");
    assert_in_range(allocated, 1, 1024 * 1024);
    harness_run(h, "SETRANGE long 30000000 x"); /* a border has one byte */
    harness_run(h, "SET b xyz");
    allocated = 0;
    assert_string_equal(harness_run(h, "LCS b long"), "$1 x");
    assert_in_range(allocated, 1, 1024 * 1024);
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
    harness_run(h, "SETRANGE b 29999 x");
    assert_string_equal(harness_run(h, "LCS a b LEN"),
                        "-ERR LCS of values of 20000 and 30000 bytes would take too long, their "
                        "product is limited to 134217728");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(texts),
        HARNESS_TEST(matches),
        HARNESS_TEST(as_the_whole_table_says),
        HARNESS_TEST(takes_little_memory),
        HARNESS_TEST(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
