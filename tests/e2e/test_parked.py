"""Commands that wait on a shard: very many at once beside others, and every way a client can go.

Builds with assertions have two commands for it, DEBUGPARK and DEBUGWAKE; in others this is skipped."""

import os
import signal
import subprocess
import sys
import time

from started import MODE, SCALE, Server, Tests, equal, serve
from wire import Error, Native, Resp, Wire, descriptors, rss_bytes, wait_until


def info(wire, name):
    return int(wire.run("INFO", "clients").decode().partition(name + ":")[2].split()[0])


def has_command():
    with Server(1) as server:
        return not isinstance(Wire(server.port).run("DEBUGWAKE", "a", "b"), Error)


def connected(where, count):
    """So many clients, one after the other: each has been accepted."""
    wires = []
    for _ in range(count):
        wires.append(Wire(where))
        equal(wires[-1].run("PING"), b"PONG")
    return wires


def many(shards):
    """They cost others nothing, and are all woken, each once and in order of arrival."""
    count = min(20000 // SCALE, descriptors(20000 // SCALE + 200) - 200)
    with Server(shards, "--maxclients", str(count + 50)) as server:
        wires = connected(server.socket_path, count)
        other = Wire(server.port)
        for i, wire in enumerate(wires):
            wire.send(Resp.request("PING", i) + Resp.request("DEBUGPARK", "q%d" % (i % 7))
                      + Resp.request("SET", "after%d" % i, i))
        for i, wire in enumerate(wires):
            equal(wire.read(), b"%d" % i)
        wait_until("all wait", lambda: info(other, "blocked_clients") == count)
        for i in range(1000):  # through the 16 receive buffers of a thread
            equal(other.run("SET", "k%d" % (i % 50), i), b"OK")
            equal(other.run("GET", "k%d" % (i % 50)), b"%d" % i)
        equal(other.run("EXISTS", *["after%d" % i for i in range(count)]), 0)
        woken = {}
        for i in range(count):
            other.send(Resp.request("DEBUGWAKE", "q%d" % (i % 7), i))
        for i in range(count):
            equal(other.read(), 1)
        equal(other.run("DEBUGWAKE", "q0", "x"), 0)
        for i, wire in enumerate(wires):
            value = int(wire.read())
            equal(value % 7, i % 7)
            woken.setdefault(value % 7, []).append(value)
            equal(wire.read(), b"OK")
        equal(sorted(v for values in woken.values() for v in values), list(range(count)))
        equal(info(other, "blocked_clients"), 0)
        server.ends_well()


def nobody_waits(wire, keys):
    """Their home knows a moment before the shard does: what that gives away meanwhile is lost."""
    return [wire.run("DEBUGWAKE", "k%d" % i, "x") for i in range(keys)] == [0] * keys


def half_closed():
    """A client that will send nothing more, or has reset, waits for nothing more either."""
    with Server(2) as server:
        other = Wire(server.port)
        for proto in Resp, Native:
            for way in "shutdown", "close", "reset":
                wires = [Wire(server.port, proto) for _ in range(10)]
                for i, wire in enumerate(wires):
                    wire.send(proto.request("DEBUGPARK", "k%d" % i))
                wait_until("they wait", lambda: info(other, "blocked_clients") == 10)
                for wire in wires:
                    if way == "shutdown":
                        wire.socket.shutdown(1)
                    else:
                        getattr(wire, way)()
                wait_until("they have gone", lambda: info(other, "blocked_clients") == 0)
                wait_until("their shard knows", lambda: nobody_waits(other, 10))
                for wire in wires if way == "shutdown" else ():
                    equal(wire.rest(), [])
        server.ends_well()


def killed():
    with Server(2) as server:
        other = Wire(server.port)
        wires = [Wire(server.port) for _ in range(20)]
        for wire in wires:
            equal(wire.run("CLIENT", "SETNAME", "waiting"), b"OK")
            wire.send(Resp.request("DEBUGPARK", "k"))
        wait_until("they wait", lambda: info(other, "blocked_clients") == 20)
        equal(other.run("CLIENT", "KILL", "TYPE", "normal"), 20)
        wait_until("they have gone", lambda: info(other, "blocked_clients") == 0)
        wait_until("their shard knows", lambda: other.run("DEBUGWAKE", "k", "x") == 0)
        server.ends_well()


CHILD = """
import sys
sys.path.insert(0, %r)
from wire import Resp, Wire
wires = []
for i in range(int(sys.argv[2])):
    wires.append(Wire(sys.argv[1]))
    wires[-1].run("PING")
for i, wire in enumerate(wires):
    wire.send(Resp.request("DEBUGPARK", "k%%d" %% (i %% 3)))
print("ready", flush=True)
sys.stdin.read()
"""


def kill_9():
    """Half of the clients die at once; the others are woken."""
    count = 2000 // SCALE
    descriptors(2 * count + 200)
    with Server(2, "--maxclients", str(2 * count + 50)) as server:
        other = Wire(server.port)
        here = os.path.dirname(os.path.abspath(__file__))
        child = subprocess.Popen([sys.executable, "-c", CHILD % here, server.socket_path, str(count)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        equal(child.stdout.readline(), b"ready\n")
        wires = connected(server.socket_path, count)
        for i, wire in enumerate(wires):
            wire.send(Resp.request("DEBUGPARK", "k%d" % (i % 3)))
        wait_until("all wait", lambda: info(other, "blocked_clients") == 2 * count)
        child.send_signal(signal.SIGKILL)
        child.wait()
        wait_until("the dead have gone", lambda: info(other, "blocked_clients") == count)
        for i in range(count):
            equal(other.run("DEBUGWAKE", "k%d" % (i % 3), i), 1)
        for wire in wires:
            wire.read()
        server.ends_well()


def the_end():
    """SIGTERM does not wait for what will not come."""
    server = serve(2, "--shutdown-timeout", "60")
    other = Wire(server.port)
    wires = [Wire(server.port) for _ in range(100)]
    for i, wire in enumerate(wires):
        wire.send(Resp.request("PING") + Resp.request("DEBUGPARK", "k%d" % i))
    wait_until("they wait", lambda: info(other, "blocked_clients") == 100)
    began = time.monotonic()
    server.ends_well()
    assert time.monotonic() - began < 30, "it waited"
    for wire in wires:
        equal(wire.rest(), [b"PONG"])


def memory():
    """What a client that waits costs, and that it comes back."""
    count = 2000 // SCALE
    with Server(1) as server:
        other = Wire(server.port)
        before = None
        for _ in range(3):
            wires = connected(server.socket_path, count)
            for wire in wires:
                wire.send(Resp.request("DEBUGPARK", "k" * 1000))
            wait_until("all wait", lambda: info(other, "blocked_clients") == count)
            if before is None:
                before = rss_bytes(server.process.pid)
            for wire in wires:
                wire.close()
            wait_until("all have gone", lambda: info(other, "blocked_clients") == 0)
        grown = rss_bytes(server.process.pid) - before
        if MODE in ("debug", "tiny"):
            assert grown < 8 << 20, "grew by %d KB" % (grown >> 10)
        server.ends_well()


if not has_command():
    print("this build has no DEBUGPARK")
    sys.exit(77)
tests = Tests()
for number in 1, 2:
    tests.run("many %d" % number, many, number)
for test in half_closed, killed, kill_9, the_end, memory:
    tests.run(test.__name__, test)
tests.finish()
