/*
 * test_item.c - layouts at every size, and changes in place up to the last byte of the allocation.
 */
#include "shoal/store/value/item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BIG = 3 * BLOB_BYTES_MIN };

static char filler[BIG];

static struct bytes filled(size_t size)
{
    return bytes_of(filler, size);
}

static void assert_item(const struct item *item, struct bytes key, struct bytes value,
                        int64_t expire_ms)
{
    char scratch[INT64_TEXT_MAX];
    assert_true(bytes_equal(item_key(item), key));
    assert_true(item_has_key(item, key));
    assert_true(bytes_equal(item_value(item, scratch), value));
    assert_int_equal(item_value_size(item), value.size);
    assert_int_equal(item_expire_ms(item), expire_ms);
}

static void it_holds_what_it_was_made_of(void **state)
{
    struct arena *arena = *state;
    static const size_t keys[] = { 0, 1, 7, 8, 9, 16, 31, 32, 33, 250, 20000 };
    static const size_t values[] = { 0, 1, 30, 200, BLOB_BYTES_MIN - 1, BLOB_BYTES_MIN, BIG };
    for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
        for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++)
            for (int64_t expire_ms = 0; expire_ms < 2; expire_ms++) {
                struct item *item = item_new(arena, filled(keys[k]), filled(values[v]), expire_ms);
                assert_item(item, filled(keys[k]), filled(values[v]), expire_ms);
                assert_int_equal(item_encoding(item) == ITEM_BLOB, values[v] >= BLOB_BYTES_MIN);
                assert_true(item_footprint(item) >= 8 + keys[k] + values[v]);
                item_free(arena, item);
            }
}

static void the_longest_key_fits(void **state)
{
    struct arena *arena = *state;
    char *text = malloc(KEY_BYTES_MAX);
    memset(text, 'k', KEY_BYTES_MAX);
    struct bytes key = bytes_of(text, KEY_BYTES_MAX);
    struct item *item = item_new(arena, key, filled(BLOB_BYTES_MIN - 1), 99);
    assert_item(item, key, filled(BLOB_BYTES_MIN - 1), 99);
    item_free(arena, item);
    free(text);
}

static void a_different_key_is_told_apart_at_every_byte(void **state)
{
    struct arena *arena = *state;
    char text[80];
    for (size_t size = 1; size <= 70; size++) {
        memset(text, 'a', sizeof(text));
        struct item *item = item_new(arena, bytes_of(text, size), filled(3), size % 2);
        assert_true(item_has_key(item, bytes_of(text, size)));
        assert_false(item_has_key(item, bytes_of(text, size - 1)));
        assert_false(item_has_key(item, bytes_of(text, size + 1)));
        for (size_t i = 0; i < size; i++) {
            text[i] ^= 4;
            assert_false(item_has_key(item, bytes_of(text, size)));
            text[i] ^= 4;
        }
        item_free(arena, item);
    }
}

static void canonical_integers_are_encoded(void **state)
{
    struct arena *arena = *state;
    static const char *ints[] = { "0", "-1", "7", "9223372036854775807", "-9223372036854775808" };
    static const char *texts[] = {
        "", "-", "+1", "007", "-0", "1.0", " 1", "1 ", "9223372036854775808", "abc", "1e5"
    };
    for (size_t i = 0; i < sizeof(ints) / sizeof(*ints); i++) {
        struct item *item = item_new(arena, bytes_str("k"), bytes_str(ints[i]), 0);
        assert_int_equal(item_encoding(item), ITEM_INT);
        assert_int_equal(item_int(item), strtoll(ints[i], NULL, 10));
        assert_item(item, bytes_str("k"), bytes_str(ints[i]), 0);
        item_free(arena, item);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct item *item = item_new(arena, bytes_str("k"), bytes_str(texts[i]), 0);
        assert_int_equal(item_encoding(item), ITEM_RAW);
        assert_item(item, bytes_str("k"), bytes_str(texts[i]), 0);
        item_free(arena, item);
    }
}

static void an_integer_changes_in_place(void **state)
{
    struct arena *arena = *state;
    struct item *item = item_new_int(arena, bytes_str("counter"), 5, 1234);
    item_set_int(item, INT64_MIN);
    assert_item(item, bytes_str("counter"), bytes_str("-9223372036854775808"), 1234);
    item_free(arena, item);
}

/* From every value size to every other: in place exactly when the class is the same; never past the
 * end. */
static void assign_works_within_the_class_only(void **state)
{
    struct arena *arena = *state;
    struct bytes key = bytes_str("sixteen byte key");
    for (size_t from = 0; from < 120; from++)
        for (size_t to = 0; to < 120; to++)
            for (int ttls = 0; ttls < 4; ttls++) {
                int64_t before = ttls & 1 ? 11 : 0, after = ttls & 2 ? 22 : 0;
                struct item *item = item_new(arena, key, filled(from), before);
                bool same = mem_class_size(8 + (after != 0) * 8u + 16 + to) == item_footprint(item);
                assert_int_equal(item_assign(item, filled(to), after), same);
                assert_item(item, key, same ? filled(to) : filled(from), same ? after : before);
                item_free(arena, item);
            }
}

