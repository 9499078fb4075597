"""A connection's first one to three bytes: too few to tell the protocol by. It waits for more, and ends like
any other: closed by its client, reset, or idle for longer than `timeout`."""

import os
import socket
import time

from started import Server, Tests, equal
from wire import Native, Resp, Wire, wait_until

FIRST = [b"", b"\r", b"\n", b"\r\n", b"\n\n", b"\r\n\r", b"P", b"X\r\n", b"*", b"*1", b"*1\r", b"\x00", b"\x05\x00\x00",
         b"\xff\xff\xff"]
TIMEOUT_S = 1


def fds(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def closed_by_the_client(server, end):
    before = fds(server)
    wires = [Wire(server.port) for _ in FIRST]
    for wire, first in zip(wires, FIRST):
        wire.send(first)
    other = Wire(server.port)
    equal(other.run("PING"), b"PONG")
    for wire in wires:
        end(wire)
    wait_until("their descriptors are closed", lambda: fds(server) == before + 1)
    equal(other.run("PING"), b"PONG")
    other.close()
    wait_until("all descriptors are closed", lambda: fds(server) == before)


def half_closed(wire):
    wire.socket.shutdown(socket.SHUT_WR)
    equal(wire.socket.recv(100), b"")
    wire.close()


def completed_later(server):
    """Whatever the first piece was, the rest arrives by the byte and is answered at once."""
    for proto, begin in [(Resp, b""), (Resp, b"\r\n"), (Resp, b"\n"), (Resp, b"\r\n\r\n"), (Native, b"")]:
        wire = Wire(server.port, proto)
        data = begin + proto.request("PING") + proto.request("GET", "none")
        for i in range(len(data)):
            wire.send(data[i:i + 1])
        equal([wire.read(), wire.read()], [b"PONG", None])
        wire.close()
    wire = Wire(server.port)
    wire.send(b"X\r\n")
    wire.send(b"PING\r\n")  # the fourth byte
    assert wire.read().startswith(b"ERR unknown command 'X'")
    equal(wire.read(), b"PONG")
    wire.close()


def idle_for_too_long():
    with Server(2, "--timeout", str(TIMEOUT_S), offset=1) as server:
        start = time.monotonic()
        wires = [Wire(server.port) for _ in FIRST]
        used = Wire(server.port)
        for wire, first in zip(wires, FIRST):
            wire.send(first)
        open_still = set(wires)
        while open_still:
            equal(used.run("PING"), b"PONG")
            for wire in list(open_still):
                wire.socket.settimeout(0.005)
                try:
                    equal(wire.socket.recv(100), b"")
                    open_still.remove(wire)
                except socket.timeout:
                    pass
            assert time.monotonic() - start < 120, "%d are still open" % len(open_still)
        assert time.monotonic() - start >= TIMEOUT_S
        equal(used.run("PING"), b"PONG")
        server.ends_well()


def main():
    tests = Tests()
    with Server(2) as server:
        for end in (Wire.close, Wire.reset, half_closed):
            tests.run("ended by " + end.__name__, closed_by_the_client, server, end)
        tests.run("completed later", completed_later, server)
        tests.run("a clean end", server.ends_well)
    tests.run("idle for too long", idle_for_too_long)
    tests.finish()


main()
