#!/usr/bin/env python3
"""Sends the same random commands, edge cases first of all, to redis-server and to shoal and
compares every reply, type included.

    tests/e2e/differential.py REDIS_PORT SHOAL_PORT [--seed N] [--count N] [--resp 2|3]
                                [--keys-only]

Both servers are flushed. The seed is printed; the same seed gives the same commands. What may
differ is compared by a rule of its own (COMPARE): remaining times by a tolerance, KEYS as a set.
What is known to differ is not generated, and said so where it would be.
"""

import argparse
import random
import sys
import time

from resp_client import Connection, to_bytes

MISMATCHES_MAX = 10
TIME_TOLERANCE_MS = 2000
BATCH_MAX = 20

KEYS = ["k%d" % i for i in range(8)] + ["", "{t}a", "{t}b", b"\x00\xff\r\n \x80", "key:" + "x" * 60]
INTEGERS = ["0", "1", "-1", "2", "10", "-10", "9223372036854775807", "-9223372036854775808",
            "9223372036854775806", "9223372036854775808", "-9223372036854775809", "4294967296"]
NOT_INTEGERS = ["", " 1", "1 ", "+1", "01", "-0", "--1", "1.0", "1e3", "0x10", "x", "1\n", b"1\x00"]
FLOATS = ["0.1", "-0.1", "1.5", "3.0", "1e10", "1e-17", "1e-18", "5.0e3", ".5", "5.", "+1.5",
          "1e400", "1e5000", "inf", "-inf", "nan", "0x1p3", "1.7976931348623157e308", "0.30000000000000004"]
TEXTS = ["hello", "x" * 44, "x" * 45, "y" * 1000, "z" * 20000, b"\x00\x01\xfe\r\n", "OK", "-ERR"]
VALUES = INTEGERS + NOT_INTEGERS + FLOATS + TEXTS
OFFSETS = ["0", "1", "2", "5", "-1", "-2", "-5", "-100", "100", "44", "45", "20000", "-20001",
           "9223372036854775807", "-9223372036854775808", "x", "", "1.5"]
# 536870911 would be allowed and take 512 MB
WRITE_OFFSETS = [o for o in OFFSETS] + ["536870912", "536870911999", "9223372036854775800"]
# 4294967295 would be allowed and take 512 MB
BIT_OFFSETS = ["0", "1", "6", "7", "8", "9", "63", "64", "100", "353", "1023", "160007",
               "4294967296", "-1", "x", "", "1.5", "9223372036854775807", "9223372036854775808"]
BIT_RANGE = ["0", "1", "3", "7", "8", "15", "44", "63", "64", "70", "-1", "-2", "-8", "-9", "-70",
             "7999", "160000", "-160001", "9223372036854775807", "-9223372036854775808", "x", ""]
BITMAPS = [b"\xff" * 3, b"\x00" * 9, b"\xff" * 70, b"\x00" * 69 + b"\x10", b"\x7f", b"\x80\x01",
           b"\xff" * 40 + b"\xf7" + b"\xff" * 9]
FIELD_TYPES = ["u1", "u2", "u8", "u31", "u63", "i1", "i5", "i8", "i16", "i63", "i64"]
BAD_FIELD_TYPES = ["u64", "i65", "u0", "i", "", "8", "s8", "u08", "u-1", "U8",
                   "i9223372036854775808"]
FIELD_OFFSETS = ["0", "1", "5", "8", "100", "360", "#0", "#1", "#3", "#10"]
BAD_FIELD_OFFSETS = ["-1", "x", "", "#", "#-1", "#x", "4294967296", "#4294967296", "##1"]
FIELD_VALUES = ["0", "1", "-1", "2", "5", "-7", "100", "127", "128", "255", "256", "-128", "-129",
                "9223372036854775807", "-9223372036854775808"]
BAD_TIMES = ["0", "-1", "x", "", "1.5", "9223372036854775807", "9223372036854775",
             "9223372036854776", "-9223372036854775808", "-9223372036854775", "9223372036854775808", "+5"]
