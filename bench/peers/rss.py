#!/usr/bin/env python3
"""rss.py - is the limit kept? A load made to break it, and what the server takes meanwhile.

    bench/peers/rss.py --seconds 600 --shards 2 --maxmemory 256mb        ends with 1 when something was exceeded

A thousand connections mix values of 10 bytes to 1 MB (which end of it is in favour changes all the time), TTLs,
deletes, pipelines of large values, clients that stop in the middle of a value and clients that read slowly. Each second
it asks for what is stored, what buffers take and what the kernel counts, and at the end it shows where the peak
came from. What must hold: resident <= maxmemory + maxmemory-clients + 10 %, no OOM error, keys > 0, no connection
closed that makes progress. Only Python's own library is used.
"""

import argparse
import os
import random
import re
import selectors
import signal
import socket
import subprocess
import sys
import time

MB = 1000 * 1000
CONNECTIONS = 1000
VALUE_MIN, VALUE_MAX = 10, MB
READ_BYTES = 1 << 18
OVERHEAD = 1.10
NOISE = random.Random(1).randbytes(2 * MB)
SIZE_PHASES = (0.3, 1.0, 3.0)  # exponents: below 1 large values are favoured, above it small ones


def request(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Replies:
    """Counts the replies in a stream without keeping them; errors are noted by their first word."""

    def __init__(self):
        self.rest, self.skip, self.nested, self.count, self.errors = b"", 0, 0, 0, {}

    def feed(self, data):
        if self.skip >= len(data):
            self.skip -= len(data)
            return self.finish_bulk()
        data, at = self.rest + data[self.skip:], 0
        if self.skip:
            self.skip = 0
            self.finish_bulk()
        while True:
            end = data.find(b"\r\n", at)
            if end < 0:
                break
            at = self.line(data, at, end)
            if at > len(data):
                self.skip, at = at - len(data), len(data)
                break
        self.rest = data[at:]

    def finish_bulk(self):
        if not self.skip:
            self.one()

    def line(self, data, at, end):
        kind = data[at]
        if kind == ord("*"):
            self.nested += int(data[at + 1:end])
            return end + 2
        if kind == ord("$") and data[at + 1] != ord("-"):
            after = end + 4 + int(data[at + 1:end])
            if after > len(data):
                return after
            end = after - 2
        elif kind == ord("-"):
            word = data[at + 1:end].split(b" ")[0].decode()
            self.errors[word] = self.errors.get(word, 0) + 1
        self.one()
        return end + 2

    def one(self):
        if self.nested:
            self.nested -= 1
            self.count += not self.nested
        else:
            self.count += 1


class Client:
    """One connection: sends a batch, reads its replies, goes on. Some pause in between."""

    def __init__(self, load):
        self.load, self.replies, self.expected, self.out = load, Replies(), 0, memoryview(b"")
        self.socket = socket.create_connection(("127.0.0.1", load.port))
        self.socket.setblocking(False)
        self.mask, self.asleep_until, self.stop_at = 0, 0, 0
        self.since = time.monotonic()

    def watch(self, mask):
        if mask == self.mask:
            return
        selector = self.load.selector
        if not self.mask:
            selector.register(self.socket, mask, self)
        elif not mask:
            selector.unregister(self.socket)
        else:
            selector.modify(self.socket, mask, self)
        self.mask = mask

    def sleep(self, seconds):
        self.asleep_until = time.monotonic() + seconds
        self.watch(0)
        self.load.sleepers.append(self)

    def begin(self):
        data, count, pause = self.load.batch()
        self.out, self.expected = memoryview(data), self.replies.count + count
        self.stop_at = len(data) - int(len(data) * self.load.rng.random()) if pause else 0
        self.since = time.monotonic()
        self.go_on()

    def go_on(self):
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0)
        self.watch(mask)

    def ready(self, mask):
        if mask & selectors.EVENT_WRITE and self.out:
            part = self.out[:1 << 17]
            sent = self.socket.send(part)
            self.load.sent += sent
            self.out = self.out[sent:]
            if self.stop_at and len(self.out) <= self.stop_at:
                self.stop_at = 0
                return self.sleep(self.load.rng.uniform(0.1, 2))  # in the middle of a value, or unread replies
        if mask & selectors.EVENT_READ:
            data = self.socket.recv(READ_BYTES)
            if not data:
                raise ConnectionError("closed by the server")
            self.load.received += len(data)
            self.replies.feed(data)
        if not self.out and self.replies.count == self.expected:
            self.load.done(self)
        else:
            self.go_on()


