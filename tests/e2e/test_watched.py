"""Every path that changes a key is seen by WATCH: each command that writes, as COMMAND says, and what changes keys
without a command. A command that writes and has no row here fails. On one shard and on three, alone and in MULTI.
"""

import time

from started import Server, Tests, equal
from wire import Wire, wait_until

KEY, OTHER = "watched", "another"

# What there is before WATCH, and the command. The key changes.
CHANGES = {
    "set": [((), ("SET", KEY, "v")), ((("SET", KEY, "v"),), ("SET", KEY, "v"))],
    "setnx": [((), ("SETNX", KEY, "v"))],
    "setex": [((), ("SETEX", KEY, 100, "v"))],
    "psetex": [((), ("PSETEX", KEY, 100000, "v"))],
    "getset": [((("SET", KEY, "v"),), ("GETSET", KEY, "w"))],
    "getdel": [((("SET", KEY, "v"),), ("GETDEL", KEY))],
    "getex": [((("SET", KEY, "v"),), ("GETEX", KEY, "EX", 100)),
              ((("SET", KEY, "v", "EX", 100),), ("GETEX", KEY, "PERSIST"))],
    "append": [((), ("APPEND", KEY, "v")), ((("SET", KEY, "v"),), ("APPEND", KEY, "v"))],
    "setrange": [((), ("SETRANGE", KEY, 3, "v")), ((("SET", KEY, "abc"),), ("SETRANGE", KEY, 0, "x"))],
    "incr": [((), ("INCR", KEY))],
    "decr": [((("SET", KEY, 5),), ("DECR", KEY))],
    "incrby": [((), ("INCRBY", KEY, 5))],
    "decrby": [((), ("DECRBY", KEY, 5))],
    "incrbyfloat": [((), ("INCRBYFLOAT", KEY, "1.5"))],
    "mset": [((), ("MSET", OTHER, 1, KEY, 2))],
    "msetnx": [((), ("MSETNX", OTHER, 1, KEY, 2))],
    "del": [((("SET", KEY, "v"),), ("DEL", OTHER, KEY))],
    "unlink": [((("SET", KEY, "v"),), ("UNLINK", OTHER, KEY))],
    "expire": [((("SET", KEY, "v"),), ("EXPIRE", KEY, 100)), ((("SET", KEY, "v"),), ("EXPIRE", KEY, -1))],
    "pexpire": [((("SET", KEY, "v"),), ("PEXPIRE", KEY, 100000))],
    "expireat": [((("SET", KEY, "v"),), ("EXPIREAT", KEY, 33000000000))],
    "pexpireat": [((("SET", KEY, "v"),), ("PEXPIREAT", KEY, 33000000000000))],
    "persist": [((("SET", KEY, "v", "EX", 100),), ("PERSIST", KEY))],
    "rename": [((("SET", KEY, "v"),), ("RENAME", KEY, OTHER)),
               ((("SET", OTHER, "v"),), ("RENAME", OTHER, KEY))],
    "renamenx": [((("SET", KEY, "v"),), ("RENAMENX", KEY, OTHER)),
                 ((("SET", OTHER, "v"),), ("RENAMENX", OTHER, KEY))],
    "copy": [((("SET", OTHER, "v"),), ("COPY", OTHER, KEY)),
             ((("SET", OTHER, "v"), ("SET", KEY, "w")), ("COPY", OTHER, KEY, "REPLACE"))],
    "move": [((("SET", KEY, "v"),), ("MOVE", KEY, 3))],
    "swapdb": [((("SET", KEY, "v"),), ("SWAPDB", 0, 3)),
               ((("SELECT", 3), ("SET", KEY, "v"), ("SELECT", 0)), ("SWAPDB", 3, 0))],
    "flushdb": [((("SET", KEY, "v"),), ("FLUSHDB",))],
    "flushall": [((("SET", KEY, "v"),), ("FLUSHALL",)), ((("SET", KEY, "v"),), ("FLUSHALL", "ASYNC"))],
    "setbit": [((), ("SETBIT", KEY, 7, 1)), ((("SETBIT", KEY, 7, 1),), ("SETBIT", KEY, 7, 0))],
    "bitfield": [((), ("BITFIELD", KEY, "SET", "u8", 0, 1))],
    "bitop": [((("SET", OTHER, "v"),), ("BITOP", "NOT", KEY, OTHER)), ((("SET", KEY, "v"),), ("BITOP", "OR", KEY, OTHER))],
}
# The key stays as it was.
NONE = [
    ((), ("DEL", KEY)), ((), ("EXPIRE", KEY, 100)), ((), ("FLUSHALL",)), ((), ("SWAPDB", 1, 3)), ((), ("RENAMENX", OTHER, KEY)),
    ((("SET", KEY, "v"),), ("SETNX", KEY, "w")), ((("SET", KEY, "v"),), ("MSETNX", OTHER, 1, KEY, 2)),
    ((("SET", KEY, "v"),), ("GET", KEY)), ((("SET", KEY, "v"),), ("GETEX", KEY)), ((("SET", KEY, "v"),), ("SET", KEY, "w", "NX")),
    ((("SET", KEY, "v"),), ("COPY", KEY, OTHER)), ((("SET", KEY, "v"),), ("INCR", KEY)), ((("SET", KEY, "v"),), ("PERSIST", KEY)),
    ((("SETBIT", KEY, 7, 1),), ("SETBIT", KEY, 7, 1)), ((("SET", KEY, "v"),), ("BITOP", "NOT", OTHER, KEY)),
    ((("SET", KEY, "v"),), ("FLUSHDB_OF", 3)), ((("SET", KEY, "v"),), ("BITFIELD", KEY, "GET", "u8", 0)),
    ((("SET", KEY, "v"), ("SET", OTHER, "v")), ("RENAMENX", KEY, OTHER)), ((("SET", KEY, "v"),), ("MOVE", OTHER, 3)),
]


