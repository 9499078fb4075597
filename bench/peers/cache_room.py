"""Caches with room for a wanted number of equal objects, and a trace replayed to them.

A server's overhead, its tables and its spare pages count against its memory, each in its own way. So what is made
equal is not memory but how many objects are live: each server is filled, again and again, until the memory is found
with which it keeps the wanted number. For traces.py and for the tests of the policies.

Environment: SHOAL, BENCH  the programs;  PORT  where the servers listen
"""

import atexit
import getpass
import os
import re
import shutil
import subprocess
import tempfile
import threading

import peers

SHOAL, BENCH = peers.SHOAL, peers.BENCH
PORT = int(os.environ.get("PORT", "22480"))
MIB = 1 << 20
VALUE_BYTES = 1000  # 1,024 in shoal with header and key
PIPELINE = 32
ROOM_WITHIN = 0.0025  # when filled with keys that are never asked for
LIVE_WITHIN = 0.01  # in a replay, at any time
TRIES = 8
REPLAY_SECONDS, SAMPLE_SECONDS = 1800, 0.05

# Redis compares ages in whole seconds. A replay that takes seconds instead of hours needs a clock that runs as much
# faster, or its LRU evicts at random.
FAST_CLOCK = r"""
#include <sys/time.h>
#include <time.h>
int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    static long long start;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    long long us = t.tv_sec * 1000000LL + t.tv_nsec / 1000;
    if (start == 0)
        start = us;
    us = start + (us - start) * 1000;
    *tv = (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
    return zone != 0 ? -1 : 0;
}
"""


def fast_clock():
    """The library to preload; None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    folder = tempfile.mkdtemp(prefix="shoal-clock-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = os.path.join(folder, "clock.so")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=FAST_CLOCK.encode(),
                   check=True)
    return library


# ---- kinds of server ----------------------------------------------------------------------------


class Cache:
    """A kind of server; its `setting` is the number that is tuned, by about `object_cost` for each object."""

    protocol, question, answer = "resp", b"DBSIZE\r\n", re.compile(rb":(\d+)\r\n")

    def __init__(self, name, *words, environment=None):
        self.name, self.words, self.environment = name, words, environment or {}
        self.object_cost = VALUE_BYTES + 100

    def installed(self):
        return shutil.which(self.words[0]) is not None

    def first_setting(self, objects):
        return objects * self.object_cost + MIB

    def command(self, setting):
        return [*self.words, "--port", str(PORT), "--maxmemory", str(int(setting))]

    def load(self, setting):
        """Options for shoal-bench."""
        return ["-d", VALUE_BYTES]


class Memcached(Cache):
    """Its memory comes in pages of a MiB. They are many when the objects are large enough, so it keeps its pages, and
    what is tuned is the size of an object, for which the first of its size classes is made to measure."""

    protocol, question = "memcached", b"stats\r\n"
    answer = re.compile(rb"STAT curr_items (\d+)\r\n.*END\r\n", re.S)

    def first_setting(self, objects):
        self.pages = max(16, objects * VALUE_BYTES // MIB)
        self.object_cost = 1
        return objects

    def value(self, setting):
        return int(self.pages * MIB / setting) - 100

    def command(self, setting):
        return [*self.words, "-p", str(PORT), "-m", str(self.pages), "-n", str(self.value(setting) + 32)]

    def load(self, setting):
        return ["-d", self.value(setting)]


def shoal(shards, policy="allkeys-s3fifo"):
    name = "%d shard%s" % (shards, "s" * (shards > 1)) if policy == "allkeys-s3fifo" else policy
    return Cache("shoal, " + name, SHOAL, "--shards", str(shards), "--save", "", "--maxmemory-policy", policy)


def redis_lru():
    library = fast_clock()
    environment = {"LD_PRELOAD": library} if library else {}
    return Cache("Redis, allkeys-lru" + ("" if library else ", its clock too slow"), "redis-server", "--save", "",
                 "--appendonly", "no", "--hz", "500", "--maxmemory-policy", "allkeys-lru", environment=environment)


def memcached():
    return Memcached(peers.memcached_name(), "memcached", "-u", getpass.getuser(), "-t", "1", "-U", "0", "-l", "127.0.0.1")


# ---- a started one ------------------------------------------------------------------------------


class Running(peers.Started):
    """`with Running(cache, setting) as server:`; `most` is how many objects were live, at most, in the last run."""

    def __init__(self, cache, setting):
        self.cache, self.setting, self.most = cache, setting, 0
        super().__init__(cache.name, cache.command(setting), PORT, cache.environment)

    def live(self):
        found = self.cache.answer.search(self.ask(self.cache.question, self.cache.answer.search))
        self.most = max(self.most, int(found.group(1)))
        return int(found.group(1))

    def bench(self, *arguments):
        """What shoal-bench printed; what is live is counted all the while."""
        words = [BENCH, "-p", PORT, "--protocol", self.cache.protocol, "-P", PIPELINE,
                 *self.cache.load(self.setting), *arguments]
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(done,))
        self.most = 0
        watch.start()
        try:
            run = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=REPLAY_SECONDS)
        finally:
            done.set()
            watch.join()
        self.live()
        if run.returncode != 0:
            raise RuntimeError("%s: %s" % (self.cache.name, (run.stdout + run.stderr)[-300:]))
        return run.stdout

    def _watch(self, done):
        while not done.wait(SAMPLE_SECONDS):
            self.live()


# ---- room ---------------------------------------------------------------------------------------


def filled(cache, setting, objects):
    """Sets three times as many keys as `objects`; returns how many of them are live in the end."""
    with Running(cache, setting) as server:
        server.bench("-c", 1, "-t", "set", "--key-dist", "seq", "-r", 3 * objects, "-n", 3 * objects)
        return server.live()


def setting_for(cache, objects):
    setting = cache.first_setting(objects)
    for _ in range(TRIES):
        live = filled(cache, setting, objects)
        if abs(live - objects) <= objects * ROOM_WITHIN:
            break
        setting += (objects - live) * cache.object_cost
    return setting


class Replay:
    """Replays a trace (a list of options of shoal-bench) to a cache that never holds more than 1 % above `objects`."""

    def __init__(self, cache, objects, trace):
        setting = setting_for(cache, objects)
        for _ in range(TRIES):
            with Running(cache, setting) as server:
                text = server.bench(*trace)
                self.live = server.most / objects
            self.fits = abs(self.live - 1) <= LIVE_WITHIN
            if self.fits:
                break
            setting -= (server.most - objects) * cache.object_cost
        self.miss_ratio = float(re.search(r"miss ratio ([\d.]+)", text).group(1))


class Shape:
    """How many requests a trace has, and for how many keys."""

    def __init__(self, trace):
        with Running(shoal(1), 0) as server:
            text = server.bench("-d", 1, *trace)
        self.requests, self.unique = map(int, re.search(r"trace: (\d+) requests, (\d+) unique", text).groups())
