"""Memory runs out at one allocation after the other, under a script that uses most of the server: what
comes is the right reply, an error, or a close; never a crash, and never another's reply.
"""

import os
import random
import sys
import tempfile

from fail_malloc import LIBRARY, Memory
from started import Server, Tests, equal
from wire import PROTOCOLS, Error, Resp, Wire, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SHARDS = 3
ROUNDS_MAX = 4000
LARGE = b"L" * 200000  # a blob, and more than a receive buffer


# Requests and the replies they may have when memory suffices; None: any. Keys of three shards.
SCRIPT = [
    (("SET", "a", "1"), b"OK"), (("SET", "b", "2"), b"OK"), (("SET", "c", LARGE), b"OK"),
    (("GET", "a"), b"1"), (("GET", "c"), LARGE), (("STRLEN", "c"), len(LARGE)),
    (("APPEND", "b", "x" * 40000), 40001), (("SETRANGE", "b", 50000, "y"), 50001),
    (("MSET", "a", "1", "b", "2", "d", "4", "e", "5"), b"OK"),
    (("MGET", "a", "b", "d", "e", "none"), [b"1", b"2", b"4", b"5", None]),
    (("MSETNX", "a", "9", "n", "9"), 0), (("RENAME", "d", "d2"), b"OK"), (("RENAME", "c", "c2"), b"OK"),
    (("COPY", "c2", "c"), 1), (("GET", "c"), LARGE), (("EXISTS", "a", "b", "c", "d"), 3),
    (("WATCH", "a", "b"), b"OK"), (("MULTI",), b"OK"), (("SET", "a", "m"), b"QUEUED"),
    (("GET", "b"), b"QUEUED"), (("SET", "e", "m"), b"QUEUED"), (("EXEC",), [b"OK", b"2", b"OK"]),
    (("WATCH", "e"), b"OK"), (("UNWATCH",), b"OK"), (("INCRBY", "b", 5), 7), (("GETDEL", "e"), b"m"),
    (("EXPIRE", "a", 1000), 1), (("SETBIT", "bits", 4000, 1), 0), (("BITCOUNT", "bits"), 1),
    (("BITPOS", "bits", 1), 4000), (("LCS", "a", "a"), None),
    (("SCAN", "0"), None), (("KEYS", "*"), None), (("RANDOMKEY",), None), (("DBSIZE",), None),
    (("INFO",), None), (("INFO", "everything"), None), (("CLIENT", "LIST"), None),
    (("CLIENT", "SETNAME", "somebody"), b"OK"), (("CONFIG", "GET", "*"), None),
    (("CONFIG", "SET", "slowlog-log-slower-than", "0"), b"OK"), (("GET", "a"), b"m"),
    (("SLOWLOG", "GET"), None), (("CONFIG", "SET", "slowlog-log-slower-than", "-1"), b"OK"),
    (("SLOWLOG", "RESET"), None), (("COMMAND", "DOCS", "get"), None), (("LATENCY", "LATEST"), None),
    (("MEMORY", "USAGE", "a"), None), (("MEMORY", "STATS"), None), (("OBJECT", "ENCODING", "a"), None),
    (("DEL", "a", "b", "c", "c2", "d2", "bits"), 6), (("FLUSHALL",), b"OK"), (("GET", "a"), None),
    (("MGET",) + tuple("k%d" % i for i in range(200)), [None] * 200),
]
# What it leaves to the next round when some of it fails.
CLEAN = [("DISCARD",), ("UNWATCH",), ("FLUSHALL",), ("CONFIG", "SET", "slowlog-log-slower-than", "-1")]


def lacks(words, got):
    """A reply that says that it could not be done."""
    return isinstance(got, Error) or words[0] == "EXEC" and (got is None or any(isinstance(one, Error) for one in got))


def all_right(wire, replies):
    """Whether no reply failed. Those before the first that did are as they should be, whatever follows."""
    good = True
    try:
        for (words, wanted), got in zip(SCRIPT, replies):
            if lacks(words, got):
                good = False
            elif good and wanted is not None:
                assert got == wanted, "%.60r: got %.100r, wanted %.100r" % (words, got, wanted)
    except (EOFError, OSError):
        good = False
    wire.close()
    return good


def one_by_one(server, proto):
    wire = Wire(server.port, proto, 5)
    return all_right(wire, (wire.run(*words) for words, _ in SCRIPT))


def pipelined(server, proto):
    wire = Wire(server.port, proto, 5)
    data = b"".join(proto.request(*words) for words, _ in SCRIPT)
    try:
        for at in range(0, len(data), 30011):
            wire.send(data[at:at + 30011])
    except OSError:
        wire.close()
        return False
    return all_right(wire, (wire.read() for _ in SCRIPT))


def transactions_at_once(server, proto):
    """Several clients whose transactions and commands wait for each other."""
    wires, good = [Wire(server.port, proto, 5) for _ in range(6)], True
    words = [("MSET", "a", 1, "b", 1, "d", 1, "e", 1), ("GET", "a"), ("MGET", "a", "b", "d", "e"),
             ("MULTI",), ("INCR", "a"), ("INCR", "b"), ("EXEC",), ("DEL", "a", "d"), ("DBSIZE",), ("FLUSHALL",)]
    for i, wire in enumerate(wires):
        turned = words[i:] + words[:i] if i < 3 else words
        try:
            wire.send(b"".join(proto.request(*each) for each in turned) * 3)
        except OSError:
            good = False
    for wire in wires:
        try:
            for _ in range(3 * len(words)):
                wire.read()
        except (EOFError, OSError):
            good = False
        wire.close()
    return good


