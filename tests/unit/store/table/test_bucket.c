/*
 * test_bucket.c - tags are matched exactly, and chains keep their form whatever is put and released.
 */
#include "shoal/base/random.h"
#include "shoal/store/table/ghost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/seed.h"

enum { WORDS_MAX = 60 };

struct chain {
    struct arena *arena;
    struct bucket *head;
    uint64_t bytes; /* of children */
    struct random random;
};

static int set_up(void **state)
{
    struct chain *chain = calloc(1, sizeof(*chain));
    chain->arena = arena_new();
    chain->head = arena_alloc_aligned(chain->arena, sizeof(struct bucket), sizeof(struct bucket));
    bucket_clear(chain->head);
    random_seed(&chain->random, test_seed());
    *state = chain;
    return 0;
}

static int tear_down(void **state)
{
    struct chain *chain = *state;
    chain_clear(chain->arena, chain->head, &chain->bytes);
    int leaked = chain->bytes != 0;
    arena_free_aligned(chain->arena, chain->head, sizeof(struct bucket), sizeof(struct bucket));
    arena_free_all(&chain->arena);
    free(chain);
    return leaked;
}

static void insert(struct chain *chain, uint64_t word)
{
    assert_true(
        chain_insert(chain->arena, chain->head, (uint8_t)(1 + word % 255), word, &chain->bytes));
}

/* The bucket and the slot of a word; NULL when the chain does not hold it. */
static struct bucket *find(struct chain *chain, uint64_t word, unsigned *slot)
{
    for (struct bucket *b = chain->head; b != NULL; b = bucket_child(b))
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1) {
            *slot = mask_first(used);
            if (b->slot[*slot] == word)
                return b;
        }
    return NULL;
}

static void release(struct chain *chain, uint64_t word, uint64_t ghost)
{
    unsigned slot;
    struct bucket *bucket = find(chain, word, &slot);
    assert_non_null(bucket);
    bucket_release(bucket, slot, ghost);
}

/* All buckets but the last are full, a last one that is not the first holds two or more. */
static void check_form(const struct chain *chain)
{
    unsigned children = 0;
    for (const struct bucket *b = chain->head; b != NULL; b = bucket_child(b)) {
        if (bucket_linked(b))
            assert_int_equal(bucket_free(b), 0);
        else if (b != chain->head)
            assert_true(mask_count(bucket_used(b)) >= 2);
        children += b != chain->head;
    }
    assert_int_equal(chain->bytes, children * sizeof(struct bucket));
}

static void a_tag_matches_its_slots_alone(void **state)
{
    struct chain *chain = *state;
    for (int i = 0; i < 100 * 1000; i++) {
        struct bucket bucket = { .hdr = (uint8_t)random_next(&chain->random) };
        uint8_t tag = (uint8_t)(1 + random_below(&chain->random, 255));
        uint64_t wanted = 0, used = 0;
        for (unsigned k = 0; k < BUCKET_SLOTS; k++) {
            unsigned kind = (unsigned)random_below(&chain->random, 4);
            uint8_t near = (uint8_t)(tag ^ 1 << random_below(&chain->random, 8));
            bucket.tag[k] = kind == 0 ? tag : kind == 1 ? 0 : near;
            wanted |= bucket.tag[k] == tag ? (uint64_t)0x80 << 8 * k : 0;
            used |= bucket.tag[k] != 0 ? (uint64_t)0x80 << 8 * k : 0;
        }
        assert_true(bucket_match(&bucket, tag) == wanted);
        assert_true(bucket_used(&bucket) == used);
    }
}

static void an_eighth_word_takes_a_child(void **state)
{
    struct chain *chain = *state;
    for (uint64_t word = 1; word <= BUCKET_SLOTS; word++)
        insert(chain, word);
    assert_false(bucket_linked(chain->head));
    assert_int_equal(chain->bytes, 0);
    insert(chain, 8);
    assert_true(bucket_linked(chain->head));
    assert_int_equal(chain->bytes, 64);
    assert_int_equal(chain_count(chain->head), 8);
    check_form(chain);
}

static void a_child_of_one_is_folded_back(void **state)
{
    struct chain *chain = *state;
    for (uint64_t word = 1; word <= 8; word++)
        insert(chain, word);
    release(chain, 3, 0);
    chain_compact(chain->arena, chain->head, &chain->bytes);
    assert_int_equal(chain->bytes, 0);
    assert_int_equal(chain_count(chain->head), 7);
    check_form(chain);
}

static void empty_slots_go_first_and_then_the_oldest_ghost(void **state)
{
    struct chain *chain = *state;
    unsigned slot;
    const uint64_t young = ghost_word(1 << 10, 30), old = ghost_word(2 << 10, 10),
                   middle = ghost_word(3 << 10, 20);
    for (uint64_t word = 1; word <= BUCKET_SLOTS; word++)
        insert(chain, word);
    bucket_release(chain->head, 1, young);
    bucket_release(chain->head, 3, old);
    bucket_release(chain->head, 4, 0);
    bucket_release(chain->head, 5, middle);
    static const unsigned order[] = { 4, 3, 5, 1 };
    for (unsigned i = 0; i < 4; i++) {
        insert(chain, 100 + i);
        assert_non_null(find(chain, 100 + i, &slot));
        assert_int_equal(slot, order[i]);
    }
    assert_false(bucket_linked(chain->head));
}

static void chains_keep_their_form_and_their_words(void **state)
{
    struct chain *chain = *state;
    bool held[WORDS_MAX + 1] = { false };
    unsigned count = 0, slot;
    for (int i = 0; i < 200 * 1000; i++) {
        unsigned released = (unsigned)random_below(&chain->random, 4);
        uint64_t word = 1 + random_below(&chain->random, WORDS_MAX);
        if (!held[word]) {
            insert(chain, word);
            held[word] = true;
            count++;
            continue;
        }
        for (; released > 0 && count > 0; word = word % WORDS_MAX + 1) {
            if (!held[word])
                continue;
            release(chain, word, released == 1 ? ghost_word(word << 20, (uint32_t)i) : 0);
            held[word] = false;
            count--;
            released--;
        }
        chain_compact(chain->arena, chain->head, &chain->bytes);
        check_form(chain);
        assert_int_equal(chain_count(chain->head), count);
    }
    for (uint64_t word = 1; word <= WORDS_MAX; word++)
        assert_int_equal(find(chain, word, &slot) != NULL, held[word]);
}

#define IN_CHAIN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CHAIN(a_tag_matches_its_slots_alone),
        IN_CHAIN(an_eighth_word_takes_a_child),
        IN_CHAIN(a_child_of_one_is_folded_back),
        IN_CHAIN(empty_slots_go_first_and_then_the_oldest_ghost),
        IN_CHAIN(chains_keep_their_form_and_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
