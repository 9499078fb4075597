"""A data race makes an end-to-end test fail that has seen nothing: when the server ends well and when it is killed.

Runs run-e2e.sh on this same file, with the server that has a race planted (tests/support/planted_race.h) and with
the sound one; ENDING tells the inner run how to end it."""

import os
import subprocess
import sys

from started import MODE, PORT, ROOT, SHOAL, Server, Tests, equal, matches
from wire import Wire

KEYS = ["planted:%d" % i for i in range(40)]  # on both shards


def seen_from_outside(ending):
    """Sees only the replies, which are right."""
    with Server(2) as server:
        wire = Wire(server.port)
        equal(wire.run("MSET", *(word for key in KEYS for word in (key, key))), b"OK")
        equal(wire.run("MGET", *KEYS), [key.encode() for key in KEYS])
        wire.close()
        if ending == "kill":
            server.process.kill()


def run_inner(binary, ending):
    done = subprocess.run(["scripts/run-e2e.sh", binary, __file__], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "ENDING": ending, "E2E_PORT": str(PORT)})
    return done.returncode, done.stdout


def is_reported(ending):
    status, output = run_inner(SHOAL + "-planted", ending)
    matches(output, "WARNING: ThreadSanitizer: data race", "a sanitizer reported of 1 processes",
            "1 passed    1 failed")
    equal(status, 1)


def is_not_reported(ending):
    status, output = run_inner(SHOAL, ending)
    matches(output, "1 passed    0 failed")
    equal(status, 0)


tests = Tests()
if "ENDING" in os.environ:
    tests.run("seen from outside", seen_from_outside, os.environ["ENDING"])
    tests.finish()
if MODE != "tsan":
    print("races are reported in the build for tsan")
    sys.exit(77)
for how in ("stop", "kill"):
    tests.run("a race is reported: " + how, is_reported, how)
    tests.run("a sound server is not: " + how, is_not_reported, how)
tests.finish()