def until_end(wire):
    """Reads up to the answer to PING end. False: an error was among it, or it does not come that far."""
    good = True
    try:
        while True:
            value = wire.read()
            if value in (b"end", [b"pong", b"end"]):
                return good
            good &= not isinstance(value, Error)
    except (EOFError, OSError):
        return False


def subscribers_and_a_publisher(server, proto):
    """Channels and patterns of three clients; nothing of them may be counted when they have gone."""
    wires, good = [Wire(server.port, proto, 5) for _ in range(4)], True
    text, end = b"m" * 3000, proto.request("PING", "end")
    told = [b"".join(proto.request(*words) for words in (
        ("SUBSCRIBE", "a", "b%d" % i, "c"), ("PSUBSCRIBE", "*", "p%d" % i), ("SSUBSCRIBE", "a"),
        ("UNSUBSCRIBE", "c"))) for i in range(3)]
    told.append(b"".join(proto.request("PUBLISH", "a", text[:size]) for size in (1, 3000, 2000) * 3)
                + proto.request("MULTI") + proto.request("PUBLISH", "a", "x") + proto.request("EXEC")
                + proto.request("PUBSUB", "CHANNELS") + proto.request("SPUBLISH", "a", text))
    for data, wire in zip(told, wires):
        try:
            wire.send(data + end)
        except OSError:
            good = False
    for wire in wires:
        good &= until_end(wire)
        wire.close()
    return good


def clean(server):
    """Whatever it has been through, it works. What closed clients had sent may still run for a moment."""
    wire = Wire(server.port, Resp, 5)

    def is_clean():
        for words in CLEAN:
            wire.run(*words)
        equal(wire.run("SET", "alive", "yes"), b"OK")
        return wire.run("MGET", "alive", "a") == [b"yes", None] and wire.run("DEL", "alive") == 1

    wait_until("nothing but what was set", is_clean)
    for what in ("CHANNELS",), ("SHARDCHANNELS",), ("NUMPAT",), ("NUMSUB", "a", "c"):
        wait_until("nobody is subscribed", lambda: wire.run("PUBSUB", *what) in ([], 0, [b"a", 0, b"c", 0]))
    wire.close()


def at_every_allocation(server, memory, script, proto, times):
    """Until a round does not come to the allocation that would fail."""
    rng = random.Random(SEED)
    at, rounds = 0, 0
    while rounds < ROUNDS_MAX:
        memory.runs_out(at, times)
        script(server, proto)
        left = memory.suffices()
        assert server.process.poll() is None, "ended at allocation %d of %s" % (at, script.__name__)
        try:
            clean(server)
        except Exception as error:
            raise AssertionError("after allocation %d: %r" % (at, error))
        if left == times:
            break
        at += 1 if at < 60 else rng.randrange(1, max(2, at // 20))
        rounds += 1
    assert 10 < rounds < ROUNDS_MAX, "%d rounds" % rounds


def rename_loses_nothing(server, memory, times):
    """Whatever fails, the value is under one of both names, the new one if the reply is OK. It may be there after an
    error, too: memory can be out when all is done but the reply."""
    moved = kept = 0
    for size in (20, 5000, len(LARGE)):
        for name in ("to%d" % i for i in range(6)):  # two of three lie on another shard than "from"
            for at in range(ROUNDS_MAX):
                wire = Wire(server.port, Resp, 5)
                equal(wire.run("SET", "from", LARGE[:size], "EX", 1000), b"OK")
                equal(wire.run("DEL", name) in (0, 1), True)
                memory.runs_out(at, times)
                try:
                    got = wire.run("RENAME", "from", name)
                except (EOFError, OSError):
                    got = None
                left = memory.suffices()
                wire.close()
                clean_wire = Wire(server.port, Resp, 5)
                values = [clean_wire.run("GET", key) for key in ("from", name)]
                clean_wire.close()
                right = [None, LARGE[:size]]
                assert values == right or got != b"OK" and values == right[::-1], \
                    "%s: allocation %d of RENAME, %r: %.100r" % (name, at, got, values)
                moved, kept = moved + (got == b"OK"), kept + (got != b"OK")
                if left == times:
                    break
    assert moved >= 18 and kept >= 18, "%d moved, %d kept" % (moved, kept)


def main():
    if not os.path.exists(LIBRARY):
        print("not built: a sanitizer has an allocator of its own")
        sys.exit(77)
    print("seed %d" % SEED)
    tests = Tests()
    with tempfile.TemporaryDirectory(prefix="shoal-e2e-") as folder:
        memory = Memory(folder)
        os.environ.update(LD_PRELOAD=LIBRARY, FAIL_MALLOC=memory.order)
        with Server(SHARDS, "--maxmemory", "0", "--enable-debug-command", "yes") as server:
            del os.environ["LD_PRELOAD"]
            for proto in PROTOCOLS:
                tests.run("the script by itself", lambda: equal(one_by_one(server, proto), True))
                clean(server)
            for script in (one_by_one, pipelined, transactions_at_once, subscribers_and_a_publisher):
                for proto in PROTOCOLS:
                    for times in (1, 1000):
                        tests.run("%s, %s, %d" % (script.__name__, proto.name, times), at_every_allocation, server,
                                  memory, script, proto, times)
            for times in (1, 1000):
                tests.run("RENAME loses nothing, %d" % times, rename_loses_nothing, server, memory, times)
            tests.run("a clean end", server.ends_well)
    tests.finish()


if __name__ == "__main__":
    main()
