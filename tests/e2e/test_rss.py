"""The limits are kept: bench/peers/rss.py's load, made to break them, for some seconds (or RSS_SECONDS). What is resident stays
within maxmemory + maxmemory-clients + 10 %, nothing is refused for want of memory, nobody who moves is closed, and
there are keys throughout."""

import os
import random
import sys

from started import MODE, ROOT, SCALE, Server, Tests
from wire import descriptors

sys.path.insert(0, os.path.join(ROOT, "bench", "peers"))
import rss  # noqa: E402

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SECONDS = float(os.environ.get("RSS_SECONDS", 7))
CONNECTIONS = 1000 // SCALE
MAXMEMORY, SHARDS = "256mb", (1, 2)


def under_pressure(sample):
    """Both limits have been reached: on a busy machine it takes longer."""
    return int(sample["info"]["evicted_keys"]) > 0 and int(sample["info"]["buffer_waits"]) > 0


def kept(server):
    watch = rss.Watch(server.port, server.process.pid)
    limit, buffers = (int(watch.info()[name]) for name in ("maxmemory", "maxmemory_clients"))
    load = rss.Load(server.port, limit // 20000, SEED, CONNECTIONS)
    samples = rss.run(watch, load, SECONDS, False, under_pressure)
    peak = max(samples, key=lambda sample: sample["rss"])
    print("%d shards, peak %.1f MB, %.3f of what is allowed:\n%s" % (
        server.shards, peak["rss"] / rss.MB, peak["rss"] / (limit + buffers) / rss.OVERHEAD, rss.composition(peak)))
    assert load.errors == {}, load.errors
    assert load.closed == 0, "%d connections were closed" % load.closed
    assert load.batches > 0 and all(sample["keys"] > 0 for sample in samples[1:])
    assert max(sample["data"] for sample in samples) <= limit * 1.02
    most = max(sample["requests"] for sample in samples)
    assert most < buffers, "%.1f MB of requests" % (most / rss.MB)
    if MODE == "release":  # a sanitizer keeps what is freed in quarantine, so only what is counted is checked
        assert peak["rss"] <= (limit + buffers) * rss.OVERHEAD
    load.close()


tests = Tests()
print("seed %d" % SEED)
descriptors(4000)
for shards in SHARDS:
    with Server(shards, "--maxmemory", MAXMEMORY) as started:
        tests.run("%d shards" % shards, kept, started)
        tests.run("a clean end", started.ends_well)
tests.finish()