WALL_S = ["4102444800", "4102444801", "9999999999", "4611686018427387"]
WALL_MS = ["4102444800000", "4102444800499", "4102444800500", "9223372036854775807"]
PATTERNS = ["*", "k*", "k?", "k[0-3]", "[^k]*", "k\\0", "[", "k[", "k[1", "", "*1", "k[3-0]", "K1",
            "\\", "k\\", "?", "k[^0]", "k[\\0]", "{t}?", "*\x80*", "k**?"]


class Generator:
    """Makes lists of commands: most of one, some of a few that belong together."""

    def __init__(self, rng, keys_only):
        self.rng = rng
        # every relative time once, 100 s apart: GT and LT never hang on which millisecond it is
        self.seconds = list(range(100, 10000000, 100))
        rng.shuffle(self.seconds)
        makers = [(40, self.string), (14, self.counter), (16, self.ttl), (14, self.keyspace),
                  (14, self.bits), (8, self.bitfield), (2, self.lcs), (4, self.encoding),
                  (3, self.past_set), (2, self.garbage)]
        if not keys_only:
            makers += [(4, self.connection), (5, self.transaction)]
        self.weights, self.makers = zip(*makers)

    def pick(self, *choices):
        return self.rng.choice(choices)

    def key(self):
        return self.rng.choice(KEYS)

    def value(self):
        return self.rng.choice(VALUES)

    def integer(self):
        return self.rng.choice(INTEGERS * 3 + NOT_INTEGERS)

    def time(self, unit):
        if self.rng.random() < 0.2:
            return self.rng.choice(BAD_TIMES)
        if unit in ("ex", "px"):
            return self.seconds.pop() * (1000 if unit == "px" else 1)
        return self.rng.choice(WALL_S if unit == "exat" else WALL_MS)

    def future_time(self, unit):
        """For SET, where one in the past leaves a dead key that may be counted or not."""
        time_ = str(self.time(unit))
        return "0" if unit in ("exat", "pxat") and time_.isdigit() and len(time_) < 10 else time_

    def case(self, word):
        if self.rng.random() < 0.8:
            return word
        return "".join(self.rng.choice((c.upper(), c.lower())) for c in word)

    def options(self, words, chance):
        """Each of `words` (a word, or a function that gives several) may come, in any order."""
        chosen = [w for w in words if self.rng.random() < chance]
        if chosen and self.rng.random() < 0.1:
            chosen.append(self.rng.choice(words))
        self.rng.shuffle(chosen)
        out = []
        for word in chosen:
            out += word() if callable(word) else [word]
        return out

    def timed(self, unit):
        return lambda: [unit, self.future_time(unit)]

    def keys(self):
        return [self.key() for _ in range(self.rng.randint(1, 6))]

    def pairs(self):
        out = []
        for _ in range(self.rng.randint(1, 5)):
            out += [self.key(), self.value()]
        return out

    def string(self):
        key, times = self.key(), [self.timed(u) for u in ("ex", "px", "exat", "pxat")]
        set_words = ["nx", "xx", "get", "keepttl"]
        offset = lambda: self.rng.choice(OFFSETS)
        return [self.pick(
            lambda: ["get", key],
            lambda: ["set", key, self.value()],
            lambda: ["set", key, self.value()] + self.options(set_words + times, 0.15),
            lambda: ["set", key, self.value()] + self.options(set_words + ["persist", "foo"], 0.12),
            lambda: ["setnx", key, self.value()],
            lambda: ["setex", key, self.time("ex"), self.value()],
            lambda: ["psetex", key, self.time("px"), self.value()],
            lambda: ["getset", key, self.value()],
            lambda: ["getdel", key],
            lambda: ["getex", key] + self.options(["persist", "keepttl"] + times, 0.15),
            lambda: ["mget"] + self.keys(),
            lambda: ["mset"] + self.pairs(),
            lambda: ["msetnx"] + self.pairs(),
            lambda: ["append", key, self.value()],
            lambda: ["strlen", key],
            lambda: ["setrange", key, self.rng.choice(WRITE_OFFSETS), self.value()],
            lambda: [self.pick("getrange", "substr"), key, offset(), offset()],
        )()]

    def counter(self):
        key = self.key()
        return [self.pick(
            lambda: ["incr", key],
            lambda: ["decr", key],
            lambda: ["incrby", key, self.integer()],
            lambda: ["decrby", key, self.integer()],
            lambda: ["incrbyfloat", key, self.rng.choice(FLOATS + INTEGERS + NOT_INTEGERS)],
            lambda: ["set", key, self.integer()],
        )()]

    def bits(self):
        key, bound = self.key(), lambda: self.rng.choice(BIT_RANGE)
        bit = lambda: self.pick("0", "1", "0", "1", "2", "-1", "x")
        unit = lambda: [[], [], [self.pick("bit", "BIT", "byte", "foo")]][self.rng.randrange(3)]
        return [self.pick(
            lambda: ["setbit", key, self.rng.choice(BIT_OFFSETS), bit()],
            lambda: ["getbit", key, self.rng.choice(BIT_OFFSETS)],
            lambda: ["bitcount", key],
            lambda: ["bitcount", key, bound(), bound()] + unit(),
            lambda: ["bitpos", key, bit()],
            lambda: ["bitpos", key, bit(), bound()],
            lambda: ["bitpos", key, bit(), bound(), bound()] + unit(),
            lambda: ["set", key, self.rng.choice(BITMAPS)],
        )()]

    def field(self, only_gets):
        bad = self.rng.random() < 0.04
        place = [self.rng.choice(BAD_FIELD_TYPES if bad else FIELD_TYPES),
                 self.rng.choice(BAD_FIELD_OFFSETS if self.rng.random() < 0.04 else FIELD_OFFSETS)]
        if only_gets:
            return ["get"] + place
        value = self.rng.choice(NOT_INTEGERS if self.rng.random() < 0.03 else FIELD_VALUES)
        # not generated: SET of the least int64 (OVERFLOW SAT makes it the greatest there)
        set_value = value if value != "-9223372036854775808" else "-9223372036854"
        way = self.pick("wrap", "sat", "fail", "sat", "fail", "SAT", "x")
        incrby = ["incrby"] + place + [value]
        return self.pick(["get"] + place, ["set"] + place + [set_value], incrby, incrby,
                         ["overflow", way])

    def bitfield(self):
        name = self.pick("bitfield", "bitfield", "bitfield", "bitfield_ro")
        only_gets = self.rng.random() < (0.9 if name == "bitfield_ro" else 0.1)
        words = [name, self.key()]
        for _ in range(self.rng.randint(0, 6)):
            words += self.field(only_gets)
        return [words]

    def lcs(self):
        """Of keys that are on one shard wherever that is: others are refused here."""
        pair = [self.pick("{t}a", "{t}b"), self.pick("{t}a", "{t}b")]
        text = lambda: "".join(self.rng.choices("abc", k=self.rng.randint(0, 60)))
        least = lambda: ["minmatchlen", self.pick("0", "1", "2", "3", "5", "-1", "x")]
        options = self.options(["idx", "idx", "len", "withmatchlen", least, least], 0.25)
        sets = [["set", key, text()] for key in pair if self.rng.random() < 0.8]
        return sets + [["lcs"] + pair + options + self.options(["minmatchlen", "foo"], 0.02)]

    def encoding(self):
        """Not generated: what INCRBYFLOAT made of a whole number (int here, embstr there)."""
        key, part = self.key(), self.pick("", "1", "x")
        write = lambda: self.pick(["append", key, part], ["setrange", key, "1", part],
                                  ["setbit", key, self.pick("0", "1", "100"), self.pick("0", "1")],
                                  ["bitfield", key, "set", "u8", "0", "49"], ["incr", key],
                                  ["bitfield", key, "get", "u8", "0"], ["persist", key],
                                  ["expire", key, self.seconds.pop()],
                                  ["getset", key, self.value()])
        return ([["set", key, self.value()]] + [write() for _ in range(self.rng.randint(0, 3))] +
                [["object", "encoding", key]])

    def ttl(self):
        key = self.key()
        words = ["nx", "xx", "gt", "lt"]
        conditions = lambda: self.options(words, 0.2) + self.options(["foo"], 0.03)
        return [self.pick(
            lambda: ["expire", key, self.time("ex")] + conditions(),
            lambda: ["pexpire", key, self.time("px")] + conditions(),
            lambda: ["expireat", key, self.time("exat")] + conditions(),
            lambda: ["pexpireat", key, self.time("pxat")] + conditions(),
            lambda: [self.pick("ttl", "pttl", "expiretime", "pexpiretime", "persist"), key],
        )()]

    # Not generated: OBJECT FREQ and IDLETIME (not tracked here), negative and empty SCAN cursors
    # (taken there), KEYS ** with the empty key (not matched there).
    def keyspace(self):
        samples, count = [lambda w=w: [w, self.integer()] for w in ("samples", "count")]
        kind = lambda: ["type", self.pick("string", "STRING", "list")]
        return [self.pick(
            lambda: [self.pick("del", "unlink", "exists", "touch")] + self.keys(),
            lambda: ["type", self.key()],
            lambda: ["keys", self.rng.choice(PATTERNS)],
            lambda: ["dbsize"],
            lambda: ["randomkey"],
            lambda: ["object", self.pick("freq", "encoding", "refcount"), "no such key"],
            lambda: ["memory", "usage", "no such key"] + self.options(["samples", samples], 0.3),
            lambda: ["scan", self.pick("x", "1x", " 1", "99999999999999999999999")],
            lambda: ["scan", "0"] + self.options(["match", count, kind, lambda: ["foo", "1"]], 0.3),
            lambda: [self.pick("flushdb", "flushall")] + self.options(["async", "sync", "no"], 0.3),
        )()]

    def past_set(self):
        key, unit = self.key(), self.pick("exat", "pxat")
        return [["set", key, "v", unit, self.pick("1", "1000000")], ["get", key], ["ttl", key]]

    def garbage(self):
        words = [self.pick("foo", "get2", "", "object", "memory", "x" * 200, "set\r\n")]
        return [words + [self.value() for _ in range(self.rng.randint(1, 4))]]

    def connection(self):
        return [self.pick(["ping"], ["ping", self.value()], ["ping", "a", "b"],
                          ["echo", self.value()], ["select", self.pick("0", "x", "99", "-1")],
                          ["client", "nosuch"], ["config", "nosuch", "x"])]

    def transaction(self):
        """Pairs that are not whole fail when queued here, when they run there: not generated."""
        body = []
        for _ in range(self.rng.randint(0, 4)):
            body += self.pick(self.string, self.counter, self.ttl, self.bits, self.bitfield)()
        start = self.pick([], [], [["watch", self.key()]],
                          [["watch"] + self.keys(), ["incr", self.key()]])
        end = self.pick(["exec"], ["exec"], ["exec"], ["discard"])
        return start + [["multi"]] + body + [end, ["unwatch"]]

    def mutate(self, words):
        """A few lose or gain an argument: a short one, since errors that repeat it are cut here."""
        roll = self.rng.random()
        if roll > 0.03:
            return words
        if roll < 0.015 and len(words) > 1:
            return words[:-1]
        return words + [self.pick("1", "x", "", "nx", "get")]

    def next(self):
        commands = self.rng.choices(self.makers, self.weights)[0]()
        if len(commands) == 1:
            commands = [self.mutate(commands[0])]
        return [[self.case(words[0])] + words[1:] for words in commands]


