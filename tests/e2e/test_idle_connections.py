"""Connections that do nothing, or send half a request, cost next to nothing: CPU, memory.

bench/peers/connections.py measures the same at full size, beside other servers."""

import re
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import Wire, descriptors, wait_until

MANY = min(4000 if SCALE == 1 else 1000, descriptors(5000) - 200)
IDLE, IDLE_SHARDS, IDLE_SECONDS = 1000 // SCALE, 8, 3
CPU_MAX = 0.001  # of one CPU
BYTES_MAX = 2560  # for a connection, whatever it has sent of a request
POOLS_MAX = 1 << 20  # bytes a shard: its pools, which the first requests fill
HALF = b"*2\r\n$3\r\nGET\r\n$16\r\nkey:"
REST = b"000000000042\r\n"
CPUCLOCK_SCHED = 2  # "what a process ran, in ns", in the low bits of a clock's id


def memory_bytes(server):
    with open("/proc/%d/smaps_rollup" % server.process.pid) as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) << 10


def each_has_a_reply(wires):
    for wire in wires:
        wire.send(HALF + REST)
    equal([wire.read() for wire in wires], [None] * len(wires))


def silence_costs_no_cpu():
    with Server(IDLE_SHARDS) as server:
        wires = [Wire(server.port) for _ in range(IDLE)]
        each_has_a_reply(wires)
        clock = (~server.process.pid << 3) | CPUCLOCK_SCHED
        time.sleep(1)  # pages are still given back for some 200 ms
        before = time.clock_gettime_ns(clock)
        time.sleep(IDLE_SECONDS)  # what it does while nobody asks is what is measured
        share = (time.clock_gettime_ns(clock) - before) / 1e9 / IDLE_SECONDS
        assert MODE != "release" or share < CPU_MAX, "%.4f of a CPU" % share
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
