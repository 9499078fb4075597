#!/usr/bin/env python3
"""connections.py - what many connections cost that do nothing, or next to nothing.

    bench/peers/connections.py [--only idle|memory] [--connections N] [--shards N] [--no-peers]
                               port from $PORT (22480), server from $SHOAL (build/shoal)

idle    The CPU that 1,000 connections take which have each had one reply and are silent, with 8 shards.
memory  The growth of the server's memory by as many connections as the limit of open files allows, at most 100,000:
        when they have been accepted, after a request each, when each has sent half a request, after three more
        bytes of it one at a time, after its reply, after closing all, and with as many connections a second time. The
        kernel's memory is that of the machine, for both ends of the connections.
        What a shard's pools take, once and up to 4 MB, is in the figures: below some 5,000 connections a shard they are
        beyond their limits for that reason alone.

redis-server and memcached, if installed, are beside it. Exit 1 when shoal is beyond a limit.
"""

import argparse
import os
import re
import socket
import sys
import time

import peers

PORT = int(os.environ.get("PORT", "22480"))
IDLE_CONNECTIONS, IDLE_SHARDS, IDLE_SECONDS = 1000, 8, 20
IDLE_CPU_MAX = 0.001  # of one CPU
BYTES_MAX = 1536  # of process memory for a connection, whatever it has sent of a request
KEPT_MAX = 4 << 20  # bytes a shard that may stay when all are closed: its pools of chunks and requests
PER_ADDRESS = 20000  # connections from one address: there are 28,000 ephemeral ports
SPARE_FILES = 200  # which client and server need for themselves
WAVE = 500  # connections that send before the first of them reads
SETTLE_SECONDS = 12  # pages go back some time after their last use, and what had to be done is done
KEY, VALUE = b"key:000000000042", b"v" * 32
HALF, DRIBBLED = 20, 3  # bytes of a GET for KEY

failures = []


def limit(value, most, what, unit):
    """A line with a limit beside the figure."""
    bad = value > most
    if bad:
        failures.append(what)
    print("    %-44s %10.4g %-12s at most %g%s" % (what, value, unit, most, "   TOO MUCH" if bad else ""))


def no_limit(value, _, what, unit):
    print("    %-44s %10.4g %s" % (what, value, unit))


# ---- the client's side ---------------------------------------------------------------------------


