"""How the server ends and begins: SIGTERM and kill -9 under load, stop after stop, and what a stopped
server owes its clients: whole replies, or nothing.

That an end is waited for by nobody is seen from the server's own patience, not from a clock: where it may wait for
PATIENT seconds it ends long before Server.stop() gives up, or has been held up."""

import collections
import os
import random
import select
import signal
import socket
import sys
import threading
import time

from started import MODE, SCALE, STOP_SECONDS, Server, Tests, equal
from wire import PROTOCOLS, Error, Resp, Torn, Wire, descriptors, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
STOPS = 40 if SCALE == 1 else 20
PATIENT = ("--shutdown-timeout", "3600")
LOADED, LOAD_SECONDS = 5000 // SCALE, 120  # replies that make a load, and how long they may take
CUT_OFF = "were cut off at the end of shutdown-timeout"


class Load:
    """Clients that pipeline without pause and check every reply, until the server closes them."""

    def __init__(self, port, clients, seed):
        self.rng = random.Random(seed)
        self.wires = [Wire(port, PROTOCOLS[i % 2]) for i in range(clients)]
        self.wanted = {wire: collections.deque() for wire in self.wires}
        self.sending = dict.fromkeys(self.wires, b"")
        self.replies = self.cut = 0
        for wire in self.wires:
            wire.socket.setblocking(False)
        self.value = b"v" * 30000

    def batch(self, wire):
        rng, request, wanted = self.rng, wire.proto.request, self.wanted[wire]
        data = []
        for _ in range(rng.randrange(1, 40)):
            kind, n = rng.randrange(7), rng.randrange(1000)
            if kind == 0:
                data.append(request("SET", "big:%d" % n, self.value))
                wanted.append(lambda got: got == b"OK")
            elif kind == 1:
                data.append(request("GET", "big:%d" % n))
                wanted.append(lambda got: got in (None, self.value))
            elif kind == 2:
                data.append(request("MSET", *sum((["m:%d:%d" % (n, i), n] for i in range(5)), [])))
                wanted.append(lambda got: got == b"OK")
            elif kind == 3:
                data.append(request("MGET", *("m:%d:%d" % (n, i) for i in range(5))))
                wanted.append(lambda got: isinstance(got, list) and len(got) == 5)
            elif kind == 4:
                data += [request("WATCH", "w%d" % n), request("MULTI"), request("INCR", "t:%d" % n),
                         request("INCR", "u:%d" % n), request("EXEC")]
                wanted.extend([lambda got: got == b"OK"] * 2 + [lambda got: got == b"QUEUED"] * 2)
                wanted.append(lambda got: got is None or len(got) == 2)
            else:
                data.append(request("INCR", "n:%d" % n))
                wanted.append(lambda got: isinstance(got, int))
        return b"".join(data)

    def begin(self):
        """Until all are busy and much has been answered."""
        assert self.run(lambda: self.replies >= LOADED), "%d replies" % self.replies

    def is_closed(self):
        """Until all have been closed."""
        return not self.run(lambda: not self.wires)

    def run(self, is_enough):
        """Loads until then; raises on a wrong reply. False when all have been closed."""
        end = time.monotonic() + LOAD_SECONDS
        sending = self.sending  # a batch of which a part is sent is gone on with by the next run
        while self.wires and not is_enough() and time.monotonic() < end:
            readable, writable, _ = select.select(self.wires, self.wires, [], 0.05)
            for wire in writable:
                if not sending[wire] and len(self.wanted[wire]) < 500:
                    sending[wire] = self.batch(wire)
                try:
                    sending[wire] = sending[wire][wire.socket.send(sending[wire]):]
                except BlockingIOError:
                    pass
                except (BrokenPipeError, ConnectionResetError):
                    pass  # what was answered before can still be read
            for wire in readable:
                self.read(wire)
        return bool(self.wires)

    def read(self, wire):
        try:
            alive = wire.more()
        except ConnectionResetError:
            alive = False
        while True:
            here, got = wire.take()
            if not here:
                break
            if not self.wanted[wire].popleft()(got):
                raise AssertionError("a wrong reply: %.200r" % (got,))
            self.replies += 1
        if not alive:
            self.cut += wire.at != len(wire.data)
            self.wires.remove(wire)


def stop_under_load(shards):
    """Exit status 0; every client has whole replies and nothing else."""
    for run in range(3):
        with Server(shards, *PATIENT) as server:
            load = Load(server.port, 20, SEED + run)
            load.begin()
            server.process.send_signal(signal.SIGTERM)
            assert load.is_closed(), "%d clients were not closed" % len(load.wires)
            equal(load.cut, 0)
            server.process.wait(STOP_SECONDS)
            server.ends_well()


def rest_unless_reset(wire):
    try:
        return wire.rest()
    except ConnectionResetError:
        raise Torn("reset with %d bytes of a reply" % (len(wire.data) - wire.at)) from None


