"""Connections that end at any stage, by their own doing or by CLIENT KILL: in a request, in a reply, in MULTI, with
WATCH, while held by a pause or a transaction. A bystander's replies stay right, and nothing is left behind."""

import os
import random
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import PROTOCOLS, Error, Native, Resp, Wire, rss_bytes, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SECONDS = float(os.environ.get("SECONDS_STRESS", 6))
LIVE = 60
# TCP that has lost much, here by small buffers that nobody reads, sends again, or for the last time, only so much later.
GONE_SECONDS = 120
MIB = 1 << 20


def fds(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def some_request(rng, request):
    """One request, or a few that belong together, of every way a command can take."""
    keys = ["soak:%d" % rng.randrange(40) for _ in range(5)]
    big = b"b" * rng.choice((10, 100, 5000, 17000, 70000, 300000))
    return rng.choice((
        lambda: request("GET", keys[0]),
        lambda: request("SET", keys[0], big),
        lambda: request("SET", keys[0], big, "PX", rng.randrange(1, 200)),
        lambda: request("APPEND", keys[0], "tail"),
        lambda: request("GETRANGE", keys[0], 0, rng.randrange(100000)),
        lambda: request("GETDEL", keys[0]),
        lambda: request("MGET", *keys),
        lambda: request("MSET", *sum(([key, big[:20000]] for key in keys), [])),
        lambda: request("MSETNX", keys[0], "x", keys[1], "y"),
        lambda: request("DEL", *keys),
        lambda: request("RENAME", keys[0], keys[1]),
        lambda: request("WATCH", *keys),
        lambda: request("MULTI"),
        lambda: request("EXEC"),
        lambda: request("DISCARD"),
        lambda: request("UNWATCH"),
        lambda: request("MULTI") + b"".join(request("SET", key, big) + request("GET", key) for key in keys)
        + request("EXEC"),
        lambda: request("WATCH", keys[0]) + request("MULTI") + request("GET", keys[1]) + request("EXEC"),
        lambda: request("SCAN", 0, "COUNT", 100),
        lambda: request("KEYS", "soak:*"),
        lambda: request("DBSIZE") + request("RANDOMKEY"),
        lambda: request("SELECT", rng.randrange(3)),
        lambda: request("CLIENT", "LIST"),
        lambda: request("CLIENT", "REPLY", rng.choice(("ON", "OFF", "SKIP"))),
        lambda: request("INFO"),
        lambda: request("NOSUCHCOMMAND", big),
        lambda: request("FLUSHDB"),
    ))()


def garbage(rng):
    return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 50)))


class Crowd:
    def __init__(self, server, rng):
        self.server, self.rng, self.wires, self.opened, self.ended = server, rng, [], 0, 0

    def grow(self):
        rng = self.rng
        self.opened += 1
        wire = Wire(self.server.port, rng.choice(PROTOCOLS), receive_bytes=rng.choice((None, 4096)))
        wire.socket.setblocking(False)
        self.wires.append(wire)

    def send(self, wire):
        rng = self.rng
        data = b"".join(some_request(rng, wire.proto.request) for _ in range(rng.choice((1, 1, 3, 30))))
        if rng.random() < 0.2:
            data = data[:rng.randrange(len(data) + 1)]
        if rng.random() < 0.03:
            data += garbage(rng)
        try:
            wire.socket.send(data)  # as much as fits: the rest makes it a half request
        except OSError:
            self.end(wire)

    def read(self, wire):
        try:
            if not wire.socket.recv(self.rng.choice((1, 100, 1 << 18))):
                self.end(wire)
        except BlockingIOError:
            pass
        except OSError:
            self.end(wire)

    def end(self, wire):
        self.wires.remove(wire)
        self.ended += 1
        wire.reset() if self.rng.random() < 0.5 else wire.close()

    def half_close(self, wire):
        try:
            wire.socket.shutdown(self.rng.choice((0, 1)))
        except OSError:
            self.end(wire)

    def act(self):
        wire = self.rng.choice(self.wires)
        self.rng.choices((self.send, self.read, self.end, self.half_close), (60, 30, 8, 1))[0](wire)


