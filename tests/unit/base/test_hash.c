/*
 * test_hash.c - known slots, the CRC against its bit-by-bit definition, and a secret that matters.
 */
#include "shoal/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint16_t crc16_by_bits(const uint8_t *p, size_t n)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint16_t)(p[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static void crc16_has_the_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc16("123456789", 9), 0x31c3);
    assert_int_equal(crc16("", 0), 0);
}

static void crc16_is_the_bitwise_one_at_every_size(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 151 + 43);
    for (size_t n = 0; n <= 200; n++)
        for (size_t offset = 0; offset < 9; offset++)
            assert_int_equal(crc16(data + offset, n), crc16_by_bits(data + offset, n));
}

static uint16_t slot(const char *text)
{
    return hash_slot(bytes_str(text));
}

static void slots_are_those_of_redis_cluster(void **state)
{
    (void)state;
    assert_int_equal(slot("foo"), 12182);
    assert_int_equal(slot("bar"), 5061);
    assert_int_equal(slot("hello"), 866);
    assert_int_equal(slot("somekey"), 11058);
    assert_int_equal(slot("123456789"), 12739);
    assert_int_equal(slot(""), 0);
}

static void a_hash_tag_decides_the_slot(void **state)
{
    (void)state;
    assert_int_equal(slot("{foo}"), slot("foo"));
    assert_int_equal(slot("a{foo}b"), slot("foo"));
    assert_int_equal(slot("{user1000}.following"), slot("{user1000}.followers"));
    assert_int_equal(slot("some-longer-prefix{foo}and-suffix{bar}"), slot("foo"));
    assert_int_equal(slot("x{{foo}}y"), slot("{foo"));
    assert_int_equal(slot("}{foo}"), slot("foo"));
}

static bool whole(const char *text)
{
    struct bytes key = bytes_str(text);
    return bytes_equal(hash_tag(key), key);
}

static void without_a_proper_tag_the_whole_key_counts(void **state)
{
    (void)state;
    assert_true(whole("foo{}{bar}"));
    assert_true(whole("{}"));
    assert_true(whole("{"));
    assert_true(whole("{abc"));
    assert_true(whole("abcdefgh{ijklmnop"));
    assert_true(whole("}abc{"));
    assert_true(whole("no tag at all in this one"));
}

static void a_tag_is_found_at_every_position(void **state)
{
    (void)state;
    for (size_t size = 3; size < 40; size++)
        for (size_t at = 0; at + 3 <= size; at++) {
            char text[40];
            memset(text, 'a', size);
            memcpy(text + at, "{x}", 3);
            struct bytes tag = hash_tag(bytes_of(text, size));
            assert_ptr_equal(tag.data, text + at + 1);
            assert_int_equal(tag.size, 1);
        }
}

static void the_hash_follows_the_secret(void **state)
{
    (void)state;
    struct bytes key = bytes_str("some key");
    hash_seed_fixed(1);
    uint64_t one = hash_key(key);
    hash_seed_fixed(2);
    uint64_t two = hash_key(key);
    hash_seed_fixed(1);
    assert_int_equal(hash_key(key), one);
    assert_int_not_equal(one, two);
    hash_seed();
    uint64_t random = hash_key(key);
    hash_seed();
    assert_int_not_equal(hash_key(key), random);
}

static void the_hash_sees_every_byte(void **state)
{
    (void)state;
    hash_seed();
    char text[300];
    memset(text, 'k', sizeof(text));
    for (size_t size = 1; size < sizeof(text); size++) {
        uint64_t before = hash_key(bytes_of(text, size));
        for (size_t i = 0; i < size; i++) {
            text[i] ^= 1;
            assert_int_not_equal(hash_key(bytes_of(text, size)), before);
            text[i] ^= 1;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc16_has_the_check_value),
        cmocka_unit_test(crc16_is_the_bitwise_one_at_every_size),
        cmocka_unit_test(slots_are_those_of_redis_cluster),
        cmocka_unit_test(a_hash_tag_decides_the_slot),
        cmocka_unit_test(without_a_proper_tag_the_whole_key_counts),
        cmocka_unit_test(a_tag_is_found_at_every_position),
        cmocka_unit_test(the_hash_follows_the_secret),
        cmocka_unit_test(the_hash_sees_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
