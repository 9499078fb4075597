#!/usr/bin/env python3
"""pauses.py - how long other clients wait while much is freed: a million keys that expire at once, FLUSHALL of five
million, a value of 64 MB that is deleted; how much of what is stored is dead; how long the end takes.

    bench/peers/pauses.py [--keys N] [--shards 1,2,4] [--only WORD,...] [--slack FACTOR] [--tries N] [--port N]

The other client is shoal-bench with 2,000 requests/s on a schedule of their own, so that what a request waits is in its
latency; the same load without the event is measured first. The machine only adds, so the best of several tries counts,
and one whose calm half had pauses beyond the limit is no try. Each figure has its limit beside it; the exit status is 1
if one is beyond. As root all that takes part is as nice as can be (-20) while it is watched, so that
another program's work is not taken for a pause. redis-server, if installed, is shown for scale.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHOAL = os.environ.get("SHOAL", os.path.join(HERE, "build", "shoal"))
BENCH = os.path.join(os.path.dirname(SHOAL), "shoal-bench")
RATE = 2000
WARMUP_S, LEAD_S, WINDOW_S = 0.3, 0.7, 2.5  # before the window, of it before the event, and in all
WATCHED, USUAL = -20, 0  # niceness
PAUSE_MS, REPLY_MS, END_MS, DEAD_PERCENT = 2.0, 5.0, 100.0, 1.0
LARGE = 64 << 20
MILLION = 1000 * 1000


def set_nice(pid, nice):
    """For all its threads; without the right to it nothing changes. Not real-time priority: from 6.12 on others get 50 ms
    of every second beside that, in one piece."""
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            os.setpriority(os.PRIO_PROCESS, int(task), nice)
        except (PermissionError, ProcessLookupError):
            pass


class Wire:
    """One RESP connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def run(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.read()

    def read(self):
        line = self.file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return rest

    def info(self, name):
        for line in self.run("INFO", "everything").decode().split("\r\n"):
            if line.startswith(name + ":"):
                return line.split(":", 1)[1]
        return "0"


class Server:
    def __init__(self, name, command, port):
        self.name, self.port, self.folder = name, port, tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "s")
        command = [word.replace("PORT", str(port)).replace("PATH", self.path) for word in command]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        for _ in range(100):
            try:
                self.wire = Wire(port)
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("%s did not start" % name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def end_ms(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        return (time.monotonic() - began) * 1000


def bench(server, *options, nice=USUAL):
    command = [BENCH, "-s", server.path, "--json", "-", "-q", *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            preexec_fn=lambda: set_nice(os.getpid(), nice))


def result(process):
    text = process.communicate()[0].decode()
    run = json.loads(text[text.index("{"):])["results"][0]["runs"][0]
    if run["errors"] or run["unanswered"]:
        sys.exit("the load went wrong: %r" % run)
    return run


def fill(server, keys, *extra):
    words = " ".join(("SET", "__key__", "__data__") + extra)
    result(bench(server, "-c", 4, "-P", 100, "-d", 32, "-r", keys, "-n", keys, "--key-dist", "seq",
                 "--command", words))


def watch(server, clients, event, at=None):
    """What another client sees around event(), which happens `at` a time: ([p99.9, longest] in ms, what it returned)."""
    at = at or time.time() + 0.3 + LEAD_S + WARMUP_S
    time.sleep(max(at - LEAD_S - WARMUP_S - time.time(), 0))
    set_nice(os.getpid(), WATCHED)
    set_nice(server.process.pid, WATCHED)
    client = bench(server, "-c", clients, "--rate", RATE, "--seconds", WINDOW_S, "--warmup", WARMUP_S, "-t", "get",
                   "-r", 1000, nice=WATCHED)
    time.sleep(max(at - time.time(), 0))
    got = event() if event else None
    latency = result(client)["latency_ns"]
    set_nice(server.process.pid, USUAL)
    set_nice(os.getpid(), USUAL)
    return (latency["p99.9"] / 1e6, latency["max"] / 1e6), got


class Report:
    def __init__(self, slack, tries):
        self.slack, self.tries, self.figures, self.beyond, self.undecided = slack, tries, 0, 0, 0

    def figure(self, server, what, value, unit, limit=None):
        bad = limit is not None and server.name.startswith("shoal") and value > limit * self.slack
        self.beyond += bad
        self.figures += limit is not None
        print("  %-14s %-52s %9.3f %-3s %s%s" % (
            server.name, what, value, unit, "limit %g" % (limit * self.slack) if limit else "",
            "  BEYOND" if bad else ""), flush=True)
        return not bad


def wait_freed(server):
    while int(server.wire.info("lazyfree_pending_objects")) > 0:
        time.sleep(0.02)
    time.sleep(0.4)  # freed pages go back


def attempts(report, server, clients, prepare, event, at, calmly):
    """For each try that counts: by how much p99.9 rose, the longest wait, the longest while calm, the event's reply."""
    most = PAUSE_MS * report.slack
    for _ in range(report.tries):
        prepare()
        calm, _ = watch(server, clients, calmly)
        tail, reply = watch(server, clients, event, at())
        wait_freed(server)
        if calm[1] <= most:
            yield max(tail[0] - calm[0], 0), tail[1], calm[1], reply
            if tail[1] <= most and (reply or 0) <= REPLY_MS * report.slack:
                return


def measure(report, server, what, clients, prepare, event, at=lambda: None, calmly=None):
    """Prepares and watches, calmly() first; the event returns how long its reply took in ms, or None."""
    label = "%s, %d connection%s: " % (what, clients, "s" if clients > 1 else "")
    best = min(attempts(report, server, clients, prepare, event, at, calmly), default=None)
    if best is None:
        report.undecided += 1
        print("  %-14s %s the machine is too busy" % (server.name, label), flush=True)
        return
    report.figure(server, label + "p99.9 is later by", best[0], "ms", PAUSE_MS)
    report.figure(server, label + "longest (calm %.2f)" % best[2], best[1], "ms", PAUSE_MS)
    if best[3] is not None:
        report.figure(server, label + "reply", best[3], "ms", REPLY_MS)


# ---- cases --------------------------------------------------------------------------------------


def timed(server, *words):
    def event():
        began = time.monotonic()
        server.wire.run(*words)
        return (time.monotonic() - began) * 1000
    return event


def storm(report, server, options):
    keys, deadline = min(options.keys, MILLION), [0.0]

    def prepare():
        # The server is filled and watched while it is calm, before the event comes.
        deadline[0] = time.time() + 2 + keys / 250e3 + 2 * (LEAD_S + WARMUP_S) + WINDOW_S
        fill(server, keys, "PXAT", str(int(deadline[0] * 1000)))

    for clients in options.clients:
        measure(report, server, "%d keys expire at once" % keys, clients, prepare, None, lambda: deadline[0])
        report.figure(server, "of them left after %.1f s" % (WINDOW_S - LEAD_S), int(server.wire.run("DBSIZE")), "")


def flush(report, server, options):
    for words in (("FLUSHALL",), ("FLUSHALL", "SYNC"), ("FLUSHALL", "ASYNC"), ("FLUSHDB",))[:options.words]:
        for clients in options.clients if words == ("FLUSHALL",) else (1,):
            measure(report, server, "%s of %.1fM" % (" ".join(words), options.keys / 1e6), clients,
                    lambda: fill(server, options.keys), timed(server, *words))


def flush_full(report, server, options):
    """FLUSHALL of a server at maxmemory, while others write."""
    def prepare():
        server.wire.run("CONFIG", "SET", "maxmemory", 0)
        fill(server, options.keys)
        used = int(server.wire.info("used_memory"))
        server.wire.run("CONFIG", "SET", "maxmemory", used, "maxmemory-policy", "allkeys-lru")

    def beside_writes(event):
        writer = bench(server, "-c", 8, "--rate", 50000, "--seconds", WINDOW_S - 0.2, "-t", "set", "-d", 32,
                       "-r", options.keys, nice=WATCHED)
        time.sleep(0.2)
        ms = event()
        result(writer)
        return ms

    measure(report, server, "FLUSHALL when full, 50 K writes/s", 1, prepare,
            lambda: beside_writes(timed(server, "FLUSHALL")), calmly=lambda: beside_writes(lambda: None))
    server.wire.run("FLUSHALL")
    server.wire.run("CONFIG", "SET", "maxmemory", 0)
    wait_freed(server)


def large(report, server, options):
    value = b"v" * LARGE
    for words in (("DEL", "big"), ("SET", "big", "small"), ("UNLINK", "big"), ("EXPIRE", "big", "-1"))[:options.words]:
        measure(report, server, "%s of 64 MB" % words[0], 1, lambda: server.wire.run("SET", "big", value),
                timed(server, *words))


def dead(report, server, options):
    """50 K SETEX/s that live 5 to 30 s: what is stored and has expired."""
    load = bench(server, "-c", 4, "--rate", 50000, "--seconds", options.dead_seconds, "-t", "set", "-d", 32,
                 "-r", 100 * MILLION, "--ttl", "5000:30000")
    began, shares = time.monotonic(), []
    while load.poll() is None:
        time.sleep(2)
        after = time.monotonic() - began
        share = float(server.wire.info("expired_stale_perc"))
        if after > 35:
            shares.append(share)
        if int(after) % 20 < 2:
            print("    after %3d s: %s keys, %.3f %% dead" % (after, server.wire.run("DBSIZE").decode(), share), flush=True)
    result(load)
    report.figure(server, "50 K SETEX/s: dead, from 35 s on (most %.2f)" % max(shares), sum(shares) / len(shares), "%",
                  DEAD_PERCENT)


def end(report, server, options):
    fill(server, options.keys)
    report.figure(server, "SIGTERM with %.1fM keys" % (options.keys / 1e6), server.end_ms(), "ms", END_MS)


CASES = {"storm": storm, "flush": flush, "full": flush_full, "large": large, "dead": dead, "end": end}


def servers(options):
    for shards in map(int, options.shards.split(",")):
        yield "shoal %d" % shards, [SHOAL, "--port", "PORT", "--unixsocket", "PATH", "--shards", str(shards), "--maxmemory", "0"]
    if shutil.which("redis-server") and options.peers:
        yield "redis-server", ["redis-server", "--port", "PORT", "--unixsocket", "PATH", "--save", ""]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--keys", type=int, default=5 * MILLION)
    parser.add_argument("--shards", default="1,2,4")
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--slack", type=float, default=1)
    parser.add_argument("--tries", type=int, default=6)
    parser.add_argument("--port", type=int, default=22480)
    parser.add_argument("--dead-seconds", type=int, default=120)
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    parser.add_argument("--brief", action="store_true", help="one connection, two commands a case")
    options = parser.parse_args()
    options.clients, options.words = ((1,), 2) if options.brief else ((1, 4), 4)
    report, port = Report(options.slack, options.tries), options.port
    for name, command in servers(options):
        port += 1
        with Server(name, command, port) as server:
            for case in options.only.split(","):
                if case != "dead" or name.startswith("shoal"):
                    CASES[case](report, server, options)
    print("%d figures, %d beyond the limit, %d undecided" % (report.figures, report.beyond, report.undecided))
    sys.exit(1 if report.beyond else 0)


if __name__ == "__main__":
    main()
