#!/usr/bin/env python3
"""fragmentation.py - what is left of the memory when the sizes of values shift over a full cache.

    bench/peers/fragmentation.py [--maxmemory MB] [--shards N] [--turnover X]
                                 port from $PORT (22480), server from $SHOAL (build/shoal)

Four times the values of new keys have another size; each time X of maxmemory is written in new keys, so
that old and new lie side by side. Once with `activedefrag no`, once with `yes`. Prints, after each shift and
when nothing moves any more, the pages in use beyond what is allocated in them (active / allocated - 1),
what that took of a CPU, and how long a client that asks for one key at a time had to wait meanwhile: the median,
99 % and 99.9 % of its requests.
"""

import argparse
import os
import random
import socket
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHIFTS = ((40, 100), (150, 300), (20, 60), (500, 900))
MB = 1 << 20
BATCH = 500
SETTLE_SECONDS, READY_SECONDS = 120, 30


class Client:
    """One connection that speaks RESP."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 16)

    def run(self, *words):
        self.socket.sendall(request(*words))
        line = self.file.readline()
        if line[:1] == b"$":
            size = int(line[1:])
            return None if size < 0 else self.file.read(size + 2)[:-2]
        if line[:1] == b"-":
            sys.exit("refused: %r %r" % (words[:3], line))
        return line[1:-2]

    def info(self):
        text = self.run("INFO", "everything").decode()
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def request(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def write(port, keys, sizes, limit, rng):
    """Writes new keys with values of these sizes until `limit` bytes are written; returns the next free number of a key."""
    client, written = Client(port), 0
    value = b"v" * max(sizes)
    while written < limit:
        parts = []
        for _ in range(BATCH):
            size = rng.randint(*sizes)
            parts.append(request("SET", b"key:%012d" % keys, value[:size]))
            keys += 1
            written += size + 24
        client.socket.sendall(b"".join(parts))
        answer = client.file.read(5 * BATCH)
        if answer != b"+OK\r\n" * BATCH:
            sys.exit("a SET was refused: %r" % answer[:200])
    return keys


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fragmentation(info):
    return int(info["allocator_active"]) / int(info["allocator_allocated"]) - 1


class Bystander:
    """Asks for one key at a time and remembers how long each took."""

    def __init__(self, port):
        self.client, self.stopped, self.waits = Client(port), False, []
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()

    def _ask(self):
        while not self.stopped:
            begin = time.perf_counter()
            self.client.run("GET", "absent")
            self.waits.append(time.perf_counter() - begin)

    def result(self):
        self.stopped = True
        self.thread.join()
        self.waits.sort()
        return ["%d us" % (self.waits[int(len(self.waits) * part)] * 1e6) for part in (.5, .99, .999)]


def settle(client, port):
    """Waits until nothing moves; returns the seconds, the share of a CPU, and the bystander's waits."""
    watcher = Bystander(port)
    begin, cpu = time.time(), int(client.info()["total_active_defrag_time"])
    time.sleep(1.2)  # a look at the allocator is due at most once a second
    while client.info()["active_defrag_running"] != "0" and time.time() - begin < SETTLE_SECONDS:
        time.sleep(.1)
    seconds = time.time() - begin
    share = (int(client.info()["total_active_defrag_time"]) - cpu) / 1000 / seconds
    return seconds, share, watcher.result()


def idle_share(client, pid):
    cpu = cpu_seconds(pid)
    time.sleep(2)
    return (cpu_seconds(pid) - cpu) / 2


def shifts(client, pid, port, options, on):
    rng, keys = random.Random(1), 0
    for number, sizes in enumerate(SHIFTS):
        portion = 1.3 if number == 0 else options.turnover
        began = time.time()
        keys = write(port, keys, sizes, portion * options.maxmemory * MB, rng)
        wrote, at_once = time.time() - began, client.info()
        line = "  %3d-%-3d bytes  %5.1f s   %+6.1f %%" % (*sizes, wrote, fragmentation(at_once) * 100)
        seconds, share, waits = settle(client, port)
        if on:
            line += "  settled %+6.1f %% in %4.1f s at %4.1f %% of a CPU" % (
                fragmentation(client.info()) * 100, seconds, share * 100)
        line += "; a bystander waits %s" % " / ".join(waits)
        info = client.info()
        line += "   %s keys, %.0f MB resident" % (info["db0"].split(",")[0][5:], int(info["used_memory_rss"]) / MB)
        print(line, flush=True)
    print("  idle: %.1f %% of a CPU; moved %s, left %s, %s ms" % (
        idle_share(client, pid) * 100, *(client.info()[name] for name in (
            "active_defrag_hits", "active_defrag_misses", "total_active_defrag_time"))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--maxmemory", type=int, default=100)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--turnover", type=float, default=.7)
    parser.add_argument("--only", choices=("no", "yes"))
    options = parser.parse_args()
    port = int(os.environ.get("PORT", "22480"))
    shoal = os.environ.get("SHOAL", os.path.join(ROOT, "build", "shoal"))
    print("maxmemory %d MB, allkeys-s3fifo; each shift writes %.1f of it" % (options.maxmemory, options.turnover))
    for on in ("no", "yes") if options.only is None else (options.only,):
        server = subprocess.Popen(
            [shoal, "--port", str(port), "--shards", str(options.shards), "--maxmemory", "%dmb" % options.maxmemory,
             "--activedefrag", on], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            for line in server.stdout:
                if b"Ready to accept" in line:
                    break
            print("activedefrag %s" % on)
            shifts(Client(port), server.pid, port, options, on == "yes")
        finally:
            server.terminate()
            server.wait()


main()
