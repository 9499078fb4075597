"""Per key, what clients are told fits one order of the commands: histories of GET, SET, INCR, DEL, APPEND and GETSET on
a few keys, searched for such an order after Wing and Gong (1993). The checker checks itself on a planted
stale read.

Several connections of one thread: a command begins when it is sent and ends when its reply is taken, so that
commands of different connections overlap.
"""

import os
import random
import select
import time

from started import SCALE, Server, Tests, equal
from wire import PROTOCOLS, Error, Wire

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
CLIENTS, KEYS = 8, 6
WINDOW = 200  # commands of a key between two moments at which nothing is under way
SECONDS = float(os.environ.get("SECONDS_STRESS", 6 / SCALE))


def apply(state, command):
    """(reply, new state) of one command on one key whose value is `state`."""
    kind, argument = command
    if kind == "GET":
        return state, state
    if kind == "SET":
        return b"OK", argument
    if kind == "GETSET":
        return state, argument
    if kind == "DEL":
        return (0 if state is None else 1), None
    if kind == "APPEND":
        new = (state or b"") + argument
        return len(new), new
    number = int(state) if state is not None and state.isdigit() else 0
    if state is not None and state != b"%d" % number:  # also "03", as in Redis
        return Error, state
    new = b"%d" % (number + 1)
    return int(new), new


def fits(history, states):
    """The states in which some order of `history` ends, begun in one of `states`; empty: there is no such order.

    history: (begin, end, command, reply). An operation may be next if none that is left ended before it began.
    """
    history = sorted(history)
    everything = (1 << len(history)) - 1
    seen, ends = set(), set()
    stack = [(0, state) for state in states]
    while stack:
        done, state = stack.pop()
        if (done, state) in seen:
            continue
        seen.add((done, state))
        if done == everything:
            ends.add(state)
            continue
        first_end = float("inf")
        for i, (begin, end, command, reply) in enumerate(history):
            if done >> i & 1:
                continue
            if begin > first_end:
                break
            first_end = min(first_end, end)
            wanted, after = apply(state, command)
            if reply == wanted or (wanted is Error and isinstance(reply, Error)):
                stack.append((done | 1 << i, after))
    return ends


class Recorder:
    """Histories by key, checked and forgotten each time nothing is under way."""

    def __init__(self):
        self.history = {}
        self.states = {}
        self.checked = 0

    def add(self, key, begin, end, command, reply):
        self.history.setdefault(key, []).append((begin, end, command, reply))

    def check(self):
        for key, history in self.history.items():
            ends = fits(history, self.states.get(key, {None}))
            if not ends:
                raise AssertionError("no order explains the history of %s from %r:\n%s" % (
                    key, self.states.get(key), "\n".join("%d-%d %r -> %r" % one for one in sorted(history))))
            self.states[key] = ends
            self.checked += len(history)
        self.history.clear()


def command_of(rng, serial):
    kind = rng.choice(("GET", "GET", "GET", "SET", "INCR", "INCR", "DEL", "APPEND", "GETSET"))
    if kind in ("SET", "GETSET"):
        # now and then long enough to travel by reference
        return kind, b"%d" % serial + b"x" * rng.choice((0, 0, 0, 60, 20000))
    return kind, (b"%d" % (serial % 10) if kind == "APPEND" else None)


def words_of(key, command):
    return [command[0], key] if command[1] is None else [command[0], key, command[1]]


def histories(server, transactions):
    """With `transactions`, others lock the same keys all the time, without changing them."""
    rng = random.Random(SEED + transactions)
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(CLIENTS)]
    lockers = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(2 * transactions)]
    keys = ["lin:%d:%d" % (transactions, i) for i in range(KEYS)]
    recorder, clock, serial = Recorder(), 0, 0
    end = time.monotonic() + SECONDS / 2
    while time.monotonic() < end:
        under_way, left = {}, WINDOW
        for locker in lockers:
            locker.send(b"".join(locker.proto.request("MULTI")
                        + b"".join(locker.proto.request("EXISTS", key) for key in keys)
                        + locker.proto.request("EXEC") for _ in range(20)))
        while left or under_way:
            idle = [wire for wire in wires if wire not in under_way]
            if left and idle and (not under_way or rng.random() < 0.7):
                wire, key = rng.choice(idle), rng.choice(keys)
                serial, clock, left = serial + 1, clock + 1, left - 1
                command = command_of(rng, serial)
                wire.send(wire.proto.request(*words_of(key, command)))
                under_way[wire] = key, clock, command
                continue
            readable, _, _ = select.select(list(under_way), [], [], 120)
            assert readable, "no reply for 120 s"
            for wire in readable:
                assert wire.more(), "closed"
                here, reply = wire.take()
                if here:
                    key, begin, command = under_way.pop(wire)
                    clock += 1
                    recorder.add(key, begin, clock, command, reply)
        for locker in lockers:
            for _ in range(20 * (len(keys) + 2)):
                assert not isinstance(locker.read(), Error)
        recorder.check()
    print("%d commands checked" % recorder.checked)
    assert recorder.checked > 1000 / SCALE
    for wire in wires + lockers:
        wire.close()


def planted():
    """The checker takes a right history for right, and finds a stale read, a lost update and a double one."""
    right = [(1, 4, ("SET", b"a"), b"OK"), (2, 3, ("GET", None), None), (5, 6, ("GET", None), b"a")]
    equal(fits(right, {None}), {b"a"})
    equal(fits(right[:1] + [(5, 6, ("GET", None), None)], {None}), set())
    equal(fits([(1, 2, ("INCR", None), 1), (3, 4, ("INCR", None), 1)], {None}), set())
    equal(fits([(1, 4, ("INCR", None), 1), (2, 3, ("INCR", None), 3)], {None}), set())
    equal(fits([(1, 9, ("INCR", None), 2), (2, 3, ("INCR", None), 1), (4, 5, ("GET", None), b"1")], {None}),
          {b"2"})
    equal(fits([(1, 9, ("INCR", None), 2), (2, 3, ("INCR", None), 1), (4, 5, ("GET", None), b"2"),
                (6, 7, ("GET", None), b"1")], {None}), set())


tests = Tests()
print("seed %d" % SEED)
tests.run("the checker", planted)
with Server(3) as started:
    tests.run("histories", histories, started, 0)
    tests.run("histories under transactions", histories, started, 1)
    tests.run("a clean end", started.ends_well)
tests.finish()