def equal(a, b):
    return a == b


def near(tolerance):
    def compare(a, b):
        if a[0] != ":" or b[0] != ":" or a[1] < 0 or b[1] < 0:
            return a == b
        return abs(a[1] - b[1]) <= tolerance
    return compare


def same_set(a, b):
    return a == b if a[0] != "*" or b[0] != "*" else sorted(a[1]) == sorted(b[1])


def both_or_none(a, b):
    """Any key will do, but none only if there is none."""
    return (a[1] is None) == (b[1] is None) and a[0] == b[0]


def same_shape(a, b):
    """SCAN: cursors and the keys of one call differ, errors must not."""
    return a == b if "-" in (a[0], b[0]) else a[0] == b[0] == "*" and len(a[1]) == len(b[1]) == 2


COMPARE = {
    "ttl": near(TIME_TOLERANCE_MS // 1000),
    "pttl": near(TIME_TOLERANCE_MS),
    "expiretime": near(TIME_TOLERANCE_MS // 1000),
    "pexpiretime": near(TIME_TOLERANCE_MS),
    "keys": same_set,
    "randomkey": both_or_none,
    "scan": same_shape,
}


class Run:
    def __init__(self, args):
        self.servers = [Connection(args.reference), Connection(args.port)]
        self.generator = Generator(random.Random(args.seed), args.keys_only)
        self.mismatches = self.compared = 0
        self.queued = None  # names of the commands behind MULTI
        if args.resp == 3:
            for server in self.servers:
                server.run("hello", "3")

    def compare(self, words, replies):
        name = to_bytes(words[0]).decode("latin-1").lower()
        same = COMPARE.get(name, equal)
        if name == "exec":
            same = self.compare_exec
        elif self.queued is not None and replies[0] == ("+", b"QUEUED"):
            self.queued.append(name)
            same = equal
        self.compared += 1
        if not same(*replies):
            self.report(short(words), replies)
        if name in ("multi", "exec", "discard"):
            self.queued = [] if name == "multi" else None

    def report(self, what, replies):
        self.mismatches += 1
        print("differs: %s\n  reference: %s\n  shoal:     %s" % (what, *map(short, replies)))

    def compare_exec(self, a, b):
        arrays = a[0] == b[0] == "*" and a[1] is not None and b[1] is not None
        if not arrays or len(a[1]) != len(b[1]) or self.queued is None:
            return a == b
        return all(COMPARE.get(name, equal)(x, y) for name, x, y in zip(self.queued, a[1], b[1]))

    def batch(self, commands):
        for server in self.servers:
            server.send(commands)
        replies = [[server.read() for _ in commands] for server in self.servers]
        for words, *pair in zip(commands, *replies):
            self.compare(words, pair)

    def scan_all(self, server):
        keys, cursor = [], b"0"
        while True:
            reply = server.run("scan", cursor, "count", 7)
            cursor = reply[1][0][1]
            keys += [key[1] for key in reply[1][1][1]]
            if cursor == b"0":
                return sorted(set(keys))

    def check_state(self):
        """The same keys, found by SCAN, with the same values and times."""
        found = [self.scan_all(server) for server in self.servers]
        if found[0] != found[1]:
            self.report("all keys by SCAN", found)
        for key in found[0]:
            self.batch([["get", key], ["pttl", key], ["strlen", key]])

    def go(self, count):
        self.batch([["flushall"]])
        while self.compared < count and self.mismatches < MISMATCHES_MAX:
            commands = []
            for _ in range(self.generator.rng.randint(1, BATCH_MAX)):
                commands += self.generator.next()
            self.batch(commands)
            if self.generator.rng.random() < 0.02:
                self.check_state()
        self.check_state()


def short(thing):
    text = repr(thing)
    return text if len(text) < 300 else "%s ... (%d) ... %s" % (text[:200], len(text), text[-60:])


def main():
    parser = argparse.ArgumentParser(description="compares shoal with redis-server")
    parser.add_argument("reference", type=int, help="port of redis-server")
    parser.add_argument("port", type=int, help="port of shoal")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000007)
    parser.add_argument("--count", type=int, default=20000, help="replies to compare")
    parser.add_argument("--resp", type=int, choices=(2, 3), default=2)
    parser.add_argument("--keys-only", action="store_true", help="no MULTI, no connection commands")
    args = parser.parse_args()
    print("seed %d" % args.seed)
    run = Run(args)
    run.go(args.count)
    print("%d replies compared, %d differ" % (run.compared, run.mismatches))
    return 1 if run.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
