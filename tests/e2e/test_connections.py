"""Connections by the thousand: how they are spread, resets in mid-reply, the limit of clients,
frames that declare much and send nothing, churn."""

import collections
import os
import re
import signal
import socket
import threading
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import (PROTOCOLS, Error, Native, Resp, Wire, descriptors, rss_bytes, wait_until)

MANY = min(5000 if SCALE == 1 else 3000, descriptors(11000) // 2 - 200)
RESETS = 1000
MIB = 1 << 20


def fds(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def clients(server):
    """CLIENT LIST as a list of fields by name, without our own connection."""
    wire = Wire(server.port)
    lines = wire.run("CLIENT", "LIST")
    wire.close()
    assert not isinstance(lines, Error), lines
    all_of = [dict(field.partition("=")[::2] for field in line.split()) for line in lines.decode().splitlines()]
    return [one for one in all_of if "client" not in one.get("cmd", "")]


def idle_again(server):
    """Every connection is gone: the descriptors say so."""
    wait_until("descriptors back to %d" % server.fds, lambda: fds(server) <= server.fds)
    equal(fds(server), server.fds)


def spread_and_reset(server):
    value = b"v" * 200000
    setter = Wire(server.port)
    equal(setter.run("SET", "reset:value", value), b"OK")
    setter.close()
    idle_again(server)
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(MANY)]
    for i, wire in enumerate(wires):
        wire.send(wire.proto.request("SET", "held:%d" % i, i) + wire.proto.request("GET", "held:%d" % i))
    for i, wire in enumerate(wires):
        equal([wire.read(), wire.read()], [b"OK", b"%d" % i])
    spread = collections.Counter(int(one["shard"]) for one in clients(server))
    equal(sum(spread.values()), MANY)
    equal(sorted(spread), list(range(server.shards)))
    assert max(spread.values()) - min(spread.values()) <= 1, spread
    for i, wire in enumerate(wires):  # again, the other way round: each still served
        wire.send(wire.proto.request("INCR", "held:%d" % i))
    for i, wire in reversed(list(enumerate(wires))):
        equal(wire.read(), i + 1)
    for wire in wires[:RESETS]:  # replies that fill the socket, then a reset in the middle of one
        wire.send(wire.proto.request("GET", "reset:value") * 10)
    for wire in wires[:RESETS]:
        assert wire.more()
        wire.reset()
    for i, wire in enumerate(wires[RESETS:], RESETS):
        equal(wire.run("INCR", "held:%d" % i), i + 2)
    for wire in wires[RESETS:]:
        wire.close()
    idle_again(server)


def evenly_after_closing(server):
    """New connections go where old ones have left. The one that asks stays open and counts, too: another one for each
    question would be counted by the server for a moment after it has closed."""
    idle_again(server)
    asker = Wire(server.port)

    def listed():
        return [dict(field.partition("=")[::2] for field in line.split())
                for line in asker.run("CLIENT", "LIST").decode().splitlines()]

    wires = [Wire(server.port) for _ in range(40 * server.shards - 1)]
    for wire in wires:
        wire.run("GET", "x")
    by_shard = collections.defaultdict(list)
    of_port = {int(one["addr"].rpartition(":")[2]): int(one["shard"]) for one in listed()}
    for wire in wires:
        by_shard[of_port[wire.socket.getsockname()[1]]].append(wire)
    leaving = next(shard for shard in by_shard if shard != of_port[asker.socket.getsockname()[1]])
    for wire in by_shard[leaving]:
        wire.close()
    wait_until("clients of shard %d gone" % leaving,
               lambda: all(int(one["shard"]) != leaving for one in listed()))
    again = [Wire(server.port) for _ in by_shard[leaving]]
    for wire in again:
        wire.run("GET", "x")
    spread = collections.Counter(int(one["shard"]) for one in listed())
    assert max(spread.values()) - min(spread.values()) <= 1, spread
    for wire in again + [asker] + sum((list_ for shard, list_ in by_shard.items() if shard != leaving), []):
        wire.close()


def churn(server):
    for _ in range(500):
        Wire(server.port).close()
    idle_again(server)
    rss = rss_bytes(server.process.pid)
    for i in range(5000 // SCALE):
        wire = Wire(server.port, PROTOCOLS[i % 2])
        if i % 3:
            equal(wire.run("SET", "churn", i), b"OK")
        if i % 5 == 0:
            wire.send(wire.proto.request("GET", "churn")[:-3])
        wire.close() if i % 2 else wire.reset()
    idle_again(server)
    grown = rss_bytes(server.process.pid) - rss
    assert MODE != "release" or grown < 16 * MIB, "grew by %d KiB" % (grown >> 10)


def headers_only(server):
    """What is only declared allocates nothing."""
    headers = (b"*1048576\r\n", b"*1\r\n$536870912\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$500000000\r\n",
               b"\xff\xff\xff\x07", b"\xff\xff\xff\x07\xff", b"\xff\xff\xff\x07\x02\xf0\xff\xff\x07x")
    before = rss_bytes(server.process.pid)
    wires = []
    for i in range(240):
        wires.append(Wire(server.port))
        wires[-1].send(headers[i % len(headers)])
    equal(Wire(server.port).run("SET", "headers", 1), b"OK")
    time.sleep(0.1)  # nothing tells when the last header has been read
    grown = rss_bytes(server.process.pid) - before
    assert grown < 32 * MIB, "grew by %d KiB" % (grown >> 10)
    for wire in wires:
        wire.close()


def dribblers(server):
    """Clients that send a byte now and then do not hold up anybody."""
    request = Resp.request("SET", "dribble", "x" * 50)
    wires = [Wire(server.port) for _ in range(500 // SCALE)]
    bystander = Wire(server.port)
    for at in range(len(request)):
        for i, wire in enumerate(wires):
            wire.send(request[at:at + 1])
            if i % 50 == 0:  # answered before the next byte is sent
                equal(bystander.run("GET", "x"), None)
    equal([wire.read() for wire in wires], [b"OK"] * len(wires))
    for wire in wires + [bystander]:
        wire.close()


def gone_before_accepted(server):
    """Who has reset its connection before it was accepted may have been anybody: what it sent is not run, and it
    counts as one that came, not as one that was turned away."""
    admin = Wire(server.port)

    def counted(name):
        return int(admin.run("INFO", "stats").partition(b"\r\n%s:" % name)[2].split()[0])

    received, rejected = counted(b"total_connections_received"), counted(b"rejected_connections")
    def is_stopped():
        folder = "/proc/%d/task" % server.process.pid
        return all(open("%s/%s/stat" % (folder, thread)).read().rpartition(")")[2].split()[0] == "T"
                   for thread in os.listdir(folder))

    server.process.send_signal(signal.SIGSTOP)
    try:
        wait_until("stopped", is_stopped)
        for _ in range(20):
            wire = Wire(server.port)
            wire.send(wire.proto.request("SET", "gone", "1"))
            wire.reset()
    finally:
        server.process.send_signal(signal.SIGCONT)
    wait_until("all received", lambda: counted(b"total_connections_received") == received + 20)
    equal(counted(b"rejected_connections"), rejected)
    equal(admin.run("EXISTS", "gone"), 0)
    admin.close()


def limit_of_clients():
    with Server(3, "--maxclients", "200", offset=1) as server:
        wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(200)]
        for wire in wires:
            equal(wire.run("SET", "a", 1), b"OK")
        for _ in range(100):
            over = Wire(server.port)
            equal(over.rest(), [Error(b"ERR max number of clients reached")])
            over.close()
        for wire in wires:
            equal(wire.run("GET", "a"), b"1")
        for wire in wires[:50]:
            wire.close()
        wait_until("room again", lambda: b"\r\nconnected_clients:150\r\n" in wires[50].run("INFO", "clients"))
        again = [Wire(server.port) for _ in range(50)]
        for wire in again:
            equal(wire.run("GET", "a"), b"1")
        info = again[0].run("INFO", "stats")
        if not isinstance(info, Error):
            rejected = int(re.search(rb"rejected_connections:(\d+)", info).group(1))
            assert rejected >= 100, rejected
        for wire in wires[50:] + again:
            wire.close()
        server.ends_well()


tests = Tests()
with Server(4, "--maxclients", "10000") as started:
    started.fds = fds(started)
    tests.run("%d connections, evenly, %d reset" % (MANY, RESETS), spread_and_reset, started)
    tests.run("evenly after closing", evenly_after_closing, started)
    tests.run("churn", churn, started)
    tests.run("headers only", headers_only, started)
    tests.run("dribblers", dribblers, started)
    tests.run("gone before accepted", gone_before_accepted, started)
    tests.run("a clean end", started.ends_well)
tests.run("limit of clients", limit_of_clients)
tests.finish()
