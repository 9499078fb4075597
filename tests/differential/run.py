#!/usr/bin/env python3
"""Plays random programs of commands to redis-server and to shoal with 1, 2 and 4 shards, and compares
every reply.

    tests/differential/run.py [--commands N] [--seed N] [--programs N] [--replay FILE]
                              [--options "--io-engine epoll"]

Each program is made by its own seed, counted up from --seed. Of one whose replies differ otherwise than
differences.py allows, the seed is printed, and what is left after everything was taken out without which
it still differs; --replay plays that again. The environment names the binaries: SHOAL, REDIS.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import time

import differences
import planted
from generate import Generator
from play import Player
from servers import Dead, Server, ask, impatient
from shrink import shrink

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARDS = (1, 2, 4)
FAILURES_MAX = 20
LONG_RUN_COMMANDS = 1_000_000  # from here on a rule or command that never came is a failure


class Field:
    """The servers, and the player at them; started anew when one of them has died."""

    def __init__(self, args):
        self.args, self.servers = args, []
        self.start()

    def start(self):
        shoal, redis = os.environ.get("SHOAL", ROOT + "/build/shoal"), os.environ.get("REDIS", "redis-server")
        options = shlex.split(self.args.options)
        self.servers = [Server(redis, 0)] + [Server(os.path.abspath(shoal), shards, options) for shards in SHARDS]
        try:
            for server in self.servers:
                server.wait()
            self.player = Player(self.servers)
        except (Dead, OSError):
            self.stop()
            raise

    def stop(self):
        """What is wrong with how they ended."""
        bad = []
        for server in self.servers:
            status, log = server.stop()
            if status != 0 or "Sanitizer" in log or "runtime error" in log:
                bad.append("%s ended with status %d:\n%s" % (server.name, status, log))
        return bad

    def again(self):
        """From the beginning: nothing of what failed stays, settings for example."""
        self.stop()
        self.start()

    def play(self, program):
        """How its replies differ, or None."""
        try:
            return self.player.play(program)
        except Dead as dead:
            self.again()
            return {"name": "death", "text": str(dead)}


def documented(server):
    """{full name: arguments} of all that the server offers."""
    docs = {}
    for name, row in pairs(ask(server, "COMMAND", "DOCS")):
        row = dict(pairs(row))
        subs = dict(pairs(row["subcommands"])) if "subcommands" in row else {}
        for full, one in list(subs.items()) or [(name, row)]:
            one = one if isinstance(one, dict) else dict(pairs(one))
            docs[full.lower()] = [argument(each) for each in one["arguments"][1]] if "arguments" in one else []
    return docs


def pairs(reply):
    values = reply[1]
    return [(values[i][1].decode(), values[i + 1]) for i in range(0, len(values), 2)]


def argument(reply):
    fields = dict(pairs(reply))
    return {"name": fields["name"][1].decode(), "type": fields["type"][1].decode(),
            "token": fields["token"][1] if "token" in fields else None,
            "flags": [flag[1].decode() for flag in fields["flags"][1]] if "flags" in fields else [],
            "arguments": [argument(each) for each in fields["arguments"][1]] if "arguments" in fields else []}


def names_of(server):
    return {one[1].decode() for one in ask(server, "COMMAND", "LIST")[1]}


def not_offered(servers):
    """What Redis lists and shoal does not, the other way round, and what shoal answers all the same."""
    there, here = names_of(servers[0]), names_of(servers[1])
    missing = sorted(there - here)
    wrong = [name for name in missing if "|" not in name
             and not (ask(servers[1], name) or ("", b""))[1].startswith(b"ERR unknown command")]
    return missing, here - there, wrong


def not_generated(server):
    names = sorted(names_of(server))
    rows = zip(names, ask(server, "COMMAND", "INFO", *names)[1])
    flagged = {name for name, one in rows
               if {flag[1].decode() for flag in one[1][2][1]} & set(differences.FLAGS_NOT_GENERATED)}
    tests_own = {name for name in names if name.startswith(differences.TESTS_OWN) and name != "debug"}
    return flagged | tests_own | set(differences.NOT_GENERATED)


RULING_FLAGS = {"write", "readonly", "denyoom", "fast", "movablekeys", "blocking", "admin", "pubsub", "no_auth"}


def rows_that_differ(servers):
    """Arity, keys and what rules how a command runs have to be Redis's, in each row that both have."""
    names = sorted((names_of(servers[0]) & names_of(servers[1])) - set(differences.OTHER_ROWS))
    rows = [[row(one) for one in ask(server, "COMMAND", "INFO", *names)[1]] for server in servers[:2]]
    return ["%s is %s, not %s" % (name, got, wanted) for name, wanted, got in zip(names, *rows) if wanted != got]


def row(reply):
    arity, flags, first, last, step = (one[1] for one in reply[1][1:6])
    return arity, sorted(RULING_FLAGS & {flag[1].decode() for flag in flags}), first, last, step


def load(path):
    with open(path) as file:
        return decoded(json.load(file))


def decoded(thing):
    """JSON has no bytes: they are texts that begin with a colon."""
    if isinstance(thing, str) and thing.startswith(":"):
        return thing[1:].encode("latin-1")
    if isinstance(thing, list):
        return [decoded(one) for one in thing]
    return {key: decoded(one) for key, one in thing.items()} if isinstance(thing, dict) else thing


