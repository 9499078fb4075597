#!/usr/bin/env python3
"""Miss ratios of shoal, redis-server and memcached on recorded and made-up traces, with room for 5, 10 and 25 % of
the objects, beside those of exact simulations.

    bench/peers/traces.py [TRACE...]     files, or specs as of shoal-bench --trace (zipf:0.99, churn:0.99:0.1:0.1)

Environment: TRACES         the folder of the two files when none are named
             KEYS, REQUESTS of made-up traces: 100000, 1000000
             SHOAL, BENCH, PORT  as in cache_room.py
The status is 1 when shoal misses more than the limits below allow, 77 when there is no trace.
"""

import os
import sys

from cache_room import Replay, Shape, memcached, redis_lru, shoal

PARTS = (5, 10, 25)
# How far a miss ratio may be above that of the simulated sweep-S3 in the same room: more shards may miss more.
LIMITS = {"shoal, 1 shard": 0.012, "shoal, 4 shards": 0.018}
REFERENCE = "sweep-S3, ghosts in buckets"
FULL = "sweep-S3, full ghosts"
MADE_UP = ("zipf:", "churn:")

# Exact simulations with unit-size objects, at the parts above.
SIMULATED = {
    "OLTP.lis": {
        REFERENCE: (0.387, 0.327, 0.261),
        FULL: (0.381, 0.322, 0.259),
        "LRU": (0.399, 0.335, 0.267),
        "Redis LRU": (0.400, 0.336, 0.267),
        "memcached segmented LRU": (0.391, 0.326, 0.264),
        "Belady, the optimum": (0.274, 0.238, 0.204),
    },
    "cloudPhysicsIO.oracleGeneral": {
        REFERENCE: (0.810, 0.769, 0.639),
        FULL: (0.805, 0.752, 0.623),
        "LRU": (0.825, 0.805, 0.672),
        "Redis LRU": (0.825, 0.805, 0.678),
        "memcached segmented LRU": (0.823, 0.802, 0.678),
        "Belady, the optimum": (0.703, 0.629, 0.523),
    },
}
FILES = ("OLTP.lis.zst", "cloudPhysicsIO.oracleGeneral.bin")


def servers():
    return [shoal(1), shoal(4), redis_lru(), memcached()]


def simulated(trace):
    """Policies and their miss ratios at each part, for a trace we know."""
    return next((rows for name, rows in SIMULATED.items() if os.path.basename(trace).startswith(name)), {})


def line(name, miss_ratio, *rest):
    print(("  %-30s %7.4f %s" % (name, miss_ratio, "".join("%14s" % text for text in rest))).rstrip(), flush=True)


def measure(cache, objects, options, reference):
    """Prints a row; False when it is beyond its limit."""
    if not cache.installed():
        print("  %-30s skipped: not installed" % cache.name)
        return True
    run = Replay(cache, objects, options)
    limit, notes, good = LIMITS.get(cache.name), [], True
    if reference:
        beyond = run.miss_ratio - reference[REFERENCE]
        notes = ["%+.4f" % beyond, "%+.4f" % (run.miss_ratio - reference[FULL]), "%+.3f" % limit if limit else ""]
        good = limit is None or beyond <= limit
    verdict = "DOES NOT FIT" if not run.fits else "" if good else "BEYOND"
    line(cache.name, run.miss_ratio, "%.2f %%" % (100 * run.live), *notes, verdict)
    return good and (run.fits or limit is None)


def replay(trace, options):
    """All servers at all parts; False when a limit was passed."""
    shape, known, good = Shape(options), simulated(trace), True
    print("%s: %d requests, %d objects" % (os.path.basename(trace), shape.requests, shape.unique))
    for i, part in enumerate(PARTS):
        objects = shape.unique * part // 100
        reference = {name: row[i] for name, row in known.items()}
        print("room for %d %%: %d" % (part, objects))
        columns = ("misses", "live at most") + (("from sweep-S3", "full ghosts", "limit") if known else ())
        print(" " * 32 + "%8s" % columns[0] + "".join("%14s" % column for column in columns[1:]))
        for cache in servers():
            good = measure(cache, objects, options, reference) and good
        if reference:
            print("  simulated")
        for name, miss_ratio in reference.items():
            line("  " + name, miss_ratio)
    return good


def main():
    folder = os.environ.get("TRACES", ".")
    traces = sys.argv[1:] or [os.path.join(folder, name) for name in FILES]
    made_up = ["-r", os.environ.get("KEYS", "100000"), "-n", os.environ.get("REQUESTS", "1000000")]
    good, count = True, 0
    for trace in traces:
        spec = trace.startswith(MADE_UP)
        if not spec and not os.path.exists(trace):
            print("skipped: no trace " + trace)
            continue
        count += 1
        good = replay(trace, ["--trace", trace, *(made_up if spec else [])]) and good
    sys.exit(77 if count == 0 else 0 if good else 1)


main()