def administer(rng, admin):
    """What an operator does to others' connections."""
    what = rng.randrange(6)
    if what == 0:
        admin.run("CLIENT", "PAUSE", rng.randrange(1, 30), rng.choice(("ALL", "WRITE")))
    elif what == 1:
        admin.run("CLIENT", "UNPAUSE")
    elif what == 2:
        lines = admin.run("CLIENT", "LIST").decode().splitlines()
        line = rng.choice(lines)
        if "cmd=client" not in line:
            admin.run("CLIENT", "KILL", "ID", line.split()[0].partition("=")[2])
    elif what == 3:
        admin.run("CLIENT", "KILL", "MAXAGE", 100)
    elif what == 4:
        equal(admin.run("CONFIG", "SET", "strict-mget", rng.choice(("yes", "no"))), b"OK")
    else:
        assert b"connected_clients" in admin.run("INFO")


def accepted(admin):
    return int(admin.run("INFO", "stats").partition(b"total_connections_received:")[2].split()[0])


def wait_until_gone(server, admin, wanted_fds, wanted_accepted):
    """Everybody but the admin and the bystander; one that ended before it was accepted still has its say."""
    try:
        wait_until("the crowd accepted", lambda: accepted(admin) >= wanted_accepted)
        wait_until("the crowd gone", lambda: fds(server) <= wanted_fds, GONE_SECONDS)
    except AssertionError:
        print("%d descriptors, wanted %d\n%s" % (fds(server), wanted_fds, server.state()))
        raise


def is_alone(admin, names):
    """Nobody else writes. What a connection had under way at its end, a FLUSHALL in the line for all shards say, is run
    after its descriptor has gone."""
    admin.run("MSET", *sum(([name, "alone"] for name in names), []))
    time.sleep(0.2)
    return admin.run("EXISTS", *names) == len(names)


def soak(server):
    rng = random.Random(SEED)
    base = fds(server)
    admin, bystander = Wire(server.port), Wire(server.port, Native)
    equal(bystander.run("SELECT", 9), b"OK")
    before, bystanders = accepted(admin), 0
    crowd = Crowd(server, rng)
    end, count = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        while len(crowd.wires) < LIVE:
            crowd.grow()
        for _ in range(20):
            if crowd.wires:
                crowd.act()
        if rng.random() < 0.1:
            administer(rng, admin)
        try:
            equal(bystander.run("INCR", "bystander"), count + 1)
            count += 1
        except (EOFError, ConnectionError):  # killed like any other
            bystander = Wire(server.port, Native)
            bystanders += 1
            equal(bystander.run("SELECT", 9), b"OK")
            count = int(bystander.run("GET", "bystander") or 0)
    admin.run("CLIENT", "UNPAUSE")
    for wire in list(crowd.wires):
        crowd.end(wire)
    print("%d connections ended, %d replies of the bystander" % (crowd.ended, count))
    # What they had sent has been run or dropped; then every key can be used at once.
    wait_until_gone(server, admin, base + 2, before + crowd.opened + bystanders)
    names = ["soak:%d" % i for i in range(40)]
    wait_until("their last commands run", lambda: is_alone(admin, names))
    for _ in range(3):
        equal(admin.run("MSET", *sum(([name, "end"] for name in names), [])), b"OK")
        equal(admin.run("MGET", *names), [b"end"] * 40)
        equal(admin.run("DEL", *names), 40)
    for i in range(40):
        equal(admin.run("SET", "soak:%d" % i, i), b"OK")
    equal(admin.run("FLUSHALL"), b"OK")
    admin.close()
    bystander.close()
    wait_until("descriptors back to %d" % base, lambda: fds(server) <= base)


def flushes(server):
    """FLUSHDB takes whole shards: many at once, each in a pipeline with what has to wait for it."""
    rng = random.Random(SEED)
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(12)]
    for _ in range(300 // SCALE):
        counts = []
        for wire in wires:
            request, keys = wire.proto.request, ["soak:%d" % rng.randrange(40) for _ in range(5)]
            kinds = (request("FLUSHDB"), request("GET", keys[0]), request("MGET", *keys),
                     request("MSET", *sum(([key, 1] for key in keys), [])))
            counts.append(rng.choice((1, 3, 10)))
            wire.send(b"".join(rng.choice(kinds) for _ in range(counts[-1])))
        for wire, count in zip(wires, counts):
            for _ in range(count):
                assert not isinstance(wire.read(), Error)
    for wire in wires:
        wire.close()


tests = Tests()
print("seed %d" % SEED)
with Server(3, "--maxmemory", "0") as started:
    tests.run("flushes", flushes, started)
    tests.run("soak", soak, started)
    tests.run("a clean end", started.ends_well)
tests.finish()
