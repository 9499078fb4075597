/*
 * test_engine.c - which engine it becomes when some or all reactors are refused one: the same for
 * all.
 */
#include "shoal/server/engine.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REACTORS = 3 };

/* ---- two engines in place of the real ones ------------------------------- */

static _Thread_local int uring_error, epoll_error; /* of this thread's open() */
static int open_rings;                             /* atomically */

static struct ring *ring_of(const struct ring_engine *engine)
{
    struct ring *ring = calloc(1, sizeof(*ring));
    ring->engine = engine;
    __atomic_add_fetch(&open_rings, 1, __ATOMIC_RELAXED);
    return ring;
}

static void close_ring(struct ring *ring)
{
    free(ring);
    __atomic_sub_fetch(&open_rings, 1, __ATOMIC_RELAXED);
}

static struct ring *open_uring(const struct ring_config *config, int *error)
{
    (void)config;
    *error = uring_error;
    return uring_error == 0 ? ring_of(ring_engine_find("uring")) : NULL;
}

static struct ring *open_epoll(const struct ring_config *config, int *error)
{
    (void)config;
    *error = epoll_error;
    return epoll_error == 0 ? ring_of(ring_engine_find("epoll")) : NULL;
}

static const char *explain(int error)
{
    return error == -EPERM ? "it is blocked" : "it fails";
}

static const struct ring_engine fakes[] = {
    { .name = "io_uring", .option = "uring", open_uring, explain, .free = close_ring },
    { .name = "epoll", .option = "epoll", open_epoll, explain, .free = close_ring },
};

const struct ring_engine *__wrap_ring_engine_find(const char *option);
const struct ring_engine *__wrap_ring_engine_find(const char *option)
{
    return strcmp(option, "uring") == 0 ? &fakes[0] : &fakes[1];
}

/* ---- reactors ------------------------------------------------------------ */

struct opener {
    struct engine_choice *choice;
    int uring_error, epoll_error; /* what the system will say */
    int error;
    struct ring *ring;
    pthread_t thread;
};

static void *open_one(void *argument)
{
    struct opener *opener = argument;
    uring_error = opener->uring_error;
    epoll_error = opener->epoll_error;
    opener->ring = engine_open(opener->choice, &(struct ring_config){ 0 }, &opener->error);
    return NULL;
}

/* All of them get a ring of this engine (NULL: none, and this error). */
static void open_all(struct engine_choice *choice, struct opener opener[REACTORS],
                     const char *engine, int error)
{
    for (int i = 0; i < REACTORS; i++) {
        opener[i].choice = choice;
        assert_int_equal(pthread_create(&opener[i].thread, NULL, open_one, &opener[i]), 0);
    }
    for (int i = 0; i < REACTORS; i++)
        pthread_join(opener[i].thread, NULL);
    assert_int_equal(open_rings, engine != NULL ? REACTORS : 0);
    for (int i = 0; i < REACTORS; i++) {
        assert_int_equal(opener[i].error, error);
        if (engine == NULL) {
            assert_null(opener[i].ring);
            continue;
        }
        assert_string_equal(opener[i].ring->engine->option, engine);
        ring_free(&opener[i].ring);
    }
}

static void auto_is_io_uring_where_it_is_allowed(void **state)
{
    (void)state;
    struct engine_choice choice;
    struct opener opener[REACTORS] = { 0 };
    char why[ENGINE_WHY_TEXT];
    engine_choice_init(&choice, REACTORS, IO_ENGINE_AUTO);
    open_all(&choice, opener, "uring", 0);
    engine_why(&choice, why);
    assert_string_equal(why, "auto");
    engine_choice_fini(&choice);
}

static void one_refusal_moves_all_to_epoll(void **state)
{
    (void)state;
    for (int refused = 0; refused < REACTORS; refused++) {
        struct engine_choice choice;
        struct opener opener[REACTORS] = { 0 };
        char why[ENGINE_WHY_TEXT];
        opener[refused].uring_error = -ENOMEM;
        engine_choice_init(&choice, REACTORS, IO_ENGINE_AUTO);
        open_all(&choice, opener, "epoll", 0);
        engine_why(&choice, why);
        assert_string_equal(why, "auto: it fails (Cannot allocate memory)");
        engine_choice_fini(&choice);
    }
}

static void nobody_falls_back_from_what_was_asked_for(void **state)
{
    (void)state;
    struct engine_choice choice;
    struct opener opener[REACTORS] = { { .uring_error = -EPERM } };
    char why[ENGINE_WHY_TEXT];
    engine_choice_init(&choice, REACTORS, IO_ENGINE_URING);
    open_all(&choice, opener, NULL, -EPERM);
    assert_string_equal(choice.engine->option, "uring");
    engine_choice_fini(&choice);
    engine_choice_init(&choice, REACTORS, IO_ENGINE_EPOLL);
    open_all(&choice, opener, "epoll", 0); /* io_uring is not even tried */
    engine_why(&choice, why);
    assert_string_equal(why, "as asked");
    engine_choice_fini(&choice);
}

static void without_any_engine_the_last_error_is_said(void **state)
{
    (void)state;
    struct engine_choice choice;
    struct opener opener[REACTORS] = { { .uring_error = -EPERM }, { .epoll_error = -EMFILE } };
    engine_choice_init(&choice, REACTORS, IO_ENGINE_AUTO);
    open_all(&choice, opener, NULL, -EMFILE);
    assert_string_equal(choice.engine->option, "epoll");
    assert_int_equal(choice.refused_error, -EPERM);
    engine_choice_fini(&choice);
}

/* Threads that have been told of one round go into the next at once: none may be left behind. */
static void rounds_do_not_mix(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct engine_choice choice;
        struct opener opener[REACTORS] = { 0 };
        opener[i % REACTORS].uring_error = -EPERM;
        engine_choice_init(&choice, REACTORS, IO_ENGINE_AUTO);
        open_all(&choice, opener, "epoll", 0);
        engine_choice_fini(&choice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_is_io_uring_where_it_is_allowed),
        cmocka_unit_test(one_refusal_moves_all_to_epoll),
        cmocka_unit_test(nobody_falls_back_from_what_was_asked_for),
        cmocka_unit_test(without_any_engine_the_last_error_is_said),
        cmocka_unit_test(rounds_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
