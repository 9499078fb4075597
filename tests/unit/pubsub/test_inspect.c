/*
 * test_inspect.c - PUBSUB: channels by name from every reactor, numbers from any.
 */
#include "shoal/pubsub/pubsub.h"

#include "support/reactors.h"

static void subscribe_some(void)
{
    ask(client_open(0), "SUBSCRIBE a b");
    ask(client_open(1), "SUBSCRIBE b c");
    ask(client_open(2), "PSUBSCRIBE a* b*");
    ask(client_open(1), "PSUBSCRIBE a*");
    ask(client_open(2), "SSUBSCRIBE s a");
}

static void channels(void **state)
{
    (void)state;
    struct client *client = client_open(2);
    assert_reply("*0", client, "PUBSUB CHANNELS");
    subscribe_some();
    assert_reply("*3 $1 a $1 b $1 c", client, "PUBSUB CHANNELS");
    assert_reply("*2 $1 b $1 c", client, "PUBSUB CHANNELS [bc]");
    assert_reply("*0", client, "PUBSUB CHANNELS x");
    assert_reply("*2 $1 a $1 s", client, "PUBSUB SHARDCHANNELS");
    assert_reply("*1 $1 s", client, "PUBSUB SHARDCHANNELS s");
    assert_reply("-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB "
                 "HELP.",
                 client, "PUBSUB CHANNELS a b");
}

static void numbers(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    subscribe_some();
    assert_reply("*0", client, "PUBSUB NUMSUB");
    assert_reply("*8 $1 a :1 $1 b :2 $1 c :1 $1 s :0", client, "PUBSUB NUMSUB a b c s");
    assert_reply("*4 $1 a :1 $1 b :0", client, "PUBSUB SHARDNUMSUB a b");
    assert_reply(":2", client, "PUBSUB NUMPAT");
    ask(client, "HELLO 3");
    assert_reply("%1 $1 b :2", client, "PUBSUB NUMSUB b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, channels),
        with_reactors(3, numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