static void assign_between_integers_and_text(void **state)
{
    struct arena *arena = *state;
    struct item *item = item_new(arena, bytes_str("key"), bytes_str("textabc"), 0);
    assert_true(item_assign(item, bytes_str("12345"), 0));
    assert_int_equal(item_encoding(item), ITEM_INT);
    assert_item(item, bytes_str("key"), bytes_str("12345"), 0);
    assert_true(item_assign(item, bytes_str("again"), 9));
    assert_int_equal(item_encoding(item), ITEM_RAW);
    assert_item(item, bytes_str("key"), bytes_str("again"), 9);
    assert_true(item_assign_int(item, -3, 0));
    assert_item(item, bytes_str("key"), bytes_str("-3"), 0);
    item_free(arena, item);
}

static void a_blob_is_rewritten_unless_read_or_wasteful(void **state)
{
    struct arena *arena = *state;
    struct item *item = item_new(arena, bytes_str("key"), filled(BIG), 0);
    struct blob *blob = item_blob(item);
    assert_true(item_assign(item, filled(BIG - 10), 5));
    assert_ptr_equal(item_blob(item), blob);
    assert_item(item, bytes_str("key"), filled(BIG - 10), 5);
    assert_false(item_assign(item, filled(BIG / 3), 5));
    assert_false(item_assign(item, bytes_str("small"), 5));
    blob_read(blob);
    assert_false(item_assign(item, filled(BIG - 20), 5));
    assert_int_equal(item_capacity(item), 0);
    blob_unread(blob);
    assert_item(item, bytes_str("key"), filled(BIG - 10), 5);
    item_free(arena, item);
}

static void a_ttl_comes_and_goes_where_there_is_room(void **state)
{
    struct arena *arena = *state;
    struct bytes key = bytes_str("key");
    for (size_t size = 0; size < 300; size++) {
        struct item *item = item_new(arena, key, filled(size), 0);
        size_t used = 8 + key.size + size;
        bool room = mem_class_size(used) >= used + 8;
        assert_int_equal(item_set_expire(item, 77), room);
        assert_item(item, key, filled(size), room ? 77 : 0);
        assert_true(item_set_expire(item, 0));
        assert_item(item, key, filled(size), 0);
        struct item *copy = item_rehouse(arena, item, item_key(item), 88);
        assert_item(copy, key, filled(size), 88);
        item_free(arena, item);
        item_free(arena, copy);
    }
}

static void rehousing_shares_the_blob(void **state)
{
    struct arena *arena = *state;
    struct item *item = item_new(arena, bytes_str("key"), filled(BIG), 0);
    struct item *copy = item_rehouse(arena, item, item_key(item), 5);
    assert_ptr_equal(item_blob(copy), item_blob(item));
    item_free(arena, item);
    assert_item(copy, bytes_str("key"), filled(BIG), 5);
    item_free(arena, copy);
}

static void room_can_be_used_to_its_last_byte(void **state)
{
    struct arena *arena = *state;
    static const size_t sizes[] = { 0, 1, 100, 5000, BLOB_BYTES_MIN - 1, BLOB_BYTES_MIN, BIG };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct item *item = item_new_roomy(arena, bytes_str("key"), sizes[i], sizes[i] * 2 + 1, 0);
        assert_true(item_capacity(item) >= sizes[i]);
        size_t footprint = item_footprint(item), capacity = item_capacity(item);
        item_set_size(item, capacity);
        memset(item_raw(item), 'z', capacity);
        assert_int_equal(item_value_size(item), capacity);
        assert_int_equal(item_footprint(item), footprint);
        item_set_size(item, 0);
        assert_item(item, bytes_str("key"), bytes_str(""), 0);
        item_free(arena, item);
    }
}

static int set_up(void **state)
{
    for (size_t i = 0; i < BIG; i++)
        filler[i] = (char)('a' + i % 23);
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    struct arena *arena = *state;
    arena_free_all(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_what_it_was_made_of),
        cmocka_unit_test(the_longest_key_fits),
        cmocka_unit_test(a_different_key_is_told_apart_at_every_byte),
        cmocka_unit_test(canonical_integers_are_encoded),
        cmocka_unit_test(an_integer_changes_in_place),
        cmocka_unit_test(assign_works_within_the_class_only),
        cmocka_unit_test(assign_between_integers_and_text),
        cmocka_unit_test(a_blob_is_rewritten_unless_read_or_wasteful),
        cmocka_unit_test(a_ttl_comes_and_goes_where_there_is_room),
        cmocka_unit_test(rehousing_shares_the_blob),
        cmocka_unit_test(room_can_be_used_to_its_last_byte),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