def big_replies_at_the_end():
    """Clients that are in the middle of megabytes get the rest of them."""
    with Server(3) as server:
        value = b"0123456789abcdef" * (1 << 18)
        wires = [Wire(server.port, PROTOCOLS[i % 2], receive_bytes=32768) for i in range(8)]
        equal(wires[0].run("SET", "value", value), b"OK")
        for wire in wires:
            wire.send(wire.proto.request("GET", "value") * 3)
            wire.more()
        server.process.send_signal(signal.SIGTERM)
        wait_until("stopping", lambda: any("stopping" in line for line in server.output))
        for wire in wires:
            # More requests behind those that are answered: they are lost, what was answered is not.
            try:
                wire.send(wire.proto.request("GET", "value") * 20)
            except OSError:
                pass
        for wire in wires:
            got = rest_unless_reset(wire)
            assert len(got) >= 1 and all(one == value for one in got), [len(one) for one in got]
        server.process.wait(STOP_SECONDS)
        server.ends_well()


def delivered_at_the_end():
    """Replies that are in the kernel's hands reach a client that goes on sending before it reads."""
    with Server(3) as server:
        value = b"0123456789abcdef" * 4096
        wires = [Wire(server.port, PROTOCOLS[i % 2], receive_bytes=8192) for i in range(8)]
        equal(wires[0].run("SET", "value", value), b"OK")
        for wire in wires:
            wire.send(wire.proto.request("GET", "value") * 8)
            assert wire.more()
        equal(Wire(server.port).run("PING"), b"PONG")
        server.process.send_signal(signal.SIGTERM)
        wait_until("stopping", lambda: any("stopping" in line for line in server.output))
        time.sleep(0.05)  # time for the server to take leave, if it does not wait
        for wire in wires:
            try:
                wire.send(wire.proto.request("GET", "value") * 8)
            except OSError:
                pass
        for wire in wires:
            got = rest_unless_reset(wire)
            assert len(got) == 8 and all(one == value for one in got), [len(one) for one in got]
        server.process.wait(STOP_SECONDS)
        server.ends_well()


def never_read():
    """Nor do clients that never read hold up the end for longer than shutdown-timeout, whether the kernel takes their
    replies or not."""
    with Server(3, "--shutdown-timeout", "1") as server:
        wires = [Wire(server.port, PROTOCOLS[i % 2], receive_bytes=8192) for i in range(8)]
        equal(wires[0].run("SET", "value", b"v" * 65536), b"OK")
        for wire in wires:
            wire.send(wire.proto.request("GET", "value") * 8)
            assert wire.more()
        server.ends_well()
        assert any(CUT_OFF in line for line in server.output), server.output


def stop_and_start():
    """Stop after stop with clients in every state; a new one listens on the same port at once."""
    rng = random.Random(SEED)
    for _ in range(STOPS):
        with Server(rng.choice((1, 2, 3, 5)), *PATIENT) as server:
            wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(12)]
            for i, wire in enumerate(wires):
                request = wire.proto.request
                wire.send((b"", request("WATCH", "a%d" % i, "b", "c", "d"),
                           request("MULTI") + request("SET", "a", 1) + request("SET", "b", 1),
                           request("SET", "a", 1)[:-4], request("GET", "b") * 500,
                           request("MULTI") + request("INCR", "c") + request("INCR", "d") + request("EXEC"),
                           )[i % 6])
                if i % 4 == 0:
                    wire.read() if i % 6 in (1, 2, 4, 5) else None
                if i % 7 == 3:
                    wire.reset()
            server.ends_well()
            for wire in wires:
                wire.close()


def killed_under_load():
    """What it leaves behind is in nobody's way: the next one begins on the same port and path."""
    for run in range(5):
        with Server(3) as server:
            load = Load(server.port, 50, SEED + run)
            load.begin()
            server.process.kill()
            server.process.wait()


def paused_at_the_end():
    """A paused client's command is not waited for."""
    with Server(3, *PATIENT) as server:
        admin, wires = Wire(server.port), [Wire(server.port) for _ in range(6)]
        equal(admin.run("SET", "a", 1), b"OK")
        equal(admin.run("CLIENT", "PAUSE", 3600000, "ALL"), b"OK")
        for wire in wires:
            wire.send(Resp.request("GET", "a") + Resp.request("MSET", "x", 1, "y", 2, "z", 3))
        server.ends_well()


tests = Tests()
print("seed %d" % SEED)
tests.run("SIGTERM under load, 3 shards", stop_under_load, 3)
tests.run("SIGTERM under load, 1 shard", stop_under_load, 1)
tests.run("big replies at the end", big_replies_at_the_end)
if MODE != "tiny":  # there not all of the requests are answered before the end
    tests.run("delivered at the end", delivered_at_the_end)
tests.run("never read", never_read)
tests.run("stop and start", stop_and_start)
tests.run("kill -9 under load", killed_under_load)
tests.run("paused at the end", paused_at_the_end)
tests.finish()
