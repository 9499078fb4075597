"""Fragmentation on a started server: sizes of values shift four times over a full cache, and what lies idle in
half-empty pages is given back, within its share of a CPU; without defragmentation it stays."""

import os
import random
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import Error, Wire, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SHIFTS = ((40, 100), (150, 300), (20, 60), (500, 900))
TURNOVER = 0.7  # of the memory is written anew at each shift
MIB = 1 << 20
LIMIT = (24 if SCALE == 1 else 12) * MIB
BATCH = 500
SHARDS = 2
SETTLE_SECONDS = 240


def figures(wire):
    text = wire.run("INFO", "everything").decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def figure(wire, name):
    return int(figures(wire)[name])


def fragmentation(wire):
    got = figures(wire)
    return int(got["allocator_active"]) / int(got["allocator_allocated"]) - 1


def value_of(key, size):
    return (b"%012d" % key * (size // 12 + 1))[:size]


class Load:
    """Writes ever new keys; remembers the size of each."""

    def __init__(self, wire):
        self.wire, self.sizes, self.rng = wire, [], random.Random(SEED)

    def write(self, sizes, limit):
        written = 0
        while written < limit:
            first = len(self.sizes)
            self.sizes += [self.rng.randint(*sizes) for _ in range(BATCH)]
            written += sum(self.sizes[first:]) + 24 * BATCH
            self.wire.send(b"".join(self.wire.proto.request("SET", "key:%d" % key, value_of(key, self.sizes[key]))
                                    for key in range(first, len(self.sizes))))
            equal([self.wire.read() for _ in range(BATCH)], [b"OK"] * BATCH)

    def shift(self, number):
        self.write(SHIFTS[number], (1.3 if number == 0 else TURNOVER) * LIMIT)

    def check(self):
        """Whatever is left has the value that it was given."""
        keys = [self.rng.randrange(len(self.sizes)) for _ in range(20 * BATCH)]
        there = 0
        for at in range(0, len(keys), BATCH):
            some = keys[at:at + BATCH]
            self.wire.send(b"".join(self.wire.proto.request("GET", "key:%d" % key) for key in some))
            for key in some:
                value = self.wire.read()
                there += value is not None
                assert value in (None, value_of(key, self.sizes[key])), (key, value)
        assert there > 0


def settled(wire):
    return figure(wire, "active_defrag_running") == 0 and fragmentation(wire) < 0.1


def without(server):
    wire = Wire(server.port)
    equal(wire.run("CONFIG", "SET", "activedefrag", "no"), b"OK")
    load = Load(wire)
    for number in range(2):
        load.shift(number)
    left = fragmentation(wire)
    assert left > 0.32, "only %+.3f" % left
    equal(figure(wire, "active_defrag_hits"), 0)
    print("without: %+.1f %%" % (left * 100))
    wire.close()


def switched_on_it_works_by_itself(server):
    """Nobody asks for anything meanwhile, but for INFO."""
    wire = Wire(server.port)
    equal(wire.run("CONFIG", "SET", "activedefrag", "yes"), b"OK")
    wait_until("settled", lambda: settled(wire), SETTLE_SECONDS)
    assert figure(wire, "active_defrag_key_hits") > 0
    wire.close()


def four_shifts(server):
    wire = Wire(server.port)
    equal(wire.run("FLUSHALL"), b"OK")
    equal(wire.run("CONFIG", "RESETSTAT"), b"OK")
    load, began = Load(wire), time.monotonic()
    for number in range(len(SHIFTS)):
        load.shift(number)
        at_once = fragmentation(wire)
        wait_until("settled after %+.2f" % at_once, lambda: settled(wire), SETTLE_SECONDS)
        load.check()
        print("shift %d: %+.1f %%, settled %+.1f %%" % (number, at_once * 100, fragmentation(wire) * 100))
    got, seconds = figures(wire), time.monotonic() - began
    assert int(got["active_defrag_key_hits"]) > 0 and int(got["evicted_keys"]) > 0
    assert int(got["active_defrag_hits"]) >= int(got["active_defrag_key_hits"])
    share = int(got["total_active_defrag_time"]) / 1000 / seconds / SHARDS
    assert share <= 0.055, "it took %.3f of a CPU" % share
    wire.close()


def nothing_to_do_takes_nothing(server):
    wire = Wire(server.port)
    wait_until("at rest", lambda: figure(wire, "active_defrag_running") == 0)
    time.sleep(1.5)  # a last look may be due
    before = figures(wire)
    time.sleep(1)
    after = figures(wire)
    for name in ("active_defrag_hits", "active_defrag_misses", "total_active_defrag_time"):
        equal(after[name], before[name])
    assert int(after["turns"]) - int(before["turns"]) < 20, (before["turns"], after["turns"])
    wire.close()


def refused_without_jemalloc(server):
    wire = Wire(server.port)
    equal(wire.run("CONFIG", "GET", "activedefrag"), [b"activedefrag", b"no"])
    got = wire.run("CONFIG", "SET", "activedefrag", "yes")
    assert isinstance(got, Error) and b"cannot be enabled" in got, got
    equal(wire.run("CONFIG", "SET", "activedefrag", "no"), b"OK")
    wire.close()


tests = Tests()
print("seed %d" % SEED)
with Server(SHARDS, "--maxmemory", str(LIMIT), "--active-defrag-ignore-bytes", "1mb") as started:
    if MODE in ("asan", "ubsan", "tsan"):
        tests.run("refused without jemalloc", refused_without_jemalloc, started)
        print("skipped: this build's allocator says nothing about its pages")
        tests.skipped += 4
    else:
        tests.run("without", without, started)
        tests.run("switched on", switched_on_it_works_by_itself, started)
        tests.run("four shifts", four_shifts, started)
        tests.run("nothing to do", nothing_to_do_takes_nothing, started)
    tests.run("a clean end", started.ends_well)
tests.finish()
