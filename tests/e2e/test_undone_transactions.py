"""Nothing of a transaction that is refused or fails is visible, case by case: no room for a part of it, a full server,
no room for its result, memory that runs out at any allocation of it. On one shard and on three.
test_refused_transactions.py has random ones beside a model, and clients that go in the middle.
"""

import os
import random
import sys
import tempfile

from fail_malloc import LIBRARY, Memory
from started import SCALE, Server, Tests, equal
from wire import Error, Resp, Wire, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
OOM = b"OOM command not allowed when used memory > 'maxmemory'."
ABORTED = b"EXECABORT Transaction discarded because of: " + OOM
PREVIOUS = b"EXECABORT Transaction discarded because of previous errors."
KEYS = ["k%d" % i for i in range(12)]
HUGE = b"h" * (12 << 20)


def state(wire):
    """Values and whether they expire, in both databases."""
    seen = []
    for db in (0, 3):
        wire.run("SELECT", db)
        seen.append([(wire.run("GET", key), wire.run("TTL", key) > 0) for key in KEYS])
    wire.run("SELECT", 0)
    return seen


def begin(wire):
    """The state that a transaction meets."""
    wire.run("FLUSHALL")
    for i in range(0, len(KEYS), 2):
        wire.run("SET", KEYS[i], "x" * (20000 if i == 4 else 20 + i), *(("EX", 1000) if i % 4 == 0 else ()))


# ---- no room -------------------------------------------------------------------

def pairs(large):
    return [word for key in KEYS[:9] for word in (key, "small")] + [KEYS[9], large]


def a_part_without_room_refuses_all(server):
    wire = Wire(server.port)
    begin(wire)
    before = state(wire)
    equal(wire.run("MSET", *pairs(HUGE)), OOM)
    equal(state(wire), before)
    wire.run("DEL", *KEYS)
    equal(wire.run("MSETNX", *pairs(HUGE)), OOM)
    equal(wire.run("EXISTS", *KEYS), 0)
    wire.close()


def fill(wire):
    count = 0
    while wire.run("SET", "filler%d" % count, "f" * 1000) == b"OK":
        count += 1
        assert count < 100000, "it never is full"
    return count


def a_full_server_refuses_when_queueing(server):
    wire = Wire(server.port)
    wire.run("FLUSHALL")
    wire.run("SET", "foo", "1")
    count = fill(wire)
    wait_until("all shards say that they are full", lambda: refuses(wire))
    for i in range(4):
        equal(wire.run("MULTI"), b"OK")
        equal(wire.run("SET", "big%d" % i, "b" * 100000), OOM)
        equal(wire.run("DEL", "foo"), b"QUEUED")
        equal(wire.run("EXEC"), PREVIOUS)
        equal(wire.run("GET", "foo"), b"1")
    equal(wire.run("MULTI"), b"OK")
    equal(wire.run("DEL", "foo"), b"QUEUED")
    equal(wire.run("EXEC"), [1])
    assert count > 100
    wire.run("FLUSHALL")
    wire.close()


def refuses(wire):
    """For every shard, as an own one and as another's."""
    wire.run("MULTI")
    refused = [isinstance(wire.run("SET", "probe%d" % i, "b" * 100000), Error) for i in range(30)]
    wire.run("DISCARD")
    return all(refused)


def what_no_longer_fits_at_exec_is_refused_whole(server):
    wire, other = Wire(server.port), Wire(server.port)
    wire.run("FLUSHALL")
    wire.run("MSET", "foo", 1, "bar", 2)
    wire.run("MULTI")
    for i in range(6):
        equal(wire.run("SET", "big%d" % i, "b" * 100000), b"QUEUED")
    for words in (("DEL", "foo"), ("RENAME", "bar", "baz"), ("INCR", "n")):
        equal(wire.run(*words), b"QUEUED")
    fill(other)
    equal(wire.run("EXEC"), ABORTED)
    equal(wire.run("MGET", "foo", "bar", "baz", "n", "big0"), [b"1", b"2", None, None, None])
    wire.run("FLUSHALL")
    equal(wire.run("MSET", "a", 1, "b", 2, "c", 3), b"OK")  # the room it had reserved is free
    wire.close()
    other.close()


def a_result_without_room_undoes_all(server):
    """What the commands bring would fit, what they make of it does not."""
    wire = Wire(server.port)
    begin(wire)
    before = state(wire)
    wire.run("MULTI")
    for key in KEYS:
        wire.run("SET", key, "new")
    wire.run("DEL", KEYS[0])
    wire.run("SETRANGE", KEYS[5], 100 << 20, "x")
    equal(wire.run("EXEC"), ABORTED)
    equal(state(wire), before)
    wire.close()


# ---- no memory -----------------------------------------------------------------