def encoded(thing):
    if isinstance(thing, bytes):
        return ":" + thing.decode("latin-1")
    if isinstance(thing, list):
        return [encoded(one) for one in thing]
    return {key: encoded(one) for key, one in thing.items()} if isinstance(thing, dict) else thing


def report(field, seed, program, found):
    print("FAIL seed %d: %s" % (seed, found["text"]), flush=True)
    counts = [one.count for one in differences.RULES]
    with impatient():
        small, found = shrink(program, found, field.play)
    for one, count in zip(differences.RULES, counts):
        one.count = count  # what is tried again and again says nothing about how often a rule is needed
    folder = os.path.join(ROOT, "build", "differential")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "%d.json" % seed)
    with open(path, "w") as file:
        json.dump(encoded(small), file)
    print("  shrunk:")
    for step in small["steps"]:
        for line in told(step):
            print("    " + line)
    print("  %s\n  again: make differential ARGS=\"--replay %s\", the whole of it: SEED=%d ARGS=\"--programs 1\"" % (
        found["text"].replace("\n", "\n  "), os.path.relpath(path, ROOT), seed), flush=True)


def told(step):
    if step[0] == "run":
        return ["%d%s> %s" % (step[1], " inline" if form == "inline" else "", b" ".join(
            word if word.isalnum() else repr(word)[1:].encode() for word in words).decode()[:400]) for form, words in step[2]]
    if step[0] == "together":
        return ["together:"] + ["  " + line for couple in step[1] for line in told(["run", *couple])]
    return [" ".join(repr(part) for part in step)]


class Tally:
    def __init__(self, generator):
        self.generator, self.commands, self.counts = generator, 0, {}

    def add(self, program):
        for step in program["steps"]:
            couples = [step[1:]] if step[0] == "run" else step[1] if step[0] == "together" else []
            for _, commands in couples:
                self.commands += len(commands)
                for _, words in commands:
                    name = differences.full_name(words)
                    self.counts[name] = self.counts.get(name, 0) + 1

    def never(self):
        rules = ["rule %s" % one.name for one in differences.RULES if one.count == 0 and not one.rare]
        return rules + ["command %s" % name for name in self.generator.docs if name not in self.counts]


def run(field, args):
    missing, lone, wrong = not_offered(field.servers)
    generator = Generator(documented(field.servers[1]), not_generated(field.servers[1]), lone)
    tally, passed, failures, seen, seed = Tally(generator), 0, 0, set(), args.seed
    print("%d commands, %d of Redis's are not offered yet" % (len(generator.names), len(missing)))
    for name in wrong:
        print("FAIL %s is not listed, but answered" % name)
        failures += 1
    for text in rows_that_differ(field.servers):
        print("FAIL the row of " + text)
        failures += 1
    began = said = time.monotonic()
    while (tally.commands < args.commands if args.programs is None else seed < args.seed + args.programs):
        program = generator.program(seed)
        tally.add(program)
        found = field.play(program)
        if found and any(step[0] == "wait" for step in program["steps"]) and not field.play(program):
            print("seed %d differed once and not again: a key's time ran out in a server that was late" % seed)
            found = None
        if found is None:
            passed += 1
        elif found.get("kind") not in seen or "kind" not in found:
            seen.add(found.get("kind"))
            failures += 1
            report(field, seed, program, found)
            field.again()
        seed += 1
        if failures >= args.failures:
            break
        if time.monotonic() - said > 30:
            said = time.monotonic()
            print("... %d commands, next seed %d" % (tally.commands, seed), flush=True)
    print("%d programs with %d commands in %d s, seeds %d to %d" % (
        seed - args.seed, tally.commands, time.monotonic() - began, args.seed, seed - 1))
    for one in differences.RULES:
        print("  %8d times %s: %s" % (one.count, one.name, one.reason))
    for one in tally.never():
        print("%s %s never came" % ("FAIL" if tally.commands >= LONG_RUN_COMMANDS else "note:", one))
        failures += tally.commands >= LONG_RUN_COMMANDS
    return passed, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=400_000)
    parser.add_argument("--programs", type=int, help="so many programs, whatever they hold")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--options", default="", help="more options for shoal, as one word")
    parser.add_argument("--failures", type=int, default=FAILURES_MAX, help="it stops after so many")
    parser.add_argument("--replay", metavar="FILE")
    args = parser.parse_args()
    print("seed %d" % args.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # no server outlives us
    field = Field(args)
    try:
        if args.replay:
            found = field.play(load(args.replay))
            passed, failures = (0, 1) if found else (1, 0)
            print(found["text"] if found else "no difference")
        else:
            planted_passed, planted_failures = planted.check(field)
            passed, failures = run(field, args)
            passed, failures = passed + planted_passed, failures + planted_failures
    finally:
        bad = field.stop()
    for text in bad:
        print("FAIL " + text)
    print("%d passed, %d failed" % (passed, failures + len(bad)))
    return 1 if failures or bad else 0


if __name__ == "__main__":
    sys.exit(main())
