#!/usr/bin/python3
"""redis-benchmark against a started server: that it runs and that every request is answered well."""

import csv
import io
import shutil
import subprocess
import sys

from started import SCALE, Server, Tests, equal, matches

SECONDS = 300
REQUESTS = 20_000 // SCALE
PASSWORD = "correct horse"


def measure(where, *words):
    """Requests per second by test; redis-benchmark ends with a status on the first error reply."""
    done = subprocess.run(["redis-benchmark", *where, "--csv", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=SECONDS, stdin=subprocess.DEVNULL)
    text, complaints = done.stdout.decode(), done.stderr.decode()
    equal((done.returncode, complaints), (0, ""))
    assert "rror" not in text, text
    rows = list(csv.DictReader(io.StringIO(text)))
    return {row["test"]: float(row["rps"]) for row in rows}


def keys_in(where, database="0"):
    return int(subprocess.check_output(["redis-cli", *where, "-n", database, "dbsize"]))


def default_tests(where):
    """Those whose commands a server of strings has."""
    rates = measure(where, "-t", "ping,set,get,incr,mset", "-n", str(REQUESTS))
    equal(sorted(rates), ["GET", "INCR", "MSET (10 keys)", "PING_INLINE", "PING_MBULK", "SET"])
    assert min(rates.values()) > 0, rates


def pipelined_over_many_keys(where):
    measure(where, "-t", "set,get,incr", "-n", str(REQUESTS * 4), "-P", "16", "-r", "100000",
            "-d", "64")
    assert keys_in(where) > 1000


def resp3_and_threads(where):
    measure(where, "-3", "-t", "set,get", "-n", str(REQUESTS), "-P", "8", "--threads", "2",
            "-r", "1000")


def big_values(where):
    measure(where, "-t", "set,get", "-n", str(400 // SCALE), "-d", "200000", "-c", "5", "-P", "4",
            "-r", "10")


def own_command_in_another_database(where):
    rates = measure(where, "--dbnum", "7", "-n", str(REQUESTS), "-P", "4", "-r", "1000", "setex",
                    "k:__rand_int__", "100", "value")
    equal(len(rates), 1)
    assert 500 < keys_in(where, "7") <= 1000
    equal(keys_in(where), 0)


TESTS = [default_tests, pipelined_over_many_keys, resp3_and_threads, big_values,
         own_command_in_another_database]


def with_a_password(where):
    measure([*where, "-a", PASSWORD], "-t", "set", "-n", "1000")
    done = subprocess.run(["redis-benchmark", *where, "-t", "set", "-n", "1000", "-q"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    matches(done.stdout.decode(), "NOAUTH Authentication required.")


def on_an_empty_server(function, where):
    equal(subprocess.check_output(["redis-cli", *where, "flushall"]), b"OK\n")
    function(where)


def main():
    if shutil.which("redis-benchmark") is None:
        print("no redis-benchmark (Debian package redis-tools)")
        sys.exit(77)
    tests = Tests()
    for offset, shards in enumerate((1, 3)):
        with Server(shards, offset=offset) as server:
            for where in ["-p", str(server.port)], ["-s", server.socket_path]:
                for function in TESTS:
                    name = "%s (%d shards, %s)" % (function.__name__, shards, where[0])
                    tests.run(name, on_an_empty_server, function, where)
            tests.run("the server ends well (%d shards)" % shards, server.ends_well)
    with Server(2, "--requirepass", PASSWORD, offset=2) as server:
        tests.run("with_a_password", with_a_password, ["-p", str(server.port)])
    tests.finish()


main()
