"""Random programs of commands, each made by its seed alone.

A program is a list of steps:
    ["run", connection, [[form, words], ...]]   a pipeline; form "resp" or "inline"
    ["raw", bytes]                              on a connection of its own, up to its end
    ["together", [[connection, commands], ...]] the same of several connections at the same time
    ["scan", database, words]                   SCAN with these options until the cursor is 0 again
    ["scan_beside_changes", database, count]    the same while so many other keys come and go
    ["wait", milliseconds]
    ["state", databases]                        every key with its value, encoding and time

Most commands come from a row of ROWS, which knows what makes them interesting; the others are made
from what the server's own COMMAND DOCS says of their arguments. Some are then spoilt a little.
"""

import itertools
import random

import pools
from differences import FIXED_WORDS, NOT_TOGETHER, ONLY_BETWEEN_SHARDS, is_avoided
from structures import Structures

PROGRAM_STEPS_MAX = 14
PIPELINE_MAX = 40
CONNECTIONS = 4


class Generator(Structures):
    """`docs`: {name: arguments} of every command to generate; names of sub-commands have a '|'."""

    def __init__(self, docs, skipped, lone):
        """`lone`: names that Redis does not know, for programs without it."""
        self.docs, self.lone = {name: arguments for name, arguments in docs.items() if name not in skipped}, lone
        self.rows = {}
        for name in self.docs:
            row = getattr(self, "row_" + name.replace("|", "_").replace("-", "_"), None)
            if row is not None:
                self.rows[name] = row
        self.names = sorted(name for name in self.docs if name not in FIXED_WORDS)
        weights = [self.weight(name) for name in self.names]
        self.weights = list(itertools.accumulate(weights))
        known = [0 if name in lone else weight for name, weight in zip(self.names, weights)]
        self.weights_with_redis = list(itertools.accumulate(known))

    def weight(self, name):
        if name in ("flushall", "flushdb", "reset", "quit"):
            return 0.3
        if name in ("multi", "exec", "discard", "watch", "unwatch", "select"):
            return 2
        if name in self.rows:
            return 10
        return 0.4 if "|" in name else 1

    # ---- the whole of it -------------------------------------------------------------------------

    def program(self, seed):
        self.rng = random.Random(seed)
        self.seconds = list(range(100, 2000000, 100))
        self.databases = {0}
        # without Redis: what it does not know
        self.alone = self.rng.random() < 0.15
        self.native = native = self.alone and self.rng.random() < 0.7
        # several keys at a time is what makes shards meet; few keys is what makes commands meet
        self.keys_here = self.rng.sample(pools.KEYS, self.rng.choice((2, 4, 8, len(pools.KEYS))))
        self.left_out = [self.rng.choice(pair[:2]) for pair in NOT_TOGETHER]
        connections = self.connections = self.rng.choice((1, 2, 2, 3, CONNECTIONS))
        resp3 = [not native and self.rng.random() < 0.3 for _ in range(connections)]
        steps = [["run", i, [["resp", [b"HELLO", b"3"]]]] for i in range(connections) if resp3[i]]
        for _ in range(self.rng.randint(2, PROGRAM_STEPS_MAX)):
            steps += self.step(self.rng.randrange(connections))
        steps.append(["state", sorted(self.databases)])
        return {"native": native, "alone": self.alone, "steps": steps}

    def step(self, connection):
        roll = self.rng.random()
        if roll < 0.03 and not self.native:
            return [["raw", self.raw()]]
        if roll < 0.08:
            return [["scan", self.rng.choice(sorted(self.databases)), self.scan_options()]]
        if roll < 0.09:
            return self.expiring(connection)
        if roll < 0.11:
            return [["scan_beside_changes", self.rng.choice(sorted(self.databases)), self.rng.choice((1, 5, 50))]]
        if roll < 0.16 and self.connections > 1:
            return self.together()
        if roll < 0.24 and self.connections > 1:
            return self.watched()
        return [["run", connection, self.pipeline()]]

    def pipeline(self):
        commands = []
        for _ in range(self.rng.randint(1, PIPELINE_MAX)):
            commands += self.some()
        return self.formed(commands)

    def formed(self, commands):
        return [[self.form(words), words] for words in commands if not is_avoided(words, self.alone)
                and (self.alone or not any(left_out(words) for left_out in self.left_out))]

    def form(self, words):
        plain = self.native or self.rng.random() > 0.06 or sum(map(len, words)) > 8000
        return "resp" if plain else "inline"

    def some(self):
        """A command, or several that belong together."""
        roll = self.rng.random()
        if roll < 0.04:
            return self.transaction()
        if roll < 0.08:
            return self.encoding()
        if roll < 0.09:
            return self.lcs_pair()
        if roll < 0.095:
            return [self.garbage()]
        if roll < 0.098:
            return [self.bulk()]
        if roll < 0.1:
            return [self.fixed()]
        return [self.spoil(self.command())]

    def command(self):
        weights = self.weights if self.alone else self.weights_with_redis
        name = self.rng.choices(self.names, cum_weights=weights)[0]
        row = self.rows.get(name)
        words = row() if row is not None and self.rng.random() < 0.8 else self.from_docs(name)
        first = name.encode().split(b"|")
        return [self.case(word) for word in first] + words

    def fixed(self):
        """They are not spoilt."""
        name = self.rng.choice(sorted(pools.FIXED))
        return [self.case(word) for word in name.encode().split(b"|")] + self.rng.choice(pools.FIXED[name])

    def spoil(self, words):
        """A few lose, gain or exchange an argument, or get one that does not fit."""
        roll = self.rng.random()
        if roll > 0.05 or len(words) < 2:
            return words + [self.rng.choice(pools.SMALL)] if roll < 0.01 else words
        at = self.rng.randrange(1, len(words))
        if roll < 0.012:
            return words[:-1]
        if roll < 0.018:
            return words[:at] + words[at + 1:]
        if roll < 0.026:
            return words + [self.rng.choice((b"1", b"x", b"", b"nx", b"get", b"0", b"k1"))]
        if roll < 0.034:
            return words + [words[at]]
        if roll < 0.04:
            other = self.rng.randrange(1, len(words))
            words[at], words[other] = words[other], words[at]
            return words
        words[at] = self.rng.choice(pools.ANY)
        return words

    # ---- from the documentation ------------------------------------------------------------------

    def from_docs(self, name):
        self.name = name
        return self.arguments(self.docs[name], 0)

    def arguments(self, arguments, depth):
        words = []
        arguments = [one for one in arguments if self.may(one)]
        optional = [one for one in arguments if "optional" in one["flags"]]
        for one in arguments:
            if one in optional:
                continue
            words += self.argument(one, depth)
        # options come in any order, now and then twice
        self.rng.shuffle(optional)
        for one in optional:
            if self.rng.random() < 0.3:
                words += self.argument(one, depth)
                if self.rng.random() < 0.05:
                    words += self.argument(one, depth)
        return words

    def may(self, one):
        return self.alone or (self.name, one["token"]) not in ONLY_BETWEEN_SHARDS

    def argument(self, one, depth):
        times = self.rng.choice((1, 1, 2, 3, 5)) if "multiple" in one["flags"] else 1
        token = [] if one["token"] is None else [self.case(one["token"])]
        words = [] if "multiple_token" in one["flags"] else list(token)
        for _ in range(times):
            if "multiple_token" in one["flags"]:
                words += token
            words += self.content(one, depth)
        return words

    def content(self, one, depth):
        kind, name = one["type"], one["name"]
        if kind == "pure-token":
            return []
        if kind == "oneof":
            return self.argument(self.rng.choice([each for each in one["arguments"] if self.may(each)]), depth + 1)
        if kind == "block":
            return self.arguments(one["arguments"], depth + 1)
        if kind == "key":
            return [self.key()]
        if kind == "pattern":
            return [self.rng.choice(pools.PATTERNS)]
        if kind == "double":
            return [self.rng.choice(pools.FLOATS)]
        if kind == "unix-time":
            return [self.wall("milli" in name)]
        if kind == "integer":
            if name in ("seconds", "milliseconds"):
                return [self.relative(name == "milliseconds")]
            return [self.integer()]
        return [self.value()]

    # ---- words -----------------------------------------------------------------------------------

    def pick(self, *choices):
        return self.rng.choice(choices)

    def key(self):
        return self.rng.choice(self.keys_here if self.rng.random() < 0.97 else pools.RARE_KEYS)

    def keys(self):
        return [self.key() for _ in range(self.rng.randint(1, 6))]

    def value(self):
        return self.rng.choice(pools.VALUES)

    def integer(self):
        return self.rng.choice(pools.INTEGERS if self.rng.random() < 0.85 else pools.NOT_INTEGERS)

    def relative(self, milli):
        if self.rng.random() < 0.2 or not self.seconds:
            return self.rng.choice(pools.BAD_TIMES)
        seconds = self.seconds.pop(self.rng.randrange(len(self.seconds)))
        return b"%d" % (seconds * 1000 if milli else seconds)

    def wall(self, milli):
        if self.rng.random() < 0.2:
            return self.rng.choice(pools.BAD_TIMES)
        return self.rng.choice(pools.WALL_MS if milli else pools.WALL_S)

    def time_of(self, unit):
        return self.wall(unit == b"pxat") if unit.endswith(b"at") else self.relative(unit == b"px")

    def case(self, word):
        roll = self.rng.random()
        if roll < 0.5:
            return word.lower()
        if roll < 0.9:
            return word.upper()
        return bytes(c ^ 32 if self.rng.random() < 0.5 and (65 <= c < 91 or 97 <= c < 123) else c for c in word)

    def options(self, words, chance):
        """Each of `words` (a word, or a function that gives several) may come, in any order."""
        chosen = [word for word in words if self.rng.random() < chance]
        if chosen and self.rng.random() < 0.1:
            chosen.append(self.rng.choice(words))
        self.rng.shuffle(chosen)
        out = []
        for word in chosen:
            out += word() if callable(word) else [self.case(word)]
        return out

    def timed(self):
        return [lambda unit=unit: [self.case(unit), self.time_of(unit)] for unit in (b"ex", b"px", b"exat", b"pxat")]
