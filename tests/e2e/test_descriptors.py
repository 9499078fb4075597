"""Descriptors run out, which the server's own arithmetic prevents unless it is lied to: no spinning, old
clients are served, some new ones are told, and all are accepted again once there is room."""

import os
import resource
import sys
import time

from started import SHOAL, Server, Tests, equal
from wire import Error, Resp, Wire, is_served, wait_until

LIBRARY = os.path.join(os.path.dirname(SHOAL), "tests/preload/keep_nofile.so")
LIMIT, ENOUGH = 40, 1000
CLIENTS = 60
TURNS_MAX = 20  # for a request, with what the shards have to tell each other


def figures(wire, *names):
    lines = wire.run("INFO", "everything").splitlines()
    counted = dict(line.split(b":", 1) for line in lines if b":" in line)
    return [int(counted[name]) for name in names or (b"accept_failures", b"rejected_connections")]


def run_out(server, held):
    """Clients beyond the limit: some are told at once, the others wait to be accepted."""
    wires = [Wire(server.port) for _ in range(CLIENTS)]
    for wire in wires:
        wire.send(Resp.request("GET", "a"))
    wait_until("accepting fails", lambda: figures(held)[0] > 0)
    before, = figures(held, b"turns")
    for _ in range(100):
        equal(held.run("GET", "a"), b"1")
        time.sleep(0.02)  # in which it could turn ten thousand times
    turns = figures(held, b"turns")[0] - before
    print("%d turns" % turns)
    assert turns < 100 * TURNS_MAX, "%d turns for 100 requests" % turns
    failures, rejected = figures(held)
    assert 1 <= rejected <= failures <= 100, "%d failures, %d rejected" % (failures, rejected)
    return wires


def answered(wire):
    wire.socket.settimeout(120)
    try:
        return wire.read()
    except ConnectionResetError:  # refused, and what it had sent was not read
        return Error(b"ERR reset")


def room_is_made_by_clients(server, held):
    wires = run_out(server, held)
    for wire in wires:
        wire.close()
    wait_until("accepting again", lambda: is_served(server.port))


def room_is_made_by_the_limit(server, held):
    wires = run_out(server, held)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (ENOUGH, ENOUGH))
    replies = [answered(wire) for wire in wires]
    rejected = figures(held)[1]
    served = [one for one in replies if not isinstance(one, Error)]
    equal(served, [b"1"] * len(served))
    assert CLIENTS - rejected <= len(served) and len(served) > CLIENTS // 2, (len(served), rejected)
    for wire in wires:
        wire.close()


def main():
    if not os.path.exists(LIBRARY):
        print("not built: with a sanitizer nothing is preloaded")
        sys.exit(77)
    tests = Tests()
    os.environ["LD_PRELOAD"] = LIBRARY
    for function in (room_is_made_by_clients, room_is_made_by_the_limit):
        with Server(3, launcher=("prlimit", "--nofile=%d:%d" % (LIMIT, ENOUGH))) as server:
            held = Wire(server.port)
            equal(held.run("SET", "a", 1), b"OK")
            tests.run(function.__name__, function, server, held)
            equal(held.run("GET", "a"), b"1")
            tests.run("a clean end", server.ends_well)
    tests.finish()


main()