def change(wire, words, in_multi):
    if words[0] == "FLUSHDB_OF":
        wire.run("SELECT", words[1])
        wire.run("FLUSHDB")
        wire.run("SELECT", 0)
    elif in_multi:
        equal(wire.run("MULTI"), b"OK")
        wire.run(*words)
        assert isinstance(wire.run("EXEC"), list), words
    else:
        wire.run(*words)


def runs(server, before, words, in_multi):
    """Whether an EXEC behind WATCH runs, another client having done this in between."""
    watcher, other = Wire(server.port), Wire(server.port)
    other.run("FLUSHALL")
    for each in before:
        other.run(*each)
    equal(watcher.run("WATCH", KEY), b"OK")
    change(other, words, in_multi)
    watcher.run("MULTI")
    watcher.run("PING")
    reply = watcher.run("EXEC")
    watcher.close()
    other.close()
    assert reply in (None, [b"PONG"]), reply
    return reply is not None


def writers(server):
    wire = Wire(server.port)
    names = [info[0].decode() for info in wire.run("COMMAND") if b"write" in info[2]]
    wire.close()
    return sorted(names)


def every_writer_has_a_row(server):
    equal([name for name in writers(server) if name not in CHANGES], [])
    equal([name for name in CHANGES if name not in writers(server)], [])


def every_change_is_seen(server):
    for name, rows in CHANGES.items():
        for before, words in rows:
            for in_multi in (False, True):
                assert not runs(server, before, words, in_multi), (name, before, words, in_multi)


def what_changes_nothing_is_none(server):
    for before, words in NONE:
        assert runs(server, before, words, False), (before, words)


def watch_and(server, before, until):
    """WATCH, wait for something to happen to the key by itself, EXEC."""
    watcher, other = Wire(server.port), Wire(server.port)
    other.run("FLUSHALL")
    other.run(*before)
    equal(watcher.run("WATCH", KEY), b"OK")
    until(other)
    watcher.run("MULTI")
    watcher.run("PING")
    equal(watcher.run("EXEC"), None)
    watcher.close()
    other.close()


def expiry_is_seen(server):
    before = ("SET", KEY, "v", "PX", 30)
    watch_and(server, before, lambda other: time.sleep(0.05))  # perhaps not freed yet
    watch_and(server, before, lambda other: wait_until("it is found gone", lambda: other.run("GET", KEY) is None))
    watch_and(server, before, lambda other: wait_until("it is swept", lambda: other.run("DBSIZE") == 0))


def gone_and_there_again_is_seen(server):
    def come_again(other):
        wait_until("it is gone", lambda: other.run("DBSIZE") == 0)
        other.run("SET", KEY, "v")
    watch_and(server, ("SET", KEY, "v", "PX", 30), come_again)


def eviction_is_seen(server):
    def press(other):
        count = 0
        while other.run("EXISTS", KEY):
            other.run("SET", "filler%d" % count, "f" * 2000)
            count += 1
            assert count < 100000, "it is never evicted"
    watch_and(server, ("SET", KEY, "v"), press)


def main():
    tests = Tests()
    for shards in (1, 3):
        with Server(shards) as server:
            for function in (every_writer_has_a_row, every_change_is_seen, what_changes_nothing_is_none, expiry_is_seen,
                             gone_and_there_again_is_seen):
                tests.run("%s, %d" % (function.__name__, shards), function, server)
        with Server(shards, "--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random") as server:
            tests.run("eviction_is_seen, %d" % shards, eviction_is_seen, server)
    tests.finish()


main()
