"""default-ttl, max-ttl and ttl-jitter on a started server of three shards: from the command line, changed while it runs,
in transactions and across shards."""

from started import Server, Tests, equal
from wire import PROTOCOLS, Error, Wire

OK = b"OK"
SLACK_MS = 20 * 1000  # what a test may take; TTLs are far above it


def configure(wire, default="0", longest="0", jitter="0"):
    equal(wire.run("CONFIG", "SET", "default-ttl", default, "max-ttl", longest, "ttl-jitter", jitter), OK)
    equal(wire.run("FLUSHALL"), OK)


def lives(wire, name, ms):
    got = wire.run("PTTL", name)
    assert got == -1 if ms is None else ms - SLACK_MS < got <= ms, "%s lives %r ms and not %r" % (name, got, ms)


def from_the_start(server):
    wire = Wire(server.port, PROTOCOLS[0])
    equal(wire.run("CONFIG", "GET", "default-ttl"), [b"default-ttl", b"3600"])
    equal(wire.run("CONFIG", "GET", "max-ttl"), [b"max-ttl", b"86400"])
    equal(wire.run("CONFIG", "GET", "ttl-jitter"), [b"ttl-jitter", b"0"])
    equal(wire.run("SET", "a", 1), OK)
    lives(wire, "a", 3600 * 1000)
    equal(wire.run("SET", "a", 1, "EX", 1000000), OK)
    lives(wire, "a", 86400 * 1000)


def every_shard_and_protocol(server):
    for proto in PROTOCOLS:
        wire = Wire(server.port, proto)
        configure(wire, "10m")
        names = ["key:%d" % i for i in range(30)]
        equal(wire.run("MSET", *(word for name in names for word in (name, 1))), OK)
        for name in names:
            lives(wire, name, 600 * 1000)
        configure(wire, "0")
        equal(wire.run("MSET", *(word for name in names for word in (name, 1))), OK)
        for name in names:
            lives(wire, name, None)
        wire.close()


def what_is_moved_keeps_what_it_has(server):
    wire = Wire(server.port, PROTOCOLS[0])
    configure(wire, "10m")
    for i in range(20):  # some of these go to another shard
        equal(wire.run("SET", "from:%d" % i, 1, "EX", 5000), OK)
        equal(wire.run("RENAME", "from:%d" % i, "to:%d" % i), OK)
        equal(wire.run("COPY", "to:%d" % i, "copy:%d" % i), 1)
        lives(wire, "to:%d" % i, 5000 * 1000)
        lives(wire, "copy:%d" % i, 5000 * 1000)
        equal(wire.run("PERSIST", "copy:%d" % i), 1)
        equal(wire.run("RENAME", "copy:%d" % i, "kept:%d" % i), OK)
        lives(wire, "kept:%d" % i, None)
    configure(wire)
    equal(wire.run("MSET", *(word for i in range(20) for word in ("old:%d" % i, 1))), OK)
    equal(wire.run("CONFIG", "SET", "max-ttl", "10m"), OK)
    for i in range(20):
        equal(wire.run("COPY", "old:%d" % i, "copy:%d" % i), 1)
        lives(wire, "copy:%d" % i, 600 * 1000)
        lives(wire, "old:%d" % i, None)
        equal(wire.run("RENAME", "old:%d" % i, "new:%d" % i), OK)
        lives(wire, "new:%d" % i, 600 * 1000)


def transactions(server):
    wire = Wire(server.port, PROTOCOLS[0])
    configure(wire, "10m", "20m")
    equal(wire.run("MULTI"), OK)
    for i in range(9):
        wire.run("SET", "a:%d" % i, 1)
        wire.run("INCR", "b:%d" % i)
        wire.run("SET", "c:%d" % i, 1, "EX", 100000)
        wire.run("PERSIST", "a:%d" % i)
    equal(wire.run("EXEC"), [OK, 1, OK, 1] * 9)
    for i in range(9):
        lives(wire, "a:%d" % i, 1200 * 1000)
        lives(wire, "b:%d" % i, 600 * 1000)
        lives(wire, "c:%d" % i, 1200 * 1000)


def jitter(server):
    wire = Wire(server.port, PROTOCOLS[0])
    configure(wire, "10000", "0", "20%")
    got = []
    for i in range(600):
        equal(wire.run("SET", "k:%d" % i, 1, *(("EX", 10000) if i % 2 else ())), OK)
        got.append(wire.run("PTTL", "k:%d" % i))
    assert 8000 * 1000 - SLACK_MS < min(got) and max(got) <= 10000 * 1000, (min(got), max(got))
    assert min(got) < 8300 * 1000 and max(got) > 9700 * 1000 - SLACK_MS and len(set(got)) > 500, sorted(got)[::100]


def what_is_refused(server):
    wire = Wire(server.port, PROTOCOLS[0])
    configure(wire, "7")
    for name, value in (("default-ttl", "x"), ("max-ttl", "-1"), ("ttl-jitter", "101"), ("max-ttl", "40000d")):
        got = wire.run("CONFIG", "SET", name, value)
        assert isinstance(got, Error) and b"CONFIG SET failed" in got, got
    equal(wire.run("CONFIG", "GET", "default-ttl"), [b"default-ttl", b"7"])


tests = Tests()
with Server(3, "--default-ttl", "1h", "--max-ttl", "1d") as started:
    tests.run("from the start", from_the_start, started)
    tests.run("every shard and protocol", every_shard_and_protocol, started)
    tests.run("what is moved", what_is_moved_keeps_what_it_has, started)
    tests.run("transactions", transactions, started)
    tests.run("jitter", jitter, started)
    tests.run("what is refused", what_is_refused, started)
    tests.run("a clean end", started.ends_well)
tests.finish()