PROGRAMS = [
    [("MSET",) + tuple(word for key in KEYS[:9] for word in (key, "n" * 70))],
    [("MSET", KEYS[0], "n", KEYS[4], "m" * 30000)],
    [("MSETNX",) + tuple(word for key in KEYS[1::2] for word in (key, "n" * 70))],
    [("RENAME", KEYS[4], KEYS[1])], [("RENAMENX", KEYS[0], KEYS[3])],
    [("COPY", KEYS[4], KEYS[2], "REPLACE")], [("COPY", KEYS[4], KEYS[2], "DB", 3)],
]
CHANGES = [("SET", "n" * 70), ("SET", 12), ("APPEND", "a" * 5000), ("APPEND", "a"), ("SETRANGE", 30000, "r"), ("DEL",),
           ("EXPIRE", 500), ("PERSIST",), ("INCR",), ("GETDEL",), ("SETBIT", 4000, 1), ("GETSET", "g")]


def some_program(rng):
    """Commands for MULTI, or one that is a transaction by itself."""
    if rng.random() < 0.4:
        return rng.choice(PROGRAMS)
    words = []
    for _ in range(rng.randrange(2, 12)):
        name, *rest = rng.choice(CHANGES)
        words.append((name, rng.choice(KEYS), *rest))
    for _ in range(rng.randrange(2)):
        words.append(("RENAME", rng.choice(KEYS), rng.choice(KEYS)))
    if rng.random() < 0.1:
        words.insert(rng.randrange(len(words)), ("FLUSHDB",))
    return words if len(words) == 1 else [("MULTI",), *words, ("EXEC",)]


def run_program(port, words):
    """The last reply; None when the connection was closed before."""
    wire = Wire(port, Resp, 20)
    try:
        for each in words:
            reply = wire.run(*each)
    except (EOFError, OSError):
        reply = None
    wire.close()
    return reply


def memory_runs_out(server, memory):
    """At every allocation of a program: all of it is there or nothing; all, when the reply says so."""
    rng = random.Random(SEED)
    none = whole = 0
    for _ in range(150 // SCALE):
        words = some_program(rng)
        watcher = Wire(server.port)
        begin(watcher)
        before = state(watcher)
        run_program(server.port, words)
        after = state(watcher)
        for at in range(2000):
            begin(watcher)
            times = rng.choice((1, 1, 3))
            memory.runs_out(at, times)
            reply = run_program(server.port, words)
            failed = memory.suffices() < times
            assert server.process.poll() is None, "ended at allocation %d of %r" % (at, words)
            watcher.close()
            watcher = Wire(server.port)
            wait_until("the transaction has ended", lambda w=watcher: settled(w))
            now = state(watcher)
            if reply is None or isinstance(reply, Error):
                assert now in (before, after), "allocation %d of %.500r: %.1500r" % (at, words, now)
            elif words[0][0] != "MULTI" or len(words) == len_queued(reply) + 2:
                assert now == after, "allocation %d of %.500r: %.1500r" % (at, words, now)
            none, whole = none + (now == before), whole + (now == after)
            if not failed:
                break
        watcher.close()
    assert none > 100 // SCALE and whole > 100 // SCALE, "%d without effect, %d with" % (none, whole)


def settled(wire):
    """No transaction is under way: one over all shards would wait for it."""
    wire.run("MULTI")
    wire.run("DBSIZE")
    return isinstance(wire.run("EXEC"), list)


def len_queued(reply):
    return len(reply) if isinstance(reply, list) else -1


def main():
    print("seed %d" % SEED)
    tests = Tests()
    for shards in (1, 3):
        for policy in ("noeviction", "allkeys-lru"):
            with Server(shards, "--maxmemory", "8mb", "--maxmemory-policy", policy) as server:
                tests.run("no room for a part, %s, %d" % (policy, shards), a_part_without_room_refuses_all, server)
                if policy == "allkeys-lru":
                    continue
                tests.run("full, %d" % shards, a_full_server_refuses_when_queueing, server)
                tests.run("no longer fits, %d" % shards, what_no_longer_fits_at_exec_is_refused_whole, server)
                tests.run("no room for the result, %d" % shards, a_result_without_room_undoes_all, server)
        if not os.path.exists(LIBRARY):
            print("memory that runs out, %d: skipped, a sanitizer has an allocator of its own" % shards)
            tests.skipped += 1
            continue
        with tempfile.TemporaryDirectory(prefix="shoal-e2e-") as folder:
            memory = Memory(folder)
            os.environ.update(LD_PRELOAD=LIBRARY, FAIL_MALLOC=memory.order)
            with Server(shards, "--maxmemory", "0") as server:
                tests.run("memory runs out, %d" % shards, memory_runs_out, server, memory)
            del os.environ["LD_PRELOAD"]
    tests.finish()


if __name__ == "__main__":
    sys.exit(main())
