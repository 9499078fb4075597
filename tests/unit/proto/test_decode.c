/*
 * test_decode.c - hints, spans, and that splits change nothing. Dialogues: test_golden.c.
 */
#include "unit/proto/decode_check.h"

#include "support/seed.h"

static void spans_are_relative_to_the_request(void **state)
{
    (void)state;
    static const char pipeline[] =
        "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nECHO 'a b'\r\n";
    struct decoder d;
    decoder_init(&d);
    const char *at = pipeline, *end = pipeline + sizeof(pipeline) - 1;
    assert_int_equal(decode(&d, PROTO_RESP2, &usual, at, (size_t)(end - at)), DECODE_OK);
    assert_int_equal(d.argc, 1);
    assert_int_equal(d.size, 14);
    assert_ptr_equal(d.base, at);
    at += d.size;
    assert_int_equal(decode(&d, PROTO_RESP3, &usual, at, (size_t)(end - at)), DECODE_OK);
    assert_arg(&d, 0, "GET");
    assert_arg(&d, 1, "k");
    assert_int_equal(d.args[1].offset, 17);
    at += d.size;
    assert_int_equal(decode(&d, PROTO_RESP2, &usual, at, (size_t)(end - at)), DECODE_OK);
    assert_arg(&d, 0, "ECHO");
    assert_arg(&d, 1, "a b");
    assert_ptr_equal(at + d.size, end);
    decoder_reset(&d);
}

/* Decodes one request and returns what was known of it before, then says that `now` is. */
static const void *decode_known(struct decoder *d, const char *text, const void *now)
{
    assert_int_equal(decode(d, PROTO_RESP2, &usual, text, strlen(text)), DECODE_OK);
    const void *known = d->known;
    d->known = now;
    return known;
}

