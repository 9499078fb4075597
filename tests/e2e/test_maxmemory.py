"""maxmemory on a started server: what is stored stays within it whatever is written, the policy decides what gives way,
and one shard may use the room of the others."""

import os
import random

from started import MODE, SCALE, Server, Tests, equal
from wire import PROTOCOLS, Error, Wire, rss_bytes, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SHARDS = 4
MIB = 1 << 20
LIMIT = 32 * MIB
SMALL = 8 * MIB
OVERSHOOT = 1.02  # figures of other shards are a turn old
BATCH = 100
OOM = b"OOM command not allowed when used memory > 'maxmemory'."
# Written to go round a limit: every byte that it holds is replaced so many times.
ROUNDS = 4 if SCALE == 1 else 2


def figures(wire):
    text = wire.run("INFO", "everything").decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def figure(wire, name):
    return int(figures(wire)[name])


def stored(wire):
    return figure(wire, "used_memory_dataset")


def shards(wire):
    """The figures of each."""
    got = figures(wire)
    return [{name: int(value) for name, value in (part.split("=") for part in got["shard%d" % i].split(","))}
            for i in range(SHARDS)]


def fits(wire, limit):
    used = stored(wire)
    assert used <= limit * OVERSHOOT, "%d bytes are stored, %.3f of the limit" % (used, used / limit)


def begin(server, limit, policy):
    """Connections to an empty server, two of each protocol."""
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(4)]
    equal(wires[0].run("CONFIG", "SET", "maxmemory", 0), b"OK")
    equal(wires[0].run("FLUSHALL"), b"OK")
    wait_until("the flushed keys are freed", lambda: stored(wires[0]) < MIB)
    equal(wires[0].run("CONFIG", "SET", "maxmemory", limit, "maxmemory-policy", policy), b"OK")
    equal(wires[0].run("CONFIG", "RESETSTAT"), b"OK")
    return wires


def end(wires):
    for wire in wires:
        wire.close()


def batch(wire, commands):
    wire.send(b"".join(wire.proto.request(*words) for words in commands))
    return [wire.read() for _ in commands]


def refused(replies):
    """How many were refused for want of memory; nothing else may go wrong."""
    errors = [reply for reply in replies if isinstance(reply, Error)]
    assert all(error == OOM for error in errors), errors[:3]
    return len(errors)


def fill(wire, names, size, *options):
    """Sets keys to values of `size` bytes; how many were refused."""
    names, count = list(names), 0
    for at in range(0, len(names), BATCH):
        count += refused(batch(wire, [("SET", name, b"v" * size, *options) for name in names[at:at + BATCH]]))
    return count


# ---- a mix of everything ------------------------------------------------------------------------


def some_command(rng, keys):
    """A command and about how many bytes it brings; sizes from 10 bytes to 64 KiB, each octave as often."""
    name, other = ("mix:%d" % rng.randrange(keys) for _ in range(2))
    size = int(10 * 6553 ** rng.random())
    value = bytes([rng.randrange(256)]) * size
    return rng.choices((
        (("SET", name, value), size),
        (("SET", name, value, "PX", rng.randrange(1, 3000)), size),
        (("SET", name, value, "EX", 1000), size),
        (("MSET", name, value, other, value), 2 * size),
        (("APPEND", name, value[:4096]), min(size, 4096)),
        (("SETRANGE", name, rng.randrange(8192), value[:100]), min(size, 100)),
        (("INCR", "count:%s" % name), 8),
        (("GETSET", name, value), size),
        (("DEL", name, other), 0),
        (("GET", name), 0),
        (("EXPIRE", name, 100), 0),
        (("RENAME", name, other), 0),
    ), (20, 10, 5, 2, 3, 2, 5, 3, 5, 20, 3, 2))[0]