class Clients:
    """Many connections to one server."""

    def __init__(self, server, count):
        self.server, self.kind, self.sockets = server, server.kind, []
        for i in range(count):
            one = socket.socket()
            one.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.bind(("127.0.0.%d" % (2 + i // PER_ADDRESS), 0))
            one.connect(("127.0.0.1", server.port))
            self.sockets.append(one)
        server.wait_for("%d connections" % count, lambda: server.connected() > count)

    def send(self, data):
        """Sends `data` on all connections and waits until the server has read it."""
        before = self.server.bytes_read()
        for one in self.sockets:
            one.sendall(data)
        self.server.wait_for("bytes read", lambda: self.server.bytes_read() >= before + len(data) * len(self.sockets))

    def read(self, sockets=None):
        want = self.kind.hit(KEY, VALUE)
        for one in sockets or self.sockets:
            got = b""
            while len(got) < len(want):
                more = one.recv(len(want) - len(got))
                if not more:
                    raise RuntimeError("%s closed a connection" % self.kind.name)
                got += more
            if got != want:
                raise RuntimeError("got %r, wanted %r" % (got, want))

    def request(self):
        for at in range(0, len(self.sockets), WAVE):
            wave = self.sockets[at:at + WAVE]
            for one in wave:
                one.sendall(self.kind.get(KEY))
            self.read(wave)

    def close(self):
        for one in self.sockets:
            one.close()
        self.server.wait_for("end of the connections", lambda: self.server.connected() < 10)
        self.sockets = []


def store(server):
    stored = b"STORED\r\n" if server.kind.memcached else b"+OK\r\n"
    server.ask(server.kind.set(KEY, VALUE), lambda text: text == stored)


# ---- idle ----------------------------------------------------------------------------------------


def idle(kind, is_ours, seconds):
    print("  " + kind.name)
    with peers.Running(kind, PORT, clients=IDLE_CONNECTIONS + 100) as server:
        store(server)
        clients = Clients(server, IDLE_CONNECTIONS)
        clients.request()
        time.sleep(SETTLE_SECONDS)
        cpu, ticks, start = server.cpu_ns(), server.ticks(), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - start
        share = (server.cpu_ns() - cpu) / 1e9 / passed
        ticks = server.ticks() - ticks
        check = limit if is_ours else no_limit
        check(100 * share, 100 * IDLE_CPU_MAX, "%d idle connections, %.0f s" % (IDLE_CONNECTIONS, passed), "% of a CPU")
        no_limit(ticks, None, "the same in ticks of %d ms" % (1000 / os.sysconf("SC_CLK_TCK")), "")
        clients.close()


# ---- memory --------------------------------------------------------------------------------------


class Growth:
    """How much memory has grown since this was made, for each of `count` connections."""

    def __init__(self, server, count, is_ours):
        self.server, self.count, self.limit = server, count, limit if is_ours else no_limit
        self.base, self.kernel_base = server.memory_bytes(), peers.kernel_bytes()

    def total(self):
        return self.server.memory_bytes() - self.base

    def say(self, what):
        self.limit(self.total() / self.count, BYTES_MAX, what, "bytes each")

    def say_kept(self, most):
        """Memory goes back page by page, some seconds after its last use."""
        time.sleep(SETTLE_SECONDS)
        self.limit(self.total() / 1e6, most / 1e6, "after closing all, %d s later" % SETTLE_SECONDS, "MB in all")

    def say_kernel(self):
        kernel = peers.kernel_bytes() - self.kernel_base
        no_limit(kernel / self.count, None, "in the kernel, both ends", "bytes each")


def spread(server):
    """How many more connections the fullest shard has than the emptiest, and how many shards there are."""
    counts = [int(count) for count in re.findall(rb"shard\d+:.*?connections=(\d+)", server.text())]
    return max(counts) - min(counts), len(counts)


def slow(clients, growth):
    request = clients.kind.get(KEY)
    half = min(HALF, len(request) - DRIBBLED - 1)
    clients.send(request[:half])
    growth.say("half a request each")
    for at in range(half, half + DRIBBLED):
        clients.send(request[at:at + 1])
    growth.say("%d more bytes, one at a time" % DRIBBLED)
    clients.send(request[half + DRIBBLED:])
    clients.read()
    growth.say("and their replies")


def memory(kind, is_ours, count):
    print("  %s, %d connections" % (kind.name, count))
    with peers.Running(kind, PORT, clients=max(count, WAVE) + 50) as server:
        store(server)
        warm = Clients(server, WAVE)  # what a server has once, it has after these
        warm.request()
        warm.close()
        growth = Growth(server, count, is_ours)
        cpu, start = server.cpu_ns(), time.monotonic()
        clients = Clients(server, count)
        no_limit((server.cpu_ns() - cpu) / 1e3 / count, None, "CPU to accept one", "us")
        no_limit(time.monotonic() - start, None, "to connect and accept all, one at a time", "s")
        shards = 1
        if is_ours:
            difference, shards = spread(server)
            limit(difference, 1, "more on one of %d shards than on another" % shards, "connections")
        growth.say("idle, nothing sent")
        growth.say_kernel()
        clients.request()
        growth.say("idle, after a request each")
        slow(clients, growth)
        clients.close()
        growth.say_kept(KEPT_MAX * shards)
        again = Clients(server, count)
        growth.say("idle, as many again")
        again.close()


# ---- all -----------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("idle", "memory"))
    parser.add_argument("--connections", type=int, default=100000)
    parser.add_argument("--shards", type=int, default=4, help="for memory")
    parser.add_argument("--seconds", type=float, default=IDLE_SECONDS, help="for idle")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    files = peers.raise_descriptors()
    count = min(options.connections, files - SPARE_FILES)
    others = [] if options.no_peers else [one for one in (peers.redis(), peers.memcached()) if one.installed()]
    if options.only != "memory":
        print("CPU of silent connections")
        for kind in [peers.shoal(IDLE_SHARDS), *others]:
            idle(kind, kind not in others, options.seconds)
    if options.only != "idle":
        print("memory of a connection" + ("; the limit of open files is %d" % files if count < options.connections else ""))
        for kind in [peers.shoal(options.shards), *others]:
            memory(kind, kind not in others, count)
    if failures:
        print("beyond the limit: " + ", ".join(failures))
    sys.exit(1 if failures else 0)


main()
