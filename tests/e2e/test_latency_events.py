#!/usr/bin/env python3
"""latency-monitor-threshold: what LATENCY LATEST, HISTORY and RESET say of commands that took long, on
several shards and in both protocols.
"""

import threading
import time

from started import PORT, Server, Tests, equal, matches
from wire import PROTOCOLS, Native, Resp, Wire, wait_until

SHARDS = 3
CONNECTIONS = 2 * SHARDS  # handed out evenly: every shard has some
FLUSHED_KEYS = 60000
WIDE_MGET_KEYS = 200000
BACKGROUND_SECONDS = 10


def sleep_ms(wire, ms):
    equal(wire.run("DEBUG", "SLEEP", "%.3f" % (ms / 1000)), b"OK")


def threshold(wire, ms):
    equal(wire.run("CONFIG", "SET", "latency-monitor-threshold", ms), b"OK")
    wire.run("LATENCY", "RESET")


def latest(wire):
    return {name: rest for name, *rest in wire.run("LATENCY", "LATEST")}


def nothing_without_a_threshold(wires):
    sleep_ms(wires[0], 200)
    equal(wires[0].run("LATENCY", "LATEST"), [])
    equal(wires[0].run("LATENCY", "HISTORY", "command"), [])
    equal(wires[0].run("LATENCY", "RESET"), 0)
    matches(wires[0].run("LATENCY", "DOCTOR"), b"latency-monitor-threshold is 0")


def slow_commands_of_all_shards_are_one_event(wires):
    threshold(wires[0], 150)
    begin = int(time.time())
    threads = [threading.Thread(target=sleep_ms, args=(wire, 200 + 20 * i))
               for i, wire in enumerate(wires)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end = int(time.time())
    for wire in wires:
        events = latest(wire)
        equal(list(events), [b"command"])
        unix_s, last_ms, most_ms = events[b"command"]
        assert begin <= unix_s <= end, (begin, unix_s, end)
        assert 150 <= last_ms <= most_ms, events
        assert 200 + 20 * (CONNECTIONS - 1) <= most_ms, events
        history = wire.run("LATENCY", "HISTORY", "COMMAND")
        seconds = [sample[0] for sample in history]
        equal(seconds, sorted(set(seconds)))
        equal(history[-1], [unix_s, last_ms])
        equal(max(ms for _, ms in history), most_ms)


def quick_commands_are_not_noted(wires):
    threshold(wires[0], 500)
    for wire in wires:
        sleep_ms(wire, 1)
        wire.run("SET", "k", "v")
    equal(wires[0].run("LATENCY", "LATEST"), [])


def resetting_says_how_many_events_there_were(wires):
    threshold(wires[0], 150)
    for wire in wires:
        sleep_ms(wire, 200)
    equal(wires[0].run("LATENCY", "RESET", "fast-command", "nosuch"), 0)
    equal(list(latest(wires[0])), [b"command"])
    equal(wires[0].run("LATENCY", "RESET", "nosuch", "Command"), 1)
    for wire in wires:
        equal(wire.run("LATENCY", "LATEST"), [])
    equal(wires[0].run("LATENCY", "RESET"), 0)
    equal(wires[0].run("LATENCY", "HISTORY", "nosuch"), [])


def fast_commands_are_an_event_of_their_own(wires):
    threshold(wires[0], 1)
    keys = [b"{t}"] * WIDE_MGET_KEYS  # MGET counts as fast; nothing makes it quick

    def noted():
        wires[0].run("MGET", *keys)
        return b"fast-command" in latest(wires[0])

    wait_until("a wide MGET is noted", noted)
    threshold(wires[0], 0)


def background_work_is_an_event(wires):
    """False: on this machine no slice of it takes as long as the smallest threshold."""
    threshold(wires[0], 1)
    end = time.monotonic() + BACKGROUND_SECONDS
    while b"expire-cycle" not in latest(wires[0]):
        if time.monotonic() > end:
            return False
        wires[0].send(b"".join(Resp.request("SET", "key:%d" % i, "v") for i in range(FLUSHED_KEYS)))
        for _ in range(FLUSHED_KEYS):
            equal(wires[0].read(), b"OK")
        wires[0].run("FLUSHALL")
    samples = wires[-1].run("LATENCY", "HISTORY", "expire-cycle")
    assert samples and all(ms >= 1 for _, ms in samples), samples
    threshold(wires[0], 0)
    return True


def it_does_not_depend_on_the_slow_log(wires):
    wire = wires[0]
    for slower_us, threshold_ms, entries, events in [
            (-1, 150, 0, 1), (3600000000, 150, 0, 1), (150000, 0, 1, 0), (150000, 3600000, 1, 0),
            (150000, 150, 1, 1), (-1, 0, 0, 0)]:
        wire.run("CONFIG", "SET", "slowlog-log-slower-than", slower_us)
        threshold(wire, threshold_ms)
        wire.run("SLOWLOG", "RESET")
        sleep_ms(wire, 200)
        sleeps = [e for e in wire.run("SLOWLOG", "GET", "-1") if e[3][0] == b"DEBUG"]
        equal((len(sleeps), len(latest(wire))), (entries, events))


def pipelined_behind_the_slow_one(wires):
    """A pipeline sees its own events, also in the native protocol."""
    for proto in PROTOCOLS:
        wire = Wire(PORT, proto)
        threshold(wire, 150)
        wire.send(proto.request("DEBUG", "SLEEP", "0.2") + proto.request("LATENCY", "RESET") +
                  proto.request("LATENCY", "LATEST"))
        equal([wire.read() for _ in range(3)], [b"OK", 1, []])
        sleep_ms(wire, 200)
        name, unix_s, last_ms, most_ms = wire.run("LATENCY", "LATEST")[0]
        equal((name, wire.run("LATENCY", "HISTORY", "command")), (b"command", [[unix_s, last_ms]]))
        wire.close()


def main():
    tests = Tests()

    def background(wires):
        tests.skipped += not background_work_is_an_event(wires)

    with Server(SHARDS, "--enable-debug-command", "yes", "--slowlog-log-slower-than", "-1") as server:
        wires = [Wire(PORT, Native if i % 2 else Resp) for i in range(CONNECTIONS)]
        for function in [nothing_without_a_threshold, slow_commands_of_all_shards_are_one_event,
                         quick_commands_are_not_noted, resetting_says_how_many_events_there_were,
                         fast_commands_are_an_event_of_their_own, background,
                         it_does_not_depend_on_the_slow_log, pipelined_behind_the_slow_one]:
            tests.run(function.__name__, function, wires)
        tests.run("ends well", server.ends_well)
    tests.finish()


if __name__ == "__main__":
    main()
