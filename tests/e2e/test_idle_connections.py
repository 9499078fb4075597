"""Connections that do nothing, or send half a request, cost next to nothing: CPU, memory.

bench/peers/connections.py measures the same at full size, beside other servers."""

import os
import re
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import Wire, descriptors, wait_until

MANY = min(4000 if SCALE == 1 else 1000, descriptors(5000) - 200)
IDLE, IDLE_SHARDS, IDLE_SECONDS = 1000 // SCALE, 8, 3
WAKINGS_MAX = 2 * IDLE_SHARDS  # what asking takes varies by some
BYTES_MAX = 2560  # for a connection, whatever it has sent of a request
POOLS_MAX = 1 << 20  # bytes a shard: its pools, which the first requests fill
HALF = b"*2\r\n$3\r\nGET\r\n$16\r\nkey:"
REST = b"000000000042\r\n"


def memory_bytes(server):
    with open("/proc/%d/smaps_rollup" % server.process.pid) as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) << 10


def each_has_a_reply(wires):
    for wire in wires:
        wire.send(HALF + REST)
    equal([wire.read() for wire in wires], [None] * len(wires))


def wakings_of(server):
    """How often its threads have begun to wait for something."""
    folder, count = "/proc/%d/task" % server.process.pid, 0
    for task in os.listdir(folder):
        with open("%s/%s/status" % (folder, task)) as file:
            count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))
    return count


def activity(server, observer, seconds):
    """Turns of all shards and wakings of all threads in that time, and for being asked."""
    def now():
        turns = int(re.search(rb"\r\nturns:(\d+)", observer.run("INFO", "everything")).group(1))
        return turns, wakings_of(server)
    before = now()
    time.sleep(seconds)
    return [then - once for once, then in zip(before, now())]


def unasked(server, observer, seconds):
    """The same less what being asked takes."""
    return [all_of_it - asked for all_of_it, asked in zip(activity(server, observer, seconds), activity(server, observer, 0))]


def silence_costs_no_cpu():
    with Server(IDLE_SHARDS) as server:
        wires = [Wire(server.port) for _ in range(IDLE)]
        each_has_a_reply(wires)
        observer = Wire(server.port)
        wait_until("at rest", lambda: max(unasked(server, observer, 0.5)) <= WAKINGS_MAX)  # it gives back pages
        turns, wakings = unasked(server, observer, IDLE_SECONDS)
        print("%d turns and %d wakings in %d s" % (turns, wakings, IDLE_SECONDS))
        assert max(turns, wakings) <= WAKINGS_MAX
        observer.close()
        each_has_a_reply(wires)
        for wire in wires:
            wire.close()
        server.ends_well()


def few_bytes_each(server, base, what):
    grown = (memory_bytes(server) - base - POOLS_MAX * server.shards) / MANY
    assert MODE != "release" or grown <= BYTES_MAX, "%s: %d bytes each" % (what, grown)


def received(observer):
    return int(re.search(rb"total_net_input_bytes:(\d+)", observer.run("INFO", "stats")).group(1))


def slow_ones_keep_little(server):
    observer = Wire(server.port)
    base = memory_bytes(server)
    wires = [Wire(server.port) for _ in range(MANY)]
    each_has_a_reply(wires)
    few_bytes_each(server, base, "idle")
    before = received(observer)
    for wire in wires:
        wire.send(HALF)
    wait_until("halves read", lambda: received(observer) >= before + MANY * len(HALF))
    few_bytes_each(server, base, "half a request")
    for byte in REST[:3]:
        for wire in wires:
            wire.send(bytes([byte]))
    for wire in wires:
        wire.send(REST[3:])
    equal([wire.read() for wire in wires], [None] * MANY)
    few_bytes_each(server, base, "after it")
    for wire in wires + [observer]:
        wire.close()


tests = Tests()
tests.run("silence costs no CPU", silence_costs_no_cpu)
with Server(2) as started:
    tests.run("slow ones keep little", slow_ones_keep_little, started)
    tests.run("a clean end", started.ends_well)
tests.finish()
