/*
 * test_cluster.c - CLUSTER shows one node that has every slot, under the address it was reached at.
 */
#include "support/row_harness.h"

#include "shoal/base/hash.h"
#include "shoal/store/keyspace/keyspace.h"

#include <arpa/inet.h>
#include <unistd.h>

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static_assert(sizeof(ID) == RUN_ID_SIZE + 1, "as row_setup() fills it");

/* The connection's end is a socket bound to the address. */
static void reached_at(int family, const char *address)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    admin->conn.fd = socket(family, SOCK_DGRAM, 0);
    if (family == AF_INET) {
        inet_pton(family, address, &v4.sin_addr);
        assert_int_equal(bind(admin->conn.fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
    } else {
        inet_pton(family, address, &v6.sin6_addr);
        assert_int_equal(bind(admin->conn.fd, (struct sockaddr *)&v6, sizeof(v6)), 0);
    }
}

static void info(void **state)
{
    (void)state;
    const char *text = row_run("CLUSTER INFO");
    assert_non_null(strstr(text, "cluster_enabled:0 cluster_state:ok "));
    assert_non_null(strstr(text, "cluster_slots_assigned:16384 cluster_slots_ok:16384 "));
}

static void one_node(void **state)
{
    (void)state;
    reached_at(AF_INET, "127.0.0.1");
    assert_string_equal(row_run("CLUSTER MYID"), "$40 " ID);
    assert_non_null(strstr(row_run("CLUSTER NODES"),
                           ID " 127.0.0.1:7000@0 myself,master - 0 0 0 connected 0-16383 "));
    assert_string_equal(row_run("CLUSTER SLOTS"),
                        "*1 *3 :0 :16383 *4 $9 127.0.0.1 :7000 $40 " ID " *0");
    assert_string_equal(
        row_run("CLUSTER SHARDS"),
        "*1 *4 $5 slots *2 :0 :16383 $5 nodes *1 *14 $2 id $40 " ID
        " $4 port :7000 $2 ip $9 127.0.0.1 $8 endpoint $9 127.0.0.1 $4 role $6 master "
        "$18 replication-offset :0 $6 health $6 online");
    close(admin->conn.fd);
}

static void brackets_of_ipv6_are_left_out(void **state)
{
    (void)state;
    int probe = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 loopback = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool there = probe >= 0 && bind(probe, (struct sockaddr *)&loopback, sizeof(loopback)) == 0;
    close(probe);
    if (!there)
        skip();
    reached_at(AF_INET6, "::1");
    assert_non_null(strstr(row_run("CLUSTER SLOTS"), " *4 $3 ::1 :7000 "));
    close(admin->conn.fd);
}

static void keyslot(void **state)
{
    (void)state;
    assert_string_equal(row_run("CLUSTER KEYSLOT foo"), ":12182");
    assert_string_equal(row_run("CLUSTER KEYSLOT {foo}bar"), ":12182");
}

/* foo's slot is the second reactor's; the third key is in another slot. */
static void countkeysinslot(void **state)
{
    static const char *const names[] = { "foo", "{foo}1", "bar" };
    (void)state;
    struct keyspace *owner = admin_reactor(admin, 1)->keyspace;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct bytes name = bytes_str(names[i]);
        struct key key = { .name = name, .hash = hash_key(name) };
        assert_true(keyspace_set(owner, key, bytes_str("x"), KEYSPACE_NO_TTL));
    }
    assert_string_equal(row_run("CLUSTER COUNTKEYSINSLOT 12182"), ":2");
    assert_string_equal(row_run("CLUSTER COUNTKEYSINSLOT 0"), ":0");
    assert_string_equal(row_run("CLUSTER COUNTKEYSINSLOT 16384"), "-ERR Invalid slot");
    assert_string_equal(row_run("CLUSTER COUNTKEYSINSLOT x"),
                        "-ERR value is not an integer or out of range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(info),    ROW_TEST(one_node),        ROW_TEST(brackets_of_ipv6_are_left_out),
        ROW_TEST(keyslot), ROW_TEST(countkeysinslot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
