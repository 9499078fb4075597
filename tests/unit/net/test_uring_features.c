/*
 * test_uring_features.c - what --uring-features takes, and which features a ring then uses.
 */
#include "shoal/net/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ring_engine *uring(void)
{
    return ring_engine_find("uring");
}

/* The features of a ring made with this list; skips where there is no io_uring. */
static const char *features_with(const char *list)
{
    static char features[RING_FEATURES_TEXT];
    struct ring_config config = {
        .entries = 8, .completions = 16, .buffer_bytes = 4096, .buffer_count = 2, .features = list
    };
    int error = 0;
    struct ring *ring = uring()->open(&config, &error);
    if (ring == NULL) {
        print_message("no io_uring here: %s\n", uring()->explain(error));
        skip();
    }
    strcpy(features, ring->features);
    ring_free(&ring);
    return features;
}

static void known_names_are_taken(void **state)
{
    (void)state;
    assert_null(uring()->features_unknown("all"));
    assert_null(uring()->features_unknown("6.1"));
    assert_null(uring()->features_unknown(""));
    assert_null(uring()->features_unknown("registered-files"));
    assert_null(uring()->features_unknown(" registered-files, incremental-buffers,"));
}

static void the_first_unknown_name_is_told(void **state)
{
    (void)state;
    assert_string_equal(uring()->features_unknown("all,zero-copy,x"), "zero-copy,x");
    assert_string_equal(uring()->features_unknown("registered"), "registered");
    assert_string_equal(uring()->features_unknown("registered-files2"), "registered-files2");
    assert_string_equal(uring()->features_unknown("ALL"), "ALL");
}

static void the_known_names_can_be_listed(void **state)
{
    (void)state;
    char known[RING_FEATURES_TEXT];
    uring()->features_known(known);
    assert_string_equal(
        known, "all, 6.1, incremental-buffers (Linux 6.12), registered-files (Linux 6.14)");
}

static void the_floor_has_no_later_feature(void **state)
{
    (void)state;
    assert_string_equal(
        features_with("6.1"),
        "single-issuer defer-taskrun multishot-accept multishot-recv buffer-ring msg-ring");
}

/* Whatever this kernel has: the two by name are what `all` is, each without the other. */
static void a_name_turns_on_its_own_feature_only(void **state)
{
    (void)state;
    static const char buffers[] = "incremental-buffers", files[] = "registered-files";
    const char *features = features_with("all");
    bool has_buffers = strstr(features, buffers) != NULL,
         has_files = strstr(features, files) != NULL;
    features = features_with(buffers);
    assert_int_equal(strstr(features, buffers) != NULL, has_buffers);
    assert_null(strstr(features, files));
    features = features_with("6.1 registered-files");
    assert_int_equal(strstr(features, files) != NULL, has_files);
    assert_null(strstr(features, buffers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_names_are_taken),
        cmocka_unit_test(the_first_unknown_name_is_told),
        cmocka_unit_test(the_known_names_can_be_listed),
        cmocka_unit_test(the_floor_has_no_later_feature),
        cmocka_unit_test(a_name_turns_on_its_own_feature_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
