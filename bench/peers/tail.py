#!/usr/bin/env python3
"""tail.py - the slowest of a thousand requests, shoal beside redis-server at the same open-loop rate.

    bench/peers/tail.py [--pairs N] [--seconds S] [--shards N] [--server-cpus LIST] [--transports unix,tcp] [--realtime]
                        [--own]
                        port from $PORT (22480), programs from $SHOAL, $BENCH (build/)

The rate is half of what the slower of the two serves in a closed loop; --own: also half of each one's own. Server on
the first CPU, client on the last, the other server halted; runs alternate. Latency counts from the intended time of a
request. Prints the median of the runs, their lower quartile (what else runs on the machine only ever makes a run
worse) and the worst. Exit 1 when shoal's p99.9 is worse in as many pairs as chance makes it in fewer than one of
twenty.

Runs are short, with pauses: in a second without one, Linux takes the CPU from a real-time program for 50 ms, and the
client, which looks for the next intended time instead of sleeping, is busy all the time.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import peers

PORT = int(os.environ.get("PORT", "22480"))
CONNECTIONS, KEYS, VALUE_BYTES = 50, 100000, 32
WARMUP_SECONDS, SATURATE_SECONDS, SATURATE_RUNS = 0.1, 0.5, 3
RUN_SECONDS_MAX, PAUSE_SECONDS = 120, 0.5
SHARE = 0.5  # of the rate that saturates
CHANCE = 0.05
LOADS = (("GET", "1:0:0"), ("80:20", "8:2:0"))
FIGURES = ("p50", "p99", "p99.9", "max")
REALTIME = ["chrt", "-f", "40"]
NICE = ["nice", "-n", "-20"]


class Side:
    """A server, and what was measured of it: `runs` is a list of latencies in ms by name."""

    def __init__(self, kind, port, launcher, cpus):
        self.name = kind.name
        self.server = peers.Running(kind, port, launcher=[*launcher, "taskset", "-c", cpus])
        self.runs = []

    def bench(self, options, transport, *arguments):
        """One run of shoal-bench; the other side is halted meanwhile."""
        where = ["-s", self.server.socket_path] if transport == "unix" else ["-p", self.server.port]
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            words = [*options.launcher, peers.BENCH, *where, "-q", "-c", CONNECTIONS, "-d", VALUE_BYTES, "-r", KEYS,
                     "--client-cpus", options.client_cpu, "--warmup", WARMUP_SECONDS, "--json", out.name, *arguments]
            time.sleep(PAUSE_SECONDS)
            self.server.go_on()
            run = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=RUN_SECONDS_MAX)
            self.server.halt()
            if run.returncode != 0:
                raise RuntimeError("%s: %s" % (self.name, (run.stdout + run.stderr)[-300:]))
            with open(out.name) as file:
                return json.load(file)["results"][0]["runs"][0]

    def saturate(self, options, transport, ratio):
        """Requests a second in a closed loop."""
        return statistics.median(
            self.bench(options, transport, "--ratio", ratio, "--seconds", SATURATE_SECONDS)["requests_per_s"]
            for _ in range(SATURATE_RUNS))

    def measure(self, options, transport, ratio, rate):
        run = self.bench(options, transport, "--ratio", ratio, "--seconds", options.seconds, "--rate", int(rate))
        self.runs.append({name: run["latency_ns"][name] / 1e6 for name in FIGURES})
        if not run["sustained"]:
            print("    %s did not keep the rate of %.0f/s in a run" % (self.name, rate))

    def say(self, rate):
        text = ""
        for name in FIGURES:
            values = [run[name] for run in self.runs]
            quarter = statistics.quantiles(values, n=4)[0] if len(values) > 1 else values[0]
            text += " %8.3f %7.3f %7.3f" % (statistics.median(values), quarter, max(values))
        print("    %-16s %6.1f k/s %s" % (self.name, rate / 1e3, text), flush=True)


def most_by_chance(pairs):
    """How many of so many pairs one side may lose without being worse."""
    lost = pairs
    while sum(math.comb(pairs, n) for n in range(lost, pairs + 1)) / 2 ** pairs < CHANCE:
        lost -= 1
    return lost


def compare(options, sides, transport, ratio, rates):
    """How many of the pairs the first side lost."""
    for side in sides:
        side.runs = []
    for _ in range(options.pairs):
        for side, rate in zip(sides, rates):
            side.measure(options, transport, ratio, rate)
    for side, rate in zip(sides, rates):
        side.say(rate)
    ours, theirs = (side.runs for side in sides)
    return sum(a["p99.9"] > b["p99.9"] for a, b in zip(ours, theirs))


def run(options, sides):
    worse = []
    allowed = most_by_chance(options.pairs)
    for side in sides:
        side.bench(options, "unix", "-t", "get", "--preload", "-n", 1000)
    for transport in options.transports.split(","):
        for load, ratio in LOADS:
            saturated = [side.saturate(options, transport, ratio) for side in sides]
            print("  %s, %s; saturated at %.1f and %.1f k/s" % (load, transport, *(rate / 1e3 for rate in saturated)))
            lost = compare(options, sides, transport, ratio, [SHARE * min(saturated)] * 2)
            print("    p99.9 worse in %d of %d pairs, at most %d%s" % (lost, options.pairs, allowed,
                                                                     "   TOO OFTEN" if lost > allowed else ""))
            if lost > allowed:
                worse.append("%s %s" % (load, transport))
            if options.own:
                compare(options, sides, transport, ratio, [SHARE * rate for rate in saturated])
    return worse


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--seconds", type=float, default=0.6)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--server-cpus", default="0", help="of shoal; Redis has the first")
    parser.add_argument("--transports", default="unix,tcp")
    parser.add_argument("--own", action="store_true", help="each at half of its own rate as well")
    parser.add_argument("--realtime", action="store_true", help="nothing else may take the CPUs (root)")
    options = parser.parse_args()
    options.launcher = REALTIME if options.realtime else NICE if os.geteuid() == 0 else []
    options.client_cpu = os.cpu_count() - 1
    if not peers.redis().installed():
        print("no redis-server to compare with")
        sys.exit(77)
    print("latency in ms: median, lower quartile and highest of %d runs of %g s; %s" %
          (options.pairs, options.seconds, " ".join(options.launcher) or "usual priority"))
    print("    %-16s %10s %18s%25s%25s%25s" % ("", "rate", *FIGURES))
    sides = [Side(peers.shoal(options.shards), PORT, options.launcher, options.server_cpus),
             Side(peers.redis(), PORT + 1, options.launcher, "0")]
    with sides[0].server, sides[1].server:
        for side in sides:
            side.server.halt()
        worse = run(options, sides)
    if worse:
        print("p99.9 worse than Redis's: " + ", ".join(worse))
    sys.exit(1 if worse else 0)


main()
