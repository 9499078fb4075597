"""RENAME, RENAMENX, COPY, MOVE and SWAPDB, on one shard and over several, alone and inside MULTI."""

import random

from resp_client import Connection
from started import PORT, Server, Tests


class Client(Connection):
    def all(self, *commands):
        self.send(commands)
        return [self.read() for _ in commands]


def rename_keeps_value_and_ttl(client):
    for i in range(200):
        value = random.randbytes(random.choice((0, 1, 40, 20000)))
        client.all(("FLUSHALL",), ("SET", b"a%d" % i, value, "PX", "100000"), ("SET", b"b%d" % i, "old"))
        replies = client.all(("RENAME", b"a%d" % i, b"b%d" % i), ("EXISTS", b"a%d" % i),
                             ("GET", b"b%d" % i), ("PTTL", b"b%d" % i), ("DBSIZE",))
        assert replies[0] == ("+", b"OK"), replies[0]
        assert replies[1] == (":", 0) and replies[4] == (":", 1), replies
        assert replies[2] == ("$", value), i
        assert 90000 < replies[3][1] <= 100000, replies[3]


def missing_source(client):
    client.run("FLUSHALL")
    for i in range(50):
        assert client.run("RENAME", b"a%d" % i, b"b%d" % i) == ("-", b"ERR no such key")
        assert client.run("RENAMENX", b"a%d" % i, b"b%d" % i) == ("-", b"ERR no such key")
        assert client.run("COPY", b"a%d" % i, b"b%d" % i) == (":", 0)


def renamenx_and_copy_respect_what_is_there(client):
    for i in range(50):
        client.all(("FLUSHALL",), ("SET", b"a%d" % i, "new"), ("SET", b"b%d" % i, "old"))
        assert client.run("RENAMENX", b"a%d" % i, b"b%d" % i) == (":", 0)
        assert client.run("COPY", b"a%d" % i, b"b%d" % i) == (":", 0)
        assert client.run("COPY", b"a%d" % i, b"b%d" % i, "REPLACE") == (":", 1)
        assert client.run("MGET", b"a%d" % i, b"b%d" % i)[1] == [("$", b"new"), ("$", b"new")]
        assert client.run("COPY", b"a%d" % i, b"b%d" % i, "DB", "3") == (":", 1)
        client.run("SELECT", "3")
        assert client.run("GET", b"b%d" % i) == ("$", b"new")
        client.run("SELECT", "0")
        assert client.run("COPY", b"a%d" % i, b"b%d" % i, "NONSENSE") == ("-", b"ERR syntax error")


def inside_multi(client):
    for i in range(100):
        a, b, c = (b"%c%d" % (x, i) for x in b"abc")
        client.all(("FLUSHALL",), ("SET", a, "1"), ("SET", c, "x" * 30000))
        client.all(("MULTI",), ("INCR", a), ("RENAME", a, b), ("INCR", b), ("RENAME", c, a),
                   ("RENAMENX", a, b), ("RENAME", c, a), ("STRLEN", a))
        assert client.run("EXEC")[1] == [(":", 2), ("+", b"OK"), (":", 3), ("+", b"OK"), (":", 0),
                                         ("-", b"ERR no such key"), (":", 30000)]


OK = ("+", b"OK")


def fill(client, database, count, value):
    client.run("SELECT", database)
    client.all(*(("SET", b"k%d" % i, value) for i in range(count)))


def move_and_swapdb(client):
    client.run("FLUSHALL")
    fill(client, "1", 100, "one")
    fill(client, "0", 50, "null")
    assert client.run("SWAPDB", "0", "1") == OK
    assert client.run("DBSIZE") == (":", 100)
    assert [reply[1] for reply in client.run("MGET", *(b"k%d" % i for i in range(100)))[1]] == [b"one"] * 100
    assert client.all(*(("MOVE", b"k%d" % i, "1") for i in range(100))) == [(":", 0)] * 50 + [(":", 1)] * 50
    assert client.run("DBSIZE") == (":", 50)
    client.run("SELECT", "1")
    assert client.run("DBSIZE") == (":", 100)
    client.run("SELECT", "0")
    assert client.run("SWAPDB", "0", "16") == ("-", b"ERR DB index is out of range")
    assert client.run("SWAPDB", "0", "x") == ("-", b"ERR invalid second DB index")
    assert client.run("MOVE", "k1", "0") == ("-", b"ERR source and destination objects are the same")


def swapdb_inside_multi(client):
    """What comes behind it sees the other database, on every shard."""
    client.run("FLUSHALL")
    fill(client, "1", 30, "one")
    fill(client, "0", 20, "null")
    client.all(("MULTI",), ("SET", "k1", "changed"), ("SWAPDB", "0", "1"), ("GET", "k1"), ("DBSIZE",),
               ("DEL", *(b"k%d" % i for i in range(10))), ("SWAPDB", "1", "0"), ("GET", "k1"), ("DBSIZE",))
    assert client.run("EXEC")[1] == [OK, OK, ("$", b"one"), (":", 30), (":", 10), OK, ("$", b"changed"), (":", 20)]
    client.run("SELECT", "1")
    assert client.run("DBSIZE") == (":", 20)
    client.run("SELECT", "0")


def watch_sees_them(client):
    other = Client(PORT)
    for setup, command, aborts in (
            (("SET", "k", "1"), ("MOVE", "k", "5"), True),
            (("DEL", "k"), ("MOVE", "k", "5"), False),
            (("SET", "k", "1"), ("SWAPDB", "0", "5"), True),
            (("SET", "k", "1"), ("SWAPDB", "0", "0"), False),
            (("SET", "k", "1"), ("SWAPDB", "2", "3"), False),
            (("DEL", "k"), ("SWAPDB", "0", "5"), False)):
        other.all(("FLUSHALL",), ("SET", "j", "1"), setup)
        assert client.run("WATCH", "k") == OK
        other.run(*command)
        replies = client.all(("MULTI",), ("PING",), ("EXEC",))
        assert (replies[2][1] is None) == aborts, (setup, command, replies)
    other.close()


def how_it_is_kept_goes_along(client):
    for i in range(20):
        client.all(("FLUSHALL",), ("SETBIT", "bits", 1, 1), ("SET", "text", "short"))
        client.all(("RENAME", "bits", b"b%d" % i), ("COPY", b"b%d" % i, b"c%d" % i), ("RENAME", "text", b"t%d" % i))
        replies = client.all(*[("OBJECT", "ENCODING", b"%c%d" % (x, i)) for x in b"bct"])
        assert replies == [("$", b"raw"), ("$", b"raw"), ("$", b"embstr")], replies


def main():
    tests = Tests()
    for shards in (1, 3):
        with Server(shards) as server:
            client = Client(PORT)
            for test in (rename_keeps_value_and_ttl, missing_source,
                         renamenx_and_copy_respect_what_is_there, inside_multi, move_and_swapdb,
                         swapdb_inside_multi, watch_sees_them, how_it_is_kept_goes_along):
                tests.run("%s, %d shards" % (test.__name__, shards), test, client)
            client.close()
            tests.run("the server ends well", server.ends_well)
    tests.finish()


main()
