/*
 * test_server.c - the process's state, how reactors report at the start, how main asks for the end.
 *
 * What server_run() does with threads and signals is for the end-to-end tests.
 */
#include "shoal/server/server.h"

#include "support/reactors.h"

/* ---- what it is made of -------------------------------------------------- */

static void it_has_a_reactor_for_each_shard(void **state)
{
    (void)state;
    assert_int_equal(server->count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(server->reactor[i]->id, i);
        assert_ptr_equal(server->reactor[i]->server, server);
        assert_ptr_equal(server->reactor[i]->peer, server->reactor);
        assert_ptr_equal(&server_worker(server, i)->reactor, server->reactor[i]);
    }
}

/* A reactor that uses the caller's settings would see them change. */
static void it_keeps_settings_of_its_own(void **state)
{
    (void)state;
    assert_ptr_not_equal(server->settings, &reactors_settings);
    assert_ptr_equal(reactor_at(0)->settings, server->settings);
    assert_int_equal(server->settings->maxmemory, reactors_settings.maxmemory);
    assert_int_equal(server->settings_version, 0);
}

static void each_run_has_a_name(void **state)
{
    (void)state;
    assert_int_equal(strlen(server->run_id), RUN_ID_SIZE);
    assert_int_equal(strspn(server->run_id, "0123456789abcdef"), RUN_ID_SIZE);
    struct server *other = server_new(&reactors_settings);
    assert_string_not_equal(other->run_id, server->run_id);
    server_free(other);
}

static void it_knows_when_it_was_started(void **state)
{
    (void)state;
    assert_int_equal(server->started_mono_ns, clock_mono_ns());
    assert_int_equal(server->started_wall_us, clock_wall_us());
}

/* ---- the start ----------------------------------------------------------- */

/* As the last of three that reports, when main has decided already: nobody is to be waited for. */
static bool last_reports(int error, int of_others)
{
    server->started = server->count - 1;
    server->start_error = of_others;
    server->start_decided = true;
    return server_reactor_started(server, error);
}

static void reactors_go_on_if_all_have_started(void **state)
{
    (void)state;
    assert_true(last_reports(0, 0));
    assert_int_equal(server->started, server->count);
}

static void one_that_failed_stops_all(void **state)
{
    (void)state;
    assert_false(last_reports(-ENOSYS, 0));
    assert_int_equal(server->start_error, -ENOSYS);
    assert_false(last_reports(0, -EPERM));
}

static void the_first_error_is_kept(void **state)
{
    (void)state;
    assert_false(last_reports(-ENOSYS, -EPERM));
    assert_int_equal(server->start_error, -EPERM);
}

/* ---- what main asks for -------------------------------------------------- */

static void it_goes_on_until_it_is_asked_to_stop(void **state)
{
    (void)state;
    server_begin(server);
    live_ms(100, 10);
    assert_false(drain_has_begun(&server->drain));
    assert_false(timer_is_linked(&server->drain.look));
    server_stop(server);
    turn(SEQUENCER);
    assert_true(drain_has_begun(&server->drain));
    live_ms(20, 10);
    for (uint32_t i = 0; i < server->count; i++)
        assert_true(reactor_at(i)->loop->stopped);
}

static void asking_twice_is_asking_once(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    client->line->blocked = true;
    tell(client, "PING");
    turn_until_quiet();
    server_begin(server);
    server_stop(server);
    turn_until_quiet();
    int64_t until_ms = server->drain.until_ms;
    live_ms(50, 10);
    server_stop(server);
    live_ms(50, 10);
    assert_int_equal(server->drain.until_ms, until_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, it_has_a_reactor_for_each_shard),
        with_reactors(1, it_keeps_settings_of_its_own),
        with_reactors(1, each_run_has_a_name),
        with_reactors(1, it_knows_when_it_was_started),
        with_reactors(3, reactors_go_on_if_all_have_started),
        with_reactors(3, one_that_failed_stops_all),
        with_reactors(3, the_first_error_is_kept),
        with_reactors(3, it_goes_on_until_it_is_asked_to_stop),
        with_reactors(2, asking_twice_is_asking_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
