"""Freeing a million keys is done in slices, so that it holds nobody up: their number shows in the turns that the shards
make meanwhile, whatever the machine. How long others wait is measured by bench/peers/pauses.py."""

import os
import subprocess
import time

from started import SCALE, SHOAL, Server, Tests, equal
from wire import Wire

KEYS = 1000 * 1000 // SCALE
SLICES_MIN = KEYS // 10000  # three times as many are known, and more where a slice has time for less
LOOK_SECONDS, LOOKS_MAX = 0.5, 240
OK = b"OK"


def fill(server, *options):
    bench = os.path.join(os.path.dirname(SHOAL), "shoal-bench")
    subprocess.run([bench, "-s", server.socket_path, "-q", "-c", "4", "-P", "100", "-d", "32", "-n", str(KEYS),
                    "-r", str(KEYS), "--key-dist", "seq", "--command", " ".join(("SET __key__ __data__",) + options)],
                   stdout=subprocess.DEVNULL, check=True)


def look(wire):
    """Turns until now, and what is still to be freed."""
    figures = dict(line.split(":", 1) for line in wire.run("INFO", "everything").decode().split("\r\n") if ":" in line)
    return int(figures["turns"]), int(figures["lazyfree_pending_objects"]) + wire.run("DBSIZE")


def look_until_all_is_freed(wire, begin):
    """Looks seldom, since that takes turns too. Returns those made, less what looking has taken."""
    first, second = look(wire)[0], look(wire)[0]
    begin()
    for looks in range(1, LOOKS_MAX + 1):
        time.sleep(LOOK_SECONDS)
        turns, left = look(wire)
        if left == 0:
            return turns - second - looks * (second - first)
    raise AssertionError("%d are left" % left)


def in_slices(what, turns):
    print("%s: %d turns" % (what, turns))
    assert turns >= SLICES_MIN, "%s: %d keys in %d turns" % (what, KEYS, turns)


def a_storm(server, wire):
    """All expire in the same millisecond, which must come after the last of them has been stored."""
    ahead_s, late = 2, True
    while late:
        ahead_s *= 2
        end = time.time() + ahead_s
        equal(wire.run("FLUSHALL"), OK)
        fill(server, "PXAT", str(int(end * 1000)))
        late = wire.run("DBSIZE") < KEYS or time.time() > end
    time.sleep(max(end - LOOK_SECONDS - time.time(), 0))
    in_slices("a storm", look_until_all_is_freed(wire, lambda: time.sleep(max(end - time.time(), 0))))


def a_flush(server, wire, *words):
    fill(server)

    def flush():
        equal(wire.run(*words), OK)
        equal(wire.run("DBSIZE"), 0)
    in_slices(" ".join(words), look_until_all_is_freed(wire, flush))


def a_large_value(server, wire, *words):
    before = look(wire)[1]
    equal(wire.run("SET", "big", b"v" * (64 << 20)), OK)
    wire.run(*words)
    equal((look(wire)[1] - before, wire.run("STRLEN", "big")), (words[0] == "SET", 5 * (words[0] == "SET")))


def the_end(server):
    fill(server)
    server.ends_well()


tests = Tests()
with Server(2, "--maxmemory", "0") as started:
    connection = Wire(started.port)
    tests.run("a storm", a_storm, started, connection)
    for command in ("FLUSHALL",), ("FLUSHALL", "SYNC"), ("FLUSHDB",):
        tests.run(" ".join(command), a_flush, started, connection, *command)
    tests.run("DEL", a_large_value, started, connection, "DEL", "big")
    tests.run("an overwrite", a_large_value, started, connection, "SET", "big", "small")
    connection.close()
    tests.run("the end", the_end, started)
tests.finish()
