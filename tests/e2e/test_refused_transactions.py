"""Nothing of a refused or failed transaction is visible: random transactions beside a model of them.

Each is a command over several shards, or a MULTI, of values from nothing to more than memory; some are
refused when they are queued, some when they run, some have a watched key changed, some lose their client
on the way. Where the reply is an error or nil, every key is as before; where it is none, every key and the
reply are the model's. A reader looks on all the while and must see no value of those that failed.

SEED repeats a run; the transaction that failed is printed with its number.
"""

import os
import random
import re
import tempfile
import threading

from fail_malloc import LIBRARY, Memory
from started import SCALE, Server, Tests, equal
from wire import Error, Wire, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SHARDS = 3
ROUNDS = 1200 // SCALE
KEYS = [b"k%d" % i for i in range(10)]
SMALL, LARGE = [0, 1, 60, 3000], [20000, 300_000, 1_500_000, 3_000_000, 12_000_000]
FULL = ("--maxmemory", "8mb", "--maxmemory-policy", "noeviction")
GENERATION = re.compile(rb"g(\d+):")


class Model:
    """A keyspace too simple to be wrong."""

    def __init__(self, keys):
        self.keys = dict(keys)

    def run(self, words):
        """The reply; an Error's text is compared by its first word only."""
        return getattr(self, words[0].decode().lower())(*words[1:])

    def set(self, key, value):
        self.keys[key] = value
        return b"OK"

    def get(self, key):
        return self.keys.get(key)

    def append(self, key, value):
        self.keys[key] = self.keys.get(key, b"") + value
        return len(self.keys[key])

    def incr(self, key):
        value = self.keys.get(key, b"0")
        if not value.isdigit():
            return Error(b"ERR")
        self.keys[key] = b"%d" % (int(value) + 1)
        return int(self.keys[key])

    def delete(self, *keys):
        return sum(self.keys.pop(key, None) is not None for key in keys)

    def mset(self, *pairs):
        self.keys.update(zip(pairs[::2], pairs[1::2]))
        return b"OK"

    def msetnx(self, *pairs):
        if any(key in self.keys for key in pairs[::2]):
            return 0
        self.mset(*pairs)
        return 1

    def rename(self, source, to):
        if source not in self.keys:
            return Error(b"ERR")
        self.keys[to] = self.keys.pop(source) if source != to else self.keys[source]
        return b"OK"

    def renamenx(self, source, to):
        if source not in self.keys:
            return Error(b"ERR")
        if to in self.keys:
            return 0
        self.rename(source, to)
        return 1

    def copy(self, source, to, *replace):
        if source == to:
            return Error(b"ERR")
        if source not in self.keys or to in self.keys and not replace:
            return 0
        self.keys[to] = self.keys[source]
        return 1

    def getset(self, key, value):
        old = self.keys.get(key)
        self.keys[key] = value
        return old


setattr(Model, "del", Model.delete)


def same(got, wanted):
    if isinstance(wanted, Error):
        return isinstance(got, Error) and got.startswith(wanted)
    return got == wanted and not isinstance(got, Error)


def short(words):
    return b" ".join(word if len(word) < 30 else word[:12] + b"...(%d)" % len(word) for word in words).decode()


