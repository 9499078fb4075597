"""What a transaction costs with many shards: it grows with the shards that take part, not with those that there are.

Events are counted and not seconds, so that a busy machine does not matter."""

import random

from started import Server, Tests, equal
from wire import PROTOCOLS, Wire

TRANSACTIONS, KEYS = 100, 20
COUNTED = ("turns", "lanes_looked_at", "wakeups")


def figures(wire):
    text = wire.run("INFO", "everything").decode()
    got = dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
    return [int(got[name]) for name in COUNTED]


def parts(shards):
    """Shards that the keys of a transaction lie in, on average."""
    return shards * (1 - (1 - 1 / shards) ** KEYS)


def events(shards):
    """Of each kind, for a shard that takes part in a transaction."""
    rng = random.Random(1)
    with Server(shards, "--maxmemory", "256mb") as server:
        wire = Wire(server.port, PROTOCOLS[0])
        for measured in (False, True):  # the first time queues are made
            before = figures(wire)
            for _ in range(TRANSACTIONS):
                words = ["MSET"]
                for _ in range(KEYS):
                    words += ["key:%d" % rng.randrange(10 ** 9), "v"]
                wire.send(wire.proto.request(*words))
            for _ in range(TRANSACTIONS):
                equal(wire.read(), b"OK")
            after = figures(wire)
        wire.close()
        server.ends_well()
    return [(b - a) / TRANSACTIONS / parts(shards) for a, b in zip(before, after)]


def transactions():
    few, many = events(16), events(128)
    print("events a part, of 16 and 128 shards:", *("%s %.2f %.2f" % row for row in zip(COUNTED, few, many)))
    for name, of_few, of_many in zip(COUNTED, few, many):
        assert of_many < 1.5 * of_few, "%s: %.2f a part of 16 shards, %.2f of 128" % (name, of_few, of_many)


tests = Tests()
tests.run("transactions", transactions)
tests.finish()
