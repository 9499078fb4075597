"""Descriptors run out, which the server's own arithmetic prevents unless it is lied to: no spinning, old
clients are served, some new ones are told, and all are accepted again once there is room."""

import os
import resource
import sys
import time

from started import SHOAL, Server, Tests, equal
from wire import Error, Resp, Wire, cpu_seconds, is_served, wait_until

LIBRARY = os.path.join(os.path.dirname(SHOAL), "tests/preload/keep_nofile.so")
LIMIT, ENOUGH = 40, 1000
CLIENTS = 60


def figures(wire):
    lines = wire.run("INFO", "everything").splitlines()
    counted = dict(line.split(b":", 1) for line in lines if b":" in line)
    return int(counted[b"accept_failures"]), int(counted[b"rejected_connections"])


def run_out(server, held):
    """Clients beyond the limit: some are told at once, the others wait to be accepted."""
    wires = [Wire(server.port, timeout=1) for _ in range(CLIENTS)]
    for wire in wires:
        wire.send(Resp.request("GET", "a"))
    pid = server.process.pid
    wait_until("accepting fails", lambda: figures(held)[0] > 0)
    cpu, start = cpu_seconds(pid), time.monotonic()
    while time.monotonic() - start < 2.0:
        equal(held.run("GET", "a"), b"1")
        time.sleep(0.02)
    burnt = cpu_seconds(pid) - cpu
    assert burnt < 0.5, "%.2f CPU seconds in two" % burnt
    failures, rejected = figures(held)
    assert 1 <= rejected <= failures <= 100, "%d failures, %d rejected" % (failures, rejected)
    return wires


def answered(wire):
    wire.socket.settimeout(20)
    try:
        return wire.read()
    except ConnectionResetError:  # refused, and what it had sent was not read
        return Error(b"ERR reset")


def room_is_made_by_clients(server, held):
    wires = run_out(server, held)
    for wire in wires:
        wire.close()
    wait_until("accepting again", lambda: is_served(server.port), 3)


def room_is_made_by_the_limit(server, held):
    wires = run_out(server, held)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (ENOUGH, ENOUGH))
    start = time.monotonic()
    replies = [answered(wire) for wire in wires]
    assert time.monotonic() - start < 10
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
