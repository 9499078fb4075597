#!/usr/bin/python3
"""Debian's python3-redis against a started server, over TCP and a Unix socket."""

import asyncio
import threading
import time

import redis
import redis.asyncio

from started import SCALE, Server, Tests, equal, matches

BIG = 8 << 20
PASSWORD = "correct horse"


def refused(kind, text, function, *arguments, **options):
    """The call raises exactly this kind of error, and its message holds `text`."""
    try:
        function(*arguments, **options)
    except redis.RedisError as error:
        equal(type(error), kind)
        matches(str(error), text)
        return
    raise AssertionError("%s was not refused" % (arguments,))


def gets_what_was_set(connect):
    client = connect()
    equal(client.set("name", "shoal"), True)
    equal(client.get("name"), b"shoal")
    equal(client.get("missing"), None)
    binary = bytes(range(256)) * 3
    equal(client.set(binary, binary), True)
    equal(client.get(binary), binary)
    equal(client.set("n", 41), True)
    equal(client.incr("n"), 42)
    equal(client.incrbyfloat("n", 0.5), 42.5)
    equal(client.append("name", "!"), 6)
    equal(client.getrange("name", 1, 3), b"hoa")
    equal(client.type("name"), b"string")
    equal(client.strlen("name"), 6)


def set_takes_its_options(connect):
    client = connect()
    equal(client.set("k", "1", nx=True), True)
    equal(client.set("k", "2", nx=True), None)
    equal(client.set("k", "3", xx=True, get=True), b"1")
    equal(client.set("none", "3", xx=True), None)
    equal(client.set("k", "4", ex=100), True)
    assert 95 <= client.ttl("k") <= 100
    equal(client.set("k", "5", keepttl=True), True)
    assert 95_000 <= client.pttl("k") <= 100_000
    equal(client.persist("k"), True)
    equal(client.ttl("k"), -1)
    equal(client.ttl("none"), -2)
    equal(client.getex("k", px=50_000), b"5")
    assert 0 < client.pttl("k") <= 50_000
    equal(client.getdel("k"), b"5")
    equal(client.exists("k"), 0)


def keys_expire(connect):
    client = connect()
    client.set("short", "1", px=20)
    client.set("long", "1", px=600_000)
    end = time.monotonic() + 120
    while client.get("short") is not None:
        assert time.monotonic() < end, "still there after 120 s"
    equal(client.get("long"), b"1")


def transactions_answer_in_order(connect):
    answers_in_order(connect(), True)


def pipelines_answer_in_order(connect):
    answers_in_order(connect(), False)


def answers_in_order(client, transaction):
    count = 2000 // SCALE
    pipe = client.pipeline(transaction=transaction)
    for i in range(count):
        pipe.set("key:%d" % i, i).get("key:%d" % i)
    wanted = [reply for i in range(count) for reply in (True, b"%d" % i)]
    equal(pipe.execute(), wanted)
    equal(client.dbsize(), count)


def a_pipeline_reports_each_error(connect):
    client = connect()
    client.set("text", "x")
    for transaction in True, False:
        pipe = client.pipeline(transaction=transaction)
        replies = pipe.set("a", 1).incr("text").get("a").execute(raise_on_error=False)
        equal([replies[0], replies[2]], [True, b"1"])
        equal(type(replies[1]), redis.ResponseError)
        matches(str(replies[1]), "value is not an integer or out of range")
        pipe.incr("text").set("a", 2)
        refused(redis.ResponseError, "Command # 1 (INCRBY text 1) of pipeline caused error",
                pipe.execute)
        equal(client.get("a"), b"2")
        client.set("a", 0)


def a_refused_command_aborts_the_transaction(connect):
    client = connect()
    pipe = client.pipeline().set("a", 1).execute_command("GET")
    refused(redis.ResponseError, "wrong number of arguments for 'get' command", pipe.execute)
    equal(client.get("a"), None)


def a_watched_key_that_changed_stops_exec(connect):
    client, other = connect(), connect()
    for touched in "watched", "far":
        pipe = client.pipeline()
        pipe.watch("watched", "far")
        equal(other.incr(touched) >= 1, True)
        pipe.multi()
        pipe.set("result", "never")
        refused(redis.WatchError, "Watched variable changed.", pipe.execute)
    equal(client.get("result"), None)
    with client.pipeline() as pipe:
        pipe.watch("watched")
        other.incr("unrelated")
        pipe.multi()
        equal(pipe.set("result", "now").execute(), [True])
    equal(client.get("result"), b"now")


def watch_loops_lose_no_increment(connect):
    """Three threads add to two keys on different shards by check and set."""
    rounds, threads = 40 // SCALE, 3
    client = connect()
    client.mset({"left": 0, "right": 0})

    def add_one(pipe):
        left, right = int(pipe.get("left")), int(pipe.get("right"))
        pipe.multi()
        pipe.mset({"left": left + 1, "right": right + 1})

    in_threads(threads, lambda _: [connect().transaction(add_one, "left", "right")
                                   for _ in range(rounds)])
    equal(client.mget("left", "right"), [b"%d" % (rounds * threads)] * 2)