class Load:
    """`with` nothing: step() until the time is over."""

    def __init__(self, port, keys, seed, connections=CONNECTIONS):
        self.port, self.keys, self.rng = port, keys, random.Random(seed)
        self.selector, self.sleepers = selectors.DefaultSelector(), []
        self.sent = self.received = self.batches = self.closed = 0
        self.slowest = 0.0
        self.power = 1.0
        self.errors = {}
        self.clients = [Client(self) for _ in range(connections)]
        for client in self.clients:
            client.begin()

    def size(self):
        return int(VALUE_MIN * (VALUE_MAX / VALUE_MIN) ** (self.rng.random() ** self.power))

    def value(self, size):
        at = self.rng.randrange(len(NOISE) - size)
        return NOISE[at:at + size]

    def key(self):
        return "rss:%d" % self.rng.randrange(self.keys)

    def one(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.35:
            return request("SET", self.key(), self.value(self.size()))
        if kind < 0.50:
            return request("SET", self.key(), self.value(self.size()), "PX", rng.randrange(1, 20000))
        if kind < 0.75:
            return request("GET", self.key())
        if kind < 0.83:
            return request("DEL", *(self.key() for _ in range(rng.randrange(1, 4))))
        if kind < 0.88:
            return request("APPEND", self.key(), self.value(self.size() // 10 + 1))
        if kind < 0.93:
            return request("MSET", *(word for _ in range(3) for word in (self.key(), self.value(self.size() // 3 + 1))))
        if kind < 0.98:
            return request("MGET", *(self.key() for _ in range(3)))
        return request("EXPIRE", self.key(), rng.randrange(1, 100))

    def batch(self):
        """(bytes, how many replies, whether to pause in it)."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.85:
            count = rng.choice((1, 1, 5, 20))
            data = [self.one() for _ in range(count)]
        elif kind < 0.95:
            count = rng.choice((2, 5, 10))
            data = [request("SET", self.key(), self.value(rng.randrange(VALUE_MAX // 2, VALUE_MAX + 1)))
                    for _ in range(count)]
        else:
            count = rng.choice((5, 20))
            data = [request("GET", self.key()) for _ in range(count)]
        return b"".join(data), count, rng.random() < 0.05

    def done(self, client):
        self.batches += 1
        self.slowest = max(self.slowest, time.monotonic() - client.since)
        for word, count in client.replies.errors.items():
            self.errors[word] = self.errors.get(word, 0) + count
        client.replies.errors = {}
        client.begin()

    def step(self):
        now = time.monotonic()
        self.power = SIZE_PHASES[int(now / 5) % len(SIZE_PHASES)]
        awake = [client for client in self.sleepers if client.asleep_until <= now]
        self.sleepers = [client for client in self.sleepers if client.asleep_until > now]
        for client in awake:
            client.go_on()
        for key, mask in self.selector.select(0.05):
            try:
                key.data.ready(mask)
            except BlockingIOError:
                pass
            except ConnectionError as why:
                self.reconnect(key.data, why)

    def reconnect(self, client, why):
        self.closed += 1
        print("closed after %.1f s of a batch, %d bytes unsent: %s" % (time.monotonic() - client.since, len(client.out), why))
        client.watch(0)
        client.socket.close()
        self.clients.remove(client)
        self.clients.append(Client(self))
        self.clients[-1].begin()

    def close(self):
        for client in self.clients:
            client.watch(0)
            client.socket.close()


class Watch:
    """Asks for INFO on a connection of its own."""

    def __init__(self, port, pid):
        self.pid = pid
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")

    def info(self):
        self.socket.sendall(request("INFO", "everything"))
        size = int(self.file.readline()[1:])
        text = self.file.read(size + 2).decode()
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def sample(self):
        info = self.info()
        with open("/proc/%d/status" % self.pid) as status:
            rss = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024
        keys = sum(int(re.search(r"keys=(\d+)", value)[1]) for name, value in info.items()
                   if re.fullmatch(r"db\d+", name))
        return {"rss": rss, "keys": keys, "info": info,
                "data": int(info["used_memory_dataset"]), "buffers": int(info["mem_clients_normal"]),
                "requests": int(info["mem_clients_requests"]), "replies": int(info["mem_clients_replies"]),
                "waiting": int(info["buffer_waiting_clients"]),
                "allocated": int(info["allocator_allocated"]), "active": int(info["allocator_active"]),
                "resident": int(info["allocator_resident"])}


def composition(sample):
    """Where the resident bytes are, outermost last."""
    parts = (("data: keys, values, tables", sample["data"]),
             ("requests being received", sample["requests"]),
             ("replies not sent yet", sample["replies"]),
             ("connections and pools", sample["buffers"] - sample["requests"] - sample["replies"]),
             ("allocated, in neither", sample["allocated"] - sample["data"] - sample["buffers"]),
             ("fragmentation within pages", sample["active"] - sample["allocated"]),
             ("freed, not given back, and the allocator's own", sample["resident"] - sample["active"]),
             ("code, stacks, rings, what the kernel counts else", sample["rss"] - sample["resident"]))
    return "\n".join("  %9.1f MB  %s" % (size / MB, name) for name, size in parts)


def start(arguments):
    shoal = os.environ.get("SHOAL", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "shoal"))
    server = subprocess.Popen([shoal, "--port", str(arguments.port), "--shards", str(arguments.shards),
                               "--maxmemory", arguments.maxmemory, *arguments.options],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in server.stdout:
        if b"Ready to accept" in line:
            return server
    sys.exit("the server did not start")


def run(watch, load, seconds, verbose, enough=lambda sample: True):
    """Samples, one a second, until the time is over and the last one is enough."""
    begin, samples = time.monotonic(), []
    while (now := time.monotonic() - begin) < seconds or not enough(samples[-1]):
        if now >= len(samples):
            samples.append(watch.sample())
            if verbose:
                s = samples[-1]
                print("%4d s  rss %6.1f  data %6.1f  buffers %6.1f  requests %6.1f  replies %6.1f  allocated %6.1f  active %6.1f  resident %6.1f MB  "
                      "%6d keys  %3d wait  %5d batches  %6.1f MB in  slowest %.1f s" % (now, *(
                          s[n] / MB for n in ("rss", "data", "buffers", "requests", "replies", "allocated", "active", "resident")),
                          s["keys"], s["waiting"], load.batches, load.sent / MB, load.slowest), flush=True)
        load.step()
    return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--maxmemory", default="256mb")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", 22390)))
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("options", nargs="*", help="further options of the server, after --")
    arguments = parser.parse_args()
    server = start(arguments)
    try:
        watch = Watch(arguments.port, server.pid)
        info = watch.info()
        limit, buffers = int(info["maxmemory"]), int(info.get("maxmemory_clients", 0))
        load = Load(arguments.port, max(limit // 20000, 100), arguments.seed, arguments.connections)
        samples = run(watch, load, arguments.seconds, arguments.verbose)
    finally:
        server.send_signal(signal.SIGTERM)
    peak = max(samples, key=lambda sample: sample["rss"])
    last = samples[-1]
    allowed = (limit + buffers) * OVERHEAD
    print("seed %d, %d shards, %d connections, %.0f s: %.0f MB in, %.0f MB out, %d batches, slowest %.1f s" % (
        arguments.seed, arguments.shards, arguments.connections, arguments.seconds, load.sent / MB,
        load.received / MB, load.batches, load.slowest))
    print("maxmemory %.1f MB + buffers %.1f MB, with 10 %% %.1f MB" % (limit / MB, buffers / MB, allowed / MB))
    print("peak %.1f MB resident, %.3f of maxmemory + buffers; in it:\n%s" % (
        peak["rss"] / MB, peak["rss"] / (limit + buffers), composition(peak)))
    print("evicted %s, expired %s, errors %s, closed %d; %s" % (
        last["info"]["evicted_keys"], last["info"]["expired_keys"], load.errors, load.closed,
        ", ".join("%s %s" % (name, last["info"][name]) for name in (
            "evicted_clients", "client_query_buffer_limit_disconnections", "client_output_buffer_limit_disconnections",
            "buffer_waits", "throttled", "starved") if name in last["info"])))
    bad = [text for broken, text in (
        (peak["rss"] > allowed, "more was resident than allowed"), ("OOM" in load.errors, "OOM errors"),
        (min(sample["keys"] for sample in samples[1:]) == 0, "no keys at some time"),
        (load.closed > 0, "connections were closed")) if broken]
    print("FAILED: " + ", ".join(bad) if bad else "kept")
    server.wait(30)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