class Reader(threading.Thread):
    """Reads all keys in one transaction, again and again, and remembers what generations it saw."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.wire, self.seen, self.ending = server, Wire(server.socket_path), set(), False

    def run(self):
        data = b"".join(self.wire.proto.request(*words) for words in
                        [("MULTI",)] + [("GETRANGE", key, 0, 12) for key in KEYS] + [("EXEC",)])
        while not self.ending:
            try:
                self.wire.send(data)
                values = [self.wire.read() for _ in range(len(KEYS) + 2)][-1]
            except (OSError, EOFError):  # where an allocation failed
                self.wire = Wire(self.server.socket_path)
                continue
            if isinstance(values, list):
                self.seen |= {int(found) for value in values if not isinstance(value, Error)
                              for found in GENERATION.findall(value)}


class Run:
    def __init__(self, server, seed, memory=None):
        self.server, self.rng, self.memory = server, random.Random(seed), memory
        self.wire, self.other = Wire(server.socket_path), Wire(server.socket_path)
        self.keys, self.failed, self.counts = {}, set(), {"done": 0, "failed": 0, "cut off": 0}
        self.large = LARGE if memory is None else LARGE[:2]

    # ---- what is tried ---------------------------------------------------------------------------

    def value(self):
        size = self.rng.choice(SMALL * 3 + self.large)
        return b"g%d:" % self.number + b"x" * size if self.rng.random() < 0.9 else b"%d" % self.rng.randrange(9)

    def pairs(self):
        keys = self.rng.sample(KEYS, self.rng.randint(2, len(KEYS)))
        return [word for key in keys for word in (key, self.value())]

    def command(self, over_shards):
        key, other, roll = self.rng.choice(KEYS), self.rng.choice(KEYS), self.rng.random()
        many = [[b"MSET"] + self.pairs(), [b"MSETNX"] + self.pairs(), [b"RENAME", key, other],
                [b"RENAMENX", key, other], [b"COPY", key, other], [b"COPY", key, other, b"REPLACE"]]
        if over_shards or roll < 0.2:
            return self.rng.choice(many)
        few = [[b"SET", key, self.value()], [b"SET", key, self.value()], [b"DEL", key, other], [b"INCR", key],
               [b"APPEND", key, self.value()], [b"GETSET", key, self.value()], [b"GET", key]]
        return self.rng.choice(few)

    def body(self):
        commands = [self.command(False) for _ in range(self.rng.randint(1, 6))]
        if self.rng.random() < 0.1:
            bad = self.rng.choice([[b"GET"], [b"NOSUCH", b"x"], [b"SET", b"k1"]])
            commands.insert(self.rng.randrange(len(commands) + 1), bad)
        return commands

    # ---- what comes of it ------------------------------------------------------------------------

    def state(self):
        if self.memory is not None:
            self.memory.suffices()
        values = self.other.run("MGET", *KEYS)
        return {key: value for key, value in zip(KEYS, values) if value is not None}

    def check(self, what, wanted):
        found = self.state()
        for key in KEYS:
            got, right = found.get(key), wanted.get(key)
            if got != right:
                raise AssertionError("transaction %d, %s: %s is %.40r (%d bytes), not %.40r (%d bytes)" % (
                    self.number, what, key.decode(), got, len(got or b""), right, len(right or b"")))

    def refused(self, what, count="failed"):
        self.counts[count] += 1
        self.failed.add(self.number)
        self.check(what + ": refused, and yet", self.keys)

    def done(self, what, model):
        self.counts["done"] += 1
        self.check(what + ": done, but", model.keys)
        self.keys = model.keys

    def single(self):
        words = self.command(True)
        model = Model(self.keys)
        wanted = model.run(words)
        try:
            got = self.wire.run(*words)
        except (OSError, EOFError):
            self.closed(short(words), model)
            return
        if isinstance(got, Error) and (got.startswith(b"OOM ") or not isinstance(wanted, Error)):
            self.refused("%s: %s" % (short(words), got.decode()))
            return
        if not same(got, wanted):
            raise AssertionError("transaction %d, %s: %r, not %r" % (self.number, short(words), got, wanted))
        self.done(short(words), model)

    def multi(self):
        body, watched = self.body(), self.memory is None and self.rng.random() < 0.3
        if watched:
            equal(self.wire.run("WATCH", *self.rng.sample(KEYS, 3)), b"OK")
            if self.rng.random() < 0.5:
                self.change()
        model = Model(self.keys)
        try:
            if isinstance(self.wire.run("MULTI"), Error):
                return
            queued = [self.wire.run(*words) for words in body]
            got = self.wire.run(*([b"EXEC"] if self.rng.random() < 0.95 else [b"EXEC", b"x"]))
        except (OSError, EOFError):
            try:
                for words in body:
                    model.run(words)
            except (AttributeError, TypeError):
                model = Model(self.keys)  # one that is not even queued
            self.closed("MULTI / %s / EXEC" % " / ".join(map(short, body)), model)
            return
        what = "MULTI / %s / EXEC: %.80r" % (" / ".join(map(short, body)), got)
        if got is None or isinstance(got, Error):
            self.refused(what)
            # and the transaction has ended
            equal(self.wire.run("DISCARD"), b"ERR DISCARD without MULTI")
            return
        if any(isinstance(one, Error) for one in queued):
            raise AssertionError("transaction %d, %s: %r was queued" % (self.number, what, queued))
        wanted = [model.run(words) for words in body]
        for words, one, other in zip(body, got, wanted):
            if not same(one, other):
                raise AssertionError("transaction %d, %s: %s: %.60r, not %.60r" % (
                    self.number, what, short(words), one, other))
        self.done(what, model)

    def closed(self, what, model):
        """Its connection was closed, which only a failed allocation may do: all or nothing was done."""
        assert self.memory is not None, "transaction %d, %s: closed" % (self.number, what)
        self.wire = Wire(self.server.socket_path)
        if self.state() == model.keys:
            self.done(what, model)
        else:
            self.refused(what + ": closed")

    def change(self):
        """By another client, of a key that may be watched."""
        key = self.rng.choice(KEYS)
        got = self.other.run("SET", key, b"changed %d" % self.number)
        if not isinstance(got, Error):
            self.keys = {**self.keys, key: b"changed %d" % self.number}

    def cut_off(self):
        """A client that goes before its transaction is whole; or just behind it, when all may be done."""
        client = Wire(self.server.socket_path)
        ident = client.run("CLIENT", "ID")
        if self.rng.random() < 0.5:
            commands = [[b"MULTI"]] + [self.command(False) for _ in range(self.rng.randint(1, 5))] + [[b"EXEC"]]
        else:
            commands = [self.command(True)]
        data = b"".join(client.proto.request(*words) for words in commands)
        whole = self.rng.random() < 0.3
        try:
            client.send(data if whole else data[:self.rng.randrange(len(data))])
        except OSError:
            pass
        client.close()
        wait_until("gone", lambda: self.other.run("CLIENT", "LIST", "ID", ident) == b"")
        what, model = "cut off: %s" % " / ".join(map(short, commands)), Model(self.keys)
        for words in commands:
            if words[0] not in (b"MULTI", b"EXEC"):
                model.run(words)
        if whole and self.state() == model.keys:
            self.done(what, model)
        else:
            self.refused(what, "cut off")

    def go(self, rounds):
        reader = Reader(self.server)
        reader.start()
        try:
            self.rounds(rounds)
        finally:
            reader.ending = True
            reader.join(60)
        equal(sorted(reader.seen & self.failed), [])
        print("  %s" % ", ".join("%d %s" % (count, name) for name, count in self.counts.items()))
        for name in ("done", "failed"):
            assert self.counts[name] > rounds // 20, "hardly any was %s" % name

    def rounds(self, rounds):
        for self.number in range(rounds):
            if self.memory is not None:
                self.memory.runs_out(self.rng.randrange(40), self.rng.choice((0, 1, 1, 2, 30)))
            self.rng.choice((self.single, self.multi, self.multi, self.cut_off if self.memory is None else self.multi))()
            if self.memory is not None:
                self.memory.suffices()
            if self.rng.random() < 0.05:
                self.make_room()

    def make_room(self):
        equal(self.other.run("FLUSHALL"), b"OK")
        self.keys = {}


def room_that_is_new(server):
    """What frees memory, or raises the limit, has done so when the next transaction is queued."""
    wire, other, count, pipelined = Wire(server.socket_path), Wire(server.socket_path), 0, 0
    for _ in range(1000 // SCALE):
        missed, key = 0, None
        while missed < 6:
            got = other.run("SET", "fill:%d" % count, b"x" * 10000)
            missed, key = (missed + 1, key) if isinstance(got, Error) else (0, "fill:%d" % count)
            count += 1
        for words in ("DEL", key or "fill:0"), ("DEL", "fill:%d" % (count - 300)):
            if other.run("STRLEN", words[1]) != 10000:  # an earlier transaction's: hardly what the next one asks for
                continue
            commands = [words, ("MULTI",), ("SET", words[1], b"y" * 5000), ("EXEC",)]
            data = [wire.proto.request(*each) for each in commands]
            wire.send(b"".join(data))
            deleted, _, queued, done = [wire.read() for _ in data]
            if deleted:
                equal((queued, done), (b"QUEUED", [b"OK"]))
                pipelined += 1
    assert pipelined > 10, "only %d were tried" % pipelined
    for number in range(300 // SCALE):
        for limit in ("1", "0"):
            equal(other.run("CONFIG", "SET", "maxmemory", limit), b"OK")
        equal(wire.run("MULTI"), b"OK")
        equal(wire.run("SET", "new:%d" % number, "x"), b"QUEUED")
        equal(wire.run("EXEC"), [b"OK"])


def one_key(server, memory):
    """A transaction of one key whose memory runs out at one allocation after the other, up to its reply's."""
    other, wire, old, refused = Wire(server.socket_path), Wire(server.socket_path), b"old" * 10000, 0
    for at in range(60):
        equal(other.run("SET", "one", old), b"OK")
        new = b"%d" % at * 30000
        try:
            equal(wire.run("MULTI"), b"OK")
            equal(wire.run("GETSET", "one", new), b"QUEUED")
            memory.runs_out(at, 1)
            got = wire.run("EXEC")
        except (OSError, EOFError):
            got, wire = None, Wire(server.socket_path)
        memory.suffices()
        found = other.run("GET", "one")
        if isinstance(got, list):
            equal((got, found), ([old], new))
        else:
            assert found == old or got is None and found == new, "allocation %d: %.80r, and yet the key is %.40r" % (at, got, found)
            refused += 1
    assert refused > 3, "only %d were refused" % refused


def main():
    print("seed %d" % SEED)
    tests = Tests()
    at_random = lambda server: Run(server, SEED).go(ROUNDS)  # noqa: E731
    for name, test in (("new room", room_that_is_new), ("random", at_random)):
        with Server(SHARDS, *FULL) as server:
            tests.run(name, test, server)
            tests.run("the server ends well", server.ends_well)
    if os.path.exists(LIBRARY):
        with tempfile.TemporaryDirectory() as folder:
            memory = Memory(folder)
            launcher = ("env", "LD_PRELOAD=" + LIBRARY, "FAIL_MALLOC=" + memory.order)
            with Server(SHARDS, launcher=launcher) as server:
                tests.run("one key", one_key, server, memory)
                tests.run("failing allocations", lambda server: Run(server, SEED, memory).go(ROUNDS), server)
                tests.run("the server ends well", server.ends_well)
    else:
        tests.skipped += 1
    tests.finish()


if __name__ == "__main__":
    main()