def a_mix(server, policy, limit, rounds):
    rng = random.Random(SEED)
    wires = begin(server, limit, policy)
    written, turn, evicted = 0, 0, []
    while written < rounds * limit:
        commands, sizes = zip(*(some_command(rng, limit // 1024) for _ in range(BATCH)))
        replies = batch(wires[turn % len(wires)], commands)
        errors = [r for r in replies if isinstance(r, Error) and r != b"ERR no such key"]
        equal(errors, [])
        written += sum(sizes)
        turn += 1
        fits(wires[0], limit)
        if turn % 5 == 0:
            evicted.append(figure(wires[0], "evicted_keys"))
            assert wires[0].run("DBSIZE") > 0
    assert 0 < evicted[-1] and evicted == sorted(evicted) and evicted[-1] > evicted[(len(evicted) - 1) // 2], evicted
    assert stored(wires[0]) > limit / 2, "only %d bytes are stored" % stored(wires[0])
    if MODE == "release":  # a sanitizer keeps what is freed in quarantine
        rss = rss_bytes(server.process.pid)
        assert rss < LIMIT + 64 * MIB, "RSS is %d MiB" % (rss // MIB)
    end(wires)


def large_among_small(server):
    """Room for one value takes the eviction of thousands: it is made, not refused. It is no larger than what
    every shard may use at any time, a sixteenth of the limit."""
    wires = begin(server, SMALL, "allkeys-s3fifo")
    wire, tiny = wires[0], SMALL // 40
    for at in range(0, tiny, BATCH):
        words = [word for i in range(at, at + BATCH) for word in ("tiny:%d" % i, "v")]
        equal(wire.run("MSET", *words), b"OK")
    assert figure(wire, "evicted_keys") > 0
    for i in range(12):
        before = wire.run("DBSIZE")
        equal(wires[i % 2].run("SET", "large:%d" % i, b"v" * (SMALL // 16)), b"OK")
        fits(wire, SMALL)
        assert i > 0 or wire.run("DBSIZE") < before - 5000, before
    assert wire.run("DBSIZE") > 2
    end(wires)


def large_anywhere(server, policy):
    """A fifth of the limit finds room in each shard, though one has taken all: the others give it what it needs, and what
    is stored is within the limit soon after. Nothing is refused."""
    wires, large = begin(server, SMALL, policy), SMALL // 5
    timed = ("EX", 1000) if policy.startswith("volatile") else ()
    for i in range(8):
        equal(fill(wires[i % 4], ("{tag}:%d:%d" % (i, k) for k in range(SMALL // 4000)), 1000, *timed), 0)
        equal(wires[i % 4].run("SET", "large:%d" % i, b"v" * large, *timed), b"OK")
        wait_until("within the limit", lambda: stored(wires[0]) <= SMALL * OVERSHOOT)
        assert wires[0].run("DBSIZE") > 10
    # As large as all the others may be together, into an empty cache and a full one.
    equal(wires[0].run("FLUSHALL"), b"OK")
    for i in range(6):
        equal(wires[i % 4].run("SET", "huge:%d" % i, b"v" * (SMALL // 2), *timed), b"OK")
        wait_until("within the limit", lambda: stored(wires[0]) <= SMALL * OVERSHOOT)
    end(wires)


def large_everywhere(server):
    """Clients that keep writing values for which every shard needs credit: shards do not wait for each other
    to give, so what is stored comes back within the limit again and again, and twice the limit is the most."""
    wires, large = begin(server, SMALL, "allkeys-s3fifo"), SMALL * 3 // 8
    over, wrote = [], 0
    for i in range(60 // SCALE + 20):
        for wire in wires:
            wire.send(wire.proto.request("SET", "every:%d" % (i * 7 % 50), b"v" * large))
        replies = [wire.read() for wire in wires]
        wrote += len(replies) - refused(replies)
        over.append(stored(wires[0]) / SMALL)
    assert wrote > len(over) * 2, "%d of %d" % (wrote, 4 * len(over))
    assert max(over) <= 2 + large / SMALL and sorted(over)[len(over) // 2] < 1.3, sorted(over)
    wait_until("within the limit", lambda: stored(wires[0]) <= SMALL * OVERSHOOT)
    end(wires)


# ---- policies -----------------------------------------------------------------------------------


def noeviction(server):
    """Writes are refused, all else goes on, and what is deleted makes room."""
    wires = begin(server, SMALL, "noeviction")
    wire, size = wires[0], 1000
    names = ["stay:%d" % i for i in range(2 * SMALL // size)]
    assert fill(wire, names, size) > 0
    fits(wire, SMALL)
    assert stored(wire) > 0.9 * SMALL, stored(wire)
    there = [name for name, value in zip(names, batch(wire, [("GET", name) for name in names])) if value]
    assert len(there) == wire.run("DBSIZE") > 0
    equal(figure(wire, "evicted_keys"), 0)
    equal({w.run("SET", "no:%d" % i, b"v" * 100000) for i, w in enumerate(wires)}, {OOM})
    equal(batch(wire, [("GET", there[0]), ("TTL", there[0]), ("EXISTS", "no:1")]), [b"v" * size, -1, 0])
    assert batch(wire, [("MULTI",), ("SET", "no:1", b"v" * 100000)])[1] in (b"QUEUED", OOM)
    got = wire.run("EXEC")  # refused as a whole, or what needs memory in it
    assert isinstance(got, Error) or got == [OOM], got
    equal(wire.run("EXISTS", "no:1"), 0)
    gone = there[:len(there) // 2]
    equal(sum(batch(wire, [("DEL", name) for name in gone])), len(gone))
    wait_until("room for what was deleted", lambda: fill(wire, gone[:len(gone) // 2], size) == 0)
    equal(figure(wire, "evicted_keys"), 0)
    end(wires)


GROWING = (
    ("SETRANGE", "new", 2 * SMALL, "x"),
    ("SETRANGE", "small", 2 * SMALL, "x"),
    ("SETBIT", "new", 16 * SMALL, 1),
    ("BITFIELD", "small", "SET", "u8", "#%d" % (2 * SMALL), 1),
)


def results_that_never_fit(server, policy):
    """A request of a few bytes for more than there is: it is refused, whatever could give way, and nothing does."""
    wires = begin(server, SMALL, policy)
    equal(fill(wires[0], ("stay:%d" % i for i in range(1000)), 1000), 0)
    equal(wires[0].run("SET", "small", "v"), b"OK")
    for i, words in enumerate(GROWING):
        equal(wires[i % 4].run(*words), OOM)
        fits(wires[0], SMALL)
    equal(wires[0].run("DBSIZE"), 1001)
    equal(figure(wires[0], "evicted_keys"), 0)
    end(wires)


def results_that_grow(server):
    """In steps and by copies: what is stored never passes the limit, and the copies are refused in the end."""
    wires = begin(server, SMALL, "noeviction")
    replies = [wires[0].run("APPEND", "grows", b"v" * (SMALL // 100)) for _ in range(200)]
    assert refused(replies) > 0 and refused(replies[:5]) == 0
    fits(wires[0], SMALL)
    equal(wires[0].run("STRLEN", "grows"), max(reply for reply in replies if not isinstance(reply, Error)))
    equal(wires[0].run("DEL", "grows"), 1)
    equal(wires[0].run("SETRANGE", "copied", SMALL // 50, "v"), SMALL // 50 + 1)
    replies = [wires[i % 4].run("COPY", "copied", "copy:%d" % i) for i in range(100)]
    assert replies[:5] == [1] * 5 and replies.count(1) < 100, replies
    assert all(reply == 1 or reply.startswith(b"OOM ") for reply in replies), replies
    fits(wires[0], SMALL)
    equal(wires[0].run("DBSIZE"), 1 + replies.count(1))
    end(wires)


def a_large_value_without_eviction(server):
    """Larger than an equal part, and there is room: each shard has it, one after the other."""
    wires, large = begin(server, SMALL, "noeviction"), SMALL * 9 // 20
    for i in range(8):
        equal(wires[i % 4].run("SET", "huge:%d" % i, b"v" * large), b"OK")
        equal(wires[i % 4].run("SET", "more:%d" % i, b"v" * large), OOM)
        equal(wires[i % 4].run("DEL", "huge:%d" % i), 1)
        wait_until("it is freed", lambda: stored(wires[0]) < MIB)
    end(wires)


def one_shard_full(server):
    """With all memory in one shard that may not evict, the others are refused: nobody can give."""
    wires = begin(server, SMALL, "noeviction")
    assert fill(wires[0], ("{tag}:%d" % i for i in range(2 * SMALL // 1000)), 1000) > 0
    fill(wires[1], ("other:%d" % i for i in range(SMALL // 1000)), 1000)
    fits(wires[0], SMALL)
    end(wires)


def volatile(server, policy):
    """Keys without a TTL stay; when only they are left, writes are refused."""
    wires = begin(server, SMALL, policy)
    wire, size = wires[0], 500
    kept = ["kept:%d" % i for i in range(1000)]
    equal(fill(wire, kept, size), 0)
    rounds = max(ROUNDS // 2, 1)
    equal(fill(wires[1], ("timed:%d" % i for i in range(rounds * SMALL // size)), size, "EX", 1000), 0)
    assert figure(wire, "evicted_keys") > 0
    equal(wire.run("EXISTS", *kept[:100]), 100)
    assert fill(wires[1], ("more:%d" % i for i in range(2 * SMALL // size)), size) > 0
    fits(wire, SMALL)
    equal(batch(wire, [("GET", name) for name in kept]), [b"v" * size] * len(kept))
    end(wires)


# ---- the limit ----------------------------------------------------------------------------------


def a_lower_limit(server):
    """What is over a new limit goes by itself, soon, and the server stays one to write to."""
    wires = begin(server, LIMIT, "allkeys-s3fifo")
    wire = wires[0]
    equal(fill(wire, ("lower:%d" % i for i in range(LIMIT // 500)), 500), 0)
    assert stored(wire) > 0.9 * LIMIT, stored(wire)
    equal(wire.run("CONFIG", "SET", "maxmemory", SMALL), b"OK")
    wait_until("within the new limit", lambda: stored(wire) <= SMALL * OVERSHOOT)
    assert wire.run("DBSIZE") > SMALL // 2000
    equal(fill(wire, ("after:%d" % i for i in range(1000)), 500), 0)
    fits(wire, SMALL)
    equal(wire.run("CONFIG", "SET", "maxmemory", 0), b"OK")
    wait_until("no shard has a limit", lambda: all(shard["budget_bytes"] == 0 for shard in shards(wire)))
    equal(fill(wire, ("free:%d" % i for i in range(SMALL // 500)), 500), 0)
    assert stored(wire) > 1.5 * SMALL, stored(wire)
    end(wires)


def one_shard_uses_all(server):
    """Keys with one hash tag lie in one shard, which may have what the others do not need; they still find room."""
    wires = begin(server, LIMIT, "allkeys-s3fifo")
    wire = wires[0]
    for first in range(0, ROUNDS * LIMIT, LIMIT // 8):
        equal(fill(wire, ("{tag}:%d" % i for i in range(first // 2000, (first + LIMIT // 8) // 2000)), 2000), 0)
        fits(wire, LIMIT)
    most, *others = sorted((shard["used_bytes"] for shard in shards(wire)), reverse=True)
    assert most > 0.9 * LIMIT, "of %d bytes %d are used, others %s" % (LIMIT, most, others)
    assert sum(shard["budget_bytes"] for shard in shards(wire)) < LIMIT * OVERSHOOT, shards(wire)
    equal(fill(wires[1], ("all:%d" % i for i in range(2000)), 2000), 0)
    fits(wire, LIMIT)
    assert batch(wire, [("EXISTS", "all:%d" % i) for i in range(2000)]).count(1) > 500
    end(wires)


# ---- figures ------------------------------------------------------------------------------------


def read_through(wire, rng, keys, reads):
    """Asks for keys, all of them alike, and sets those that are missing."""
    for _ in range(reads // BATCH):
        names = ["through:%d" % rng.randrange(keys) for _ in range(BATCH)]
        missing = [name for name, value in zip(names, batch(wire, [("GET", name) for name in names]))
                   if value is None]
        equal(fill(wire, missing, 1000), 0)


def ratios(wire):
    got = figures(wire)
    return [float(got[name]) for name in ("miss_ratio", "miss_ratio_at_1.5x", "miss_ratio_at_2x")]


def what_more_memory_would_give(server):
    """With keys asked for at random, the share that fits is hit: of twice the memory's worth, a half."""
    wires = begin(server, SMALL, "allkeys-s3fifo")
    wire, rng = wires[0], random.Random(SEED)
    equal(ratios(wire), [0, 0, 0])
    keys = 2 * SMALL // 1100
    read_through(wire, rng, keys, 3 * keys)
    equal(wire.run("CONFIG", "RESETSTAT"), b"OK")
    equal(figure(wire, "ghost_hits"), 0)
    read_through(wire, rng, keys, 3 * keys)
    now, half_more, twice = ratios(wire)
    got = figures(wire)
    hits, misses = int(got["keyspace_hits"]), int(got["keyspace_misses"])
    assert abs(now - misses / (hits + misses)) < 0.0001, (now, hits, misses)
    assert int(got["ghost_hits"]) > 0
    # The truth is a half, a quarter and none.
    assert 0.4 < now < 0.6 and 0.1 < half_more < 0.4 and twice < 0.25, (now, half_more, twice)
    equal(wire.run("CONFIG", "SET", "maxmemory-policy", "allkeys-random"), b"OK")
    equal(wire.run("FLUSHALL"), b"OK")
    equal(wire.run("CONFIG", "RESETSTAT"), b"OK")
    read_through(wire, rng, keys, keys)
    now, half_more, twice = ratios(wire)  # it leaves no ghosts, so it cannot tell
    assert 0.4 < now == half_more == twice, (now, half_more, twice)
    end(wires)


tests = Tests()
print("seed %d" % SEED)
with Server(SHARDS, "--maxmemory", "32mb") as started:
    # First: the estimate is made with what the shards have seen before.
    tests.run("what more memory would give", what_more_memory_would_give, started)
    tests.run("a mix", a_mix, started, "allkeys-s3fifo", LIMIT, ROUNDS)
    for name in ("allkeys-lru", "allkeys-lfu", "allkeys-clock", "allkeys-random"):
        tests.run("a mix, " + name, a_mix, started, name, SMALL, ROUNDS)
    tests.run("large among small", large_among_small, started)
    for name in ("allkeys-s3fifo", "allkeys-clock", "allkeys-random", "volatile-lru", "volatile-ttl"):
        tests.run("large anywhere, " + name, large_anywhere, started, name)
    tests.run("large everywhere", large_everywhere, started)
    tests.run("noeviction", noeviction, started)
    for name in ("noeviction", "allkeys-s3fifo", "volatile-ttl"):
        tests.run("results that never fit, " + name, results_that_never_fit, started, name)
    tests.run("results that grow", results_that_grow, started)
    tests.run("a large value without eviction", a_large_value_without_eviction, started)
    tests.run("one shard full", one_shard_full, started)
    for name in ("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"):
        tests.run(name, volatile, started, name)
    tests.run("a lower limit", a_lower_limit, started)
    tests.run("one shard uses all", one_shard_uses_all, started)
    tests.run("a clean end", started.ends_well)
tests.finish()
