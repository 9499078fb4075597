"""Which policy misses least, through started servers with room for a tenth of the objects, on a made-up trace: Zipf
whose popularity drifts, with one-hit wonders. bench/peers/traces.py does the same at length.

Every margin below is half or less of the smallest seen with seeds 1 to 12 (2026-11-22; misses of the sweep at one
shard .351 to .356): four shards -.0012 to +.0009, the clock +.0098 to +.0123, chance +.0767 to +.0804, Redis +.0408
to +.0453.
"""

import os
import random
import sys

from started import MODE, ROOT, Tests

if MODE != "release":
    print("policies miss as much in every build; they are compared in the release one")
    sys.exit(77)

os.environ["BENCH"] = os.path.join(os.path.dirname(os.environ["SHOAL"]), "shoal-bench")
sys.path.insert(0, os.path.join(ROOT, "bench", "peers"))
from cache_room import Replay, Shape, redis_lru, shoal  # noqa: E402: they read the environment

SEED = int(os.environ.get("SEED", random.randrange(1000)))
TRACE = ["--trace", "churn:0.99:0.1:0.1", "-n", 100000, "-r", 20000, "--seed", SEED]


def misses(cache, objects):
    run = Replay(cache, objects, TRACE)
    assert run.fits, "%s has room for %.3f of the objects" % (cache.name, run.live)
    print("seed %d: %-24s %.4f" % (SEED, cache.name, run.miss_ratio), flush=True)
    return run.miss_ratio


def order(objects):
    """The sweep beats the clock, which beats chance; as many shards miss no more than one."""
    s3 = misses(shoal(1), objects)
    assert abs(misses(shoal(4), objects) - s3) < 0.006
    clock, chance = misses(shoal(1, "allkeys-clock"), objects), misses(shoal(1, "allkeys-random"), objects)
    assert s3 + 0.005 < clock < chance - 0.03, (s3, clock, chance)
    return s3


def beside_redis(objects, s3):
    assert s3 + 0.02 < misses(redis_lru(), objects)


def main():
    tests = Tests()
    room = Shape(TRACE).unique // 10
    s3 = []
    tests.run("order of the policies", lambda: s3.append(order(room)))
    if not s3 or not redis_lru().installed():
        tests.skipped += 1
    else:
        tests.run("beside redis", beside_redis, room, s3[0])
    tests.finish()


main()