static void what_is_known_goes_with_the_same_beginning(void **state)
{
    (void)state;
    const char *get = "GET", *other = "other";
    struct decoder d;
    decoder_init(&d);
    assert_null(decode_known(&d, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", get));
    assert_ptr_equal(decode_known(&d, "*2\r\n$3\r\nGET\r\n$4\r\nkeys\r\n", get), get);
    assert_arg(&d, 0, "GET");
    assert_arg(&d, 1, "keys");
    /* another case, count, name, or form */
    assert_null(decode_known(&d, "*2\r\n$3\r\nget\r\n$1\r\nk\r\n", other));
    assert_null(decode_known(&d, "*3\r\n$3\r\nget\r\n$1\r\nk\r\n$0\r\n\r\n", other));
    assert_null(decode_known(&d, "*2\r\n$3\r\ngex\r\n$1\r\nk\r\n", other));
    /* what comes between is forgotten too, whatever its form */
    assert_null(decode_known(&d, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", get));
    assert_null(decode_known(&d, "get k and nothing else\r\n", other));
    assert_null(decode_known(&d, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", get));
    assert_int_equal(decode(&d, PROTO_NATIVE, &usual, "\5\0\0\0\1\0\0\0\0", 9), DECODE_OK);
    assert_null(d.known);
    d.known = other;
    assert_null(decode_known(&d, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", get));
    assert_null(decode_known(&d, "*1\r\n$4\r\nPING\r\n", other));
    assert_null(decode_known(&d, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", get));
    /* nothing is kept of a long one */
    assert_null(decode_known(&d, "*2\r\n$11\r\nINCRBYFLOAT\r\n$1\r\nk\r\n", other));
    assert_null(decode_known(&d, "*2\r\n$11\r\nINCRBYFLOAT\r\n$1\r\nk\r\n", other));
    decoder_reset(&d);
    assert_null(decode_known(&d, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", get));
    decoder_reset(&d);
}

static void the_same_beginning_is_no_way_around_limits(void **state)
{
    (void)state;
    static const char eleven[] =
        "*11\r\n$3\r\nDEL\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n"
        "$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n8\r\n$1\r\n9\r\n$1\r\na\r\n";
    struct decoder d;
    decoder_init(&d);
    assert_null(decode_known(&d, eleven, "DEL"));
    assert_non_null(decode_known(&d, eleven, "DEL"));
    assert_int_equal(decode(&d, PROTO_RESP2, &before_auth, eleven, sizeof(eleven) - 1), DECODE_BAD);
    assert_string_equal(d.error, "Protocol error: unauthenticated multibulk length");
    decoder_reset(&d);
}

static void wants_what_is_declared(void **state)
{
    (void)state;
    struct decoder d;
    decoder_init(&d);
    const char *set = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc";
    assert_int_equal(decode(&d, PROTO_RESP2, &usual, set, strlen(set)), DECODE_MORE);
    assert_int_equal(d.want, strlen(set) - 3 + 1000000 + 2);
    decoder_reset(&d);
    assert_int_equal(decode(&d, PROTO_NATIVE, &usual, "\x10\x27\0\0\1", 5), DECODE_MORE);
    assert_int_equal(d.want, 10004);
    decoder_reset(&d);
    assert_int_equal(decode(&d, PROTO_RESP2, &usual, "", 0), DECODE_MORE);
    assert_true(d.want > 0);
    decoder_reset(&d);
}

/* A pipeline of likely and unlikely bytes. */
static size_t random_stream(unsigned *seed, char *out)
{
    static const char *const pieces[] = {
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n$3\r\nGET\r\n$2\r\nab\r\n",
        "PING\r\n",
        "\r\n",
        "*0\r\n",
        "ECHO \"a\\x41 b\"\n",
        "*1\r\n",
        "$3\r\nabc\r\n",
        "*-1\r\n",
        "\n",
        "'",
        "\"",
        "\r",
        "x",
        "$",
        "*",
        "12",
        "GET k\r\n",
        "a 'b c' d\r\n",
    };
    size_t size = 0;
    for (int n = rand_r(seed) % 12; n >= 0; n--) {
        int common = rand_r(seed) % 4;
        const char *piece =
            pieces[(size_t)rand_r(seed) % (common ? 8 : sizeof(pieces) / sizeof(*pieces))];
        memcpy(out + size, piece, strlen(piece));
        size += strlen(piece);
    }
    return size;
}

/* All requests of a stream that arrives in pieces of at most `step` bytes, as one text. */
static size_t transcript(const char *data, size_t size, unsigned *seed, size_t step, char *out)
{
    struct decoder d;
    size_t at = 0, written = 0, arrived = 0;
    decoder_init(&d);
    for (;;) {
        enum decode_status status = decode(&d, PROTO_RESP2, &usual, data + at, arrived - at);
        if (status == DECODE_BAD) {
            written += (size_t)sprintf(out + written, "%s", d.error);
            break;
        }
        if (status == DECODE_MORE) {
            if (arrived == size)
                break;
            arrived += 1 + (size_t)rand_r(seed) % step;
            arrived = arrived < size ? arrived : size;
            continue;
        }
        for (uint32_t i = 0; i < d.argc; i++)
            written += (size_t)sprintf(out + written, "[%.*s]", (int)d.args[i].size,
                                       d.base + d.args[i].offset);
        written += (size_t)sprintf(out + written, "%u;", d.size);
        at += d.size;
    }
    decoder_reset(&d);
    return written;
}

static void splits_change_nothing(void **state)
{
    (void)state;
    unsigned seed = test_seed();
    static char data[1024], whole[8192], split[8192];
    for (int round = 0; round < 20000; round++) {
        size_t size = random_stream(&seed, data);
        size_t expected = transcript(data, size, &seed, 1 << 20, whole);
        for (size_t step = 1; step <= 16; step *= 4) {
            if (transcript(data, size, &seed, step, split) != expected ||
                memcmp(whole, split, expected) != 0)
                fail_msg("\"%.*s\": whole %.*s, split %s", (int)size, data, (int)expected, whole,
                         split);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_relative_to_the_request),
        cmocka_unit_test(what_is_known_goes_with_the_same_beginning),
        cmocka_unit_test(the_same_beginning_is_no_way_around_limits),
        cmocka_unit_test(wants_what_is_declared),
        cmocka_unit_test(splits_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