def in_threads(count, function):
    failures = []

    def guarded(index):
        try:
            function(index)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [])


def scan_finds_every_key(connect):
    client = connect()
    names = {b"user:%d" % i for i in range(1000 // SCALE)}
    others = {b"other:%d" % i for i in range(200)}
    client.mset({name: 1 for name in names | others})
    equal(set(client.scan_iter()), names | others)
    equal(set(client.scan_iter(match="user:*", count=7)), names)
    equal(set(client.scan_iter(match="user:*", count=10_000, _type="string")), names)
    equal(set(client.scan_iter(_type="list")), set())
    equal(set(client.keys("other:*")), others)
    assert client.randomkey() in names | others


def many_keys_in_one_command(connect):
    client = connect()
    pairs = {"k%d" % i: b"v%d" % i for i in range(100)}
    equal(client.mset(pairs), True)
    equal(client.mget([*pairs, "none"]), [*pairs.values(), None])
    equal(client.msetnx({"k5": 1, "new": 1}), False)
    equal(client.exists("new", "k1", "k1", "k2"), 3)
    equal(client.touch("k1", "none"), 1)
    equal(client.delete(*[k for k in pairs][:60]), 60)
    equal(client.unlink(*pairs), 40)
    equal(client.dbsize(), 0)


def errors_are_those_of_redis(connect):
    client = connect()
    client.set("text", "x")
    refused(redis.ResponseError, "value is not an integer or out of range", client.incr, "text")
    refused(redis.ResponseError, "value is not a valid float", client.incrbyfloat, "text", 1.5)
    refused(redis.ResponseError, "unknown command 'NOSUCH', with args beginning with: 'a' 'b'",
            client.execute_command, "NOSUCH", "a", "b")
    refused(redis.ResponseError, "wrong number of arguments for 'get' command",
            client.execute_command, "GET")
    refused(redis.ResponseError, "syntax error", client.execute_command, "SET", "a", "1", "WHAT")
    refused(redis.ResponseError, "invalid expire time in 'set' command", client.set, "a", 1, ex=0)
    refused(redis.ResponseError, "DB index is out of range", connect(db=16).ping)
    refused(redis.ResponseError, "string exceeds maximum allowed size", client.setrange, "a",
            1 << 29, "x")
    equal(client.get("text"), b"x")


def big_values_come_back_whole(connect):
    client = connect()
    size = BIG // SCALE
    values = {"big:%d" % i: bytes([65 + i]) * (size // (i + 1)) for i in range(4)}
    for name, value in values.items():
        equal(client.set(name, value), True)
    for name, value in values.items():
        equal(client.get(name), value)
    equal(client.mget(list(values)), list(values.values()))
    pipe = client.pipeline()
    for name in values:
        pipe.get(name).strlen(name)
    equal(pipe.execute()[::2], list(values.values()))
    equal(client.getrange("big:0", size - 3, -1), b"AAA")
    equal(client.append("big:1", "tail"), size // 2 + 4)
    equal(client.getrange("big:1", -5, -1), b"Btail")
    equal(client.delete(*values), 4)


def replies_are_decoded(connect):
    client = connect(decode_responses=True)
    client.set("schlüssel", "wert ✓")
    equal(client.get("schlüssel"), "wert ✓")
    equal(client.keys(), ["schlüssel"])
    equal(client.pipeline().get("schlüssel").type("schlüssel").execute(), ["wert ✓", "string"])


def a_pool_serves_many_threads(connect):
    threads, rounds = 24, 100 // SCALE
    client = connect(max_connections=6, pool=redis.BlockingConnectionPool)

    def use(index):
        for i in range(rounds):
            client.set("t:%d:%d" % (index, i), index)
            equal(client.get("t:%d:%d" % (index, i)), b"%d" % index)
            client.incr("total")

    in_threads(threads, use)
    equal(client.get("total"), b"%d" % (threads * rounds))
    equal(client.dbsize(), threads * rounds + 1)


def databases_are_apart(connect):
    zero, three = connect(), connect(db=3)
    zero.set("k", "zero")
    three.set("k", "three")
    three.set("only", "three")
    equal([zero.get("k"), three.get("k"), zero.get("only")], [b"zero", b"three", None])
    equal([zero.dbsize(), three.dbsize()], [1, 2])
    equal(three.flushdb(), True)
    equal([zero.dbsize(), three.dbsize()], [1, 0])
    three.set("k", 1)
    equal(zero.flushall(), True)
    equal([zero.dbsize(), three.dbsize()], [0, 0])


def the_server_describes_itself(connect):
    client = connect()
    client.set("k", 1, ex=1000)
    info = client.info()
    for field in "redis_version", "process_id", "uptime_in_seconds", "connected_clients", \
            "used_memory", "total_commands_processed", "used_cpu_user", "role":
        assert field in info, field
    equal(info["redis_version"].split(".")[0] >= "7", True)
    equal((info["loading"], info["role"]), (0, "master"))
    equal(info["db0"]["keys"], 1)
    equal(info["db0"]["expires"], 1)
    equal(client.info("replication")["role"], "master")
    assert client.info("commandstats")["cmdstat_set"]["calls"] >= 1
    equal(client.config_get("databases"), {"databases": "16"})
    equal(client.config_set("slowlog-max-len", 77), True)
    equal(client.config_get("slowlog-max*"), {"slowlog-max-len": "77"})
    refused(redis.ResponseError, "", client.config_set, "no-such-thing", 1)
    assert abs(client.time()[0] - time.time()) < 5
    assert client.command_count() >= 60
    equal(client.command()["get"]["arity"], 2)
    equal(client.echo("hi"), b"hi")
    equal(client.ping(), True)
    equal(client.object("encoding", "k"), b"int")
    assert client.memory_usage("k") > 0
    equal(client.slowlog_len() >= 0, True)


def clients_are_listed_and_killed(connect):
    first, second = connect(), connect()
    equal(first.client_setname("the-first"), True)
    equal(first.client_getname(), "the-first")
    listed = [c for c in second.client_list() if c["name"] == "the-first"]
    equal(len(listed), 1)
    equal(int(listed[0]["id"]), first.client_id())
    equal(second.client_kill_filter(_id=listed[0]["id"]), 1)
    # The pool notices and connects again, at the latest after one failed command.
    end = time.monotonic() + 120
    while name_or_error(first) is not None:
        assert time.monotonic() < end, "not killed within 120 s"


def name_or_error(client):
    try:
        return client.client_getname()
    except redis.ConnectionError:
        return "closed"


def coroutines_share_the_server(connect):
    async def use(client, index):
        await client.set("c:%d" % index, index)
        return await client.get("c:%d" % index)

    async def main():
        client = connect(kind=redis.asyncio.Redis)
        replies = await asyncio.gather(*(use(client, i) for i in range(100 // SCALE)))
        async with client.pipeline() as pipe:
            counted = await pipe.incr("n").incr("n").execute()
        await client.close(close_connection_pool=True)
        return replies, counted

    replies, counted = asyncio.run(main())
    equal(replies, [b"%d" % i for i in range(100 // SCALE)])
    equal(counted, [1, 2])


def a_password_is_asked_for(connect):
    refused(redis.AuthenticationError, "Authentication required", connect().get, "k")
    # This version of the client knows no WRONGPASS.
    refused(redis.ResponseError, "WRONGPASS invalid username-password pair",
            connect(password="wrong").get, "k")
    refused(redis.ResponseError, "WRONGPASS invalid username-password pair",
            connect(username="someone", password=PASSWORD).get, "k")
    equal(connect(password=PASSWORD).set("k", 1), True)
    equal(connect(username="default", password=PASSWORD, db=2).dbsize(), 0)


TESTS = [
    gets_what_was_set, set_takes_its_options, keys_expire,
    transactions_answer_in_order, pipelines_answer_in_order,
    a_pipeline_reports_each_error, a_refused_command_aborts_the_transaction,
    a_watched_key_that_changed_stops_exec, watch_loops_lose_no_increment, scan_finds_every_key,
    many_keys_in_one_command, errors_are_those_of_redis, big_values_come_back_whole,
    replies_are_decoded, a_pool_serves_many_threads, databases_are_apart,
    the_server_describes_itself, clients_are_listed_and_killed, coroutines_share_the_server,
]


class Connector:
    """Makes clients of one server over one transport, and closes them all."""

    def __init__(self, server, transport):
        self.server, self.transport, self.made = server, transport, []

    def __call__(self, kind=redis.Redis, pool=None, **options):
        if self.transport == "unix":
            where = {"unix_socket_path": self.server.socket_path}
        else:
            where = {"host": "127.0.0.1", "port": self.server.port}
        if pool is not None:
            by_path = self.transport == "unix"
            where = {"path": self.server.socket_path,
                     "connection_class": redis.UnixDomainSocketConnection} if by_path else where
            client = kind(connection_pool=pool(socket_timeout=60, **where, **options))
        else:
            client = kind(socket_timeout=60, **where, **options)
        if kind is redis.Redis:
            self.made.append(client)
        return client

    def close(self):
        for client in self.made:
            client.close()
            client.connection_pool.disconnect()


def run_one(server, transport, function):
    connect = Connector(server, transport)
    try:
        if function in TESTS:
            connect().flushall()
        function(connect)
    finally:
        connect.close()


def run_all(tests, server, functions):
    for transport in "tcp", "unix":
        for function in functions:
            name = "%s (%d shards, %s)" % (function.__name__, server.shards, transport)
            tests.run(name, run_one, server, transport, function)
    tests.run("the server ends well (%d shards)" % server.shards, server.ends_well)


def main():
    tests = Tests()
    for offset, shards in enumerate((1, 3)):
        with Server(shards, offset=offset) as server:
            run_all(tests, server, TESTS)
    with Server(2, "--requirepass", PASSWORD, offset=2) as server:
        run_all(tests, server, [a_password_is_asked_for])
    tests.finish()


main()
