"""Clients that begin requests, stop in the middle, and come again when they are closed: whatever they hold, others that
send values of 100 KB are answered at once, and what requests take stays within its limit."""

import select
import socket
import sys
import threading
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import Native, PROTOCOLS, Resp, Wire, descriptors, wait_until

MB = 1 << 20
LIMIT = 8 * MB
SHARDS = 2
OTHERS, ROUNDS, VALUE = 8, 10, b"o" * 100000
# Measured: 0.1 s beside six busy loops. While they had to wait for hoarders to be closed it was never below 3 s.
SECONDS_MAX = 2 * SCALE
HOARDERS = 40
# Beyond its half: the kernel takes half a megabyte of each at once, before anybody can say that it has to wait.
REQUESTS_MAX, EACH_MAX = LIMIT // 2 + MB, 768 * 1024


class Hoarders(threading.Thread):
    """`count` clients of whom each sends `data`, and sends it again on a new connection when it is closed."""

    def __init__(self, port, count, data):
        super().__init__(daemon=True)
        self.port, self.data, self.ended, self.opened = port, data, False, 0
        self.left = {}
        for _ in range(count):
            self.open()
        self.start()

    def open(self):
        it = socket.create_connection(("127.0.0.1", self.port))
        it.setblocking(False)
        self.left[it] = memoryview(self.data)
        self.opened += 1

    def step(self, it, writable):
        try:
            if writable:
                self.left[it] = self.left[it][it.send(self.left[it][:1 << 17]):]
                return
            if it.recv(1 << 16):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        it.close()
        del self.left[it]
        self.open()

    def run(self):
        while not self.ended:
            unsent = [it for it, left in self.left.items() if left]
            readable, writable, _ = select.select(list(self.left), unsent, [], 0.05)
            for it in readable:
                self.step(it, False)
            for it in writable:
                if it in self.left:
                    self.step(it, True)

    def end(self):
        self.ended = True
        self.join()
        for it in self.left:
            it.close()


class Other(threading.Thread):
    """Asks one thing after the other and notes how long the slowest took."""

    def __init__(self, where, proto, number):
        super().__init__(daemon=True)
        self.wire, self.number = Wire(where, proto, timeout=60), number
        self.slowest, self.done, self.failure = 0, 0, None
        self.start()

    def run(self):
        try:
            for i in range(ROUNDS):
                began = time.monotonic()
                words = ("EX", 100) if i % 2 else ()
                equal(self.wire.run("SET", "other:%d" % self.number, VALUE, *words), b"OK")
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.done += 1
        except (OSError, EOFError, AssertionError) as failure:
            self.failure = failure
        self.wire.close()


def figure(wire, name):
    text = wire.run("INFO", "everything").decode()
    return int(dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)[name])


def quiet(admin):
    wait_until("all are gone", lambda: figure(admin, "connected_clients") == 1
               and figure(admin, "mem_clients_requests") < MB // 4)


def others_go_on(server, admin, count, data):
    """While hoarders hold what they can get."""
    hoarders = Hoarders(server.port, count, data)
    try:
        wait_until("they hold much", lambda: figure(admin, "mem_clients_requests") > LIMIT // 4
                   or figure(admin, "buffer_waiting_clients") > 0)
        received = [0]

        def is_settled():
            time.sleep(0.1)
            received.append(figure(admin, "total_net_input_bytes"))
            return received[-1] - received[-2] < 1 << 16
        wait_until("they have stopped", is_settled)
        others = [Other(server.socket_path if i % 4 == 3 else server.port, PROTOCOLS[i % 2], i) for i in range(OTHERS)]
        most = 0
        while any(other.is_alive() for other in others):
            most = max(most, figure(admin, "mem_clients_requests"))
            time.sleep(0.01)
    finally:
        hoarders.end()
    slowest = max(other.slowest for other in others)
    print("    slowest %.3f s, at most %.1f MB of requests, %d connections of hoarders" % (
        slowest, most / MB, hoarders.opened))
    for other in others:
        assert other.failure is None, "after %d values: %r" % (other.done, other.failure)
    assert slowest < SECONDS_MAX, "%.1f s" % slowest
    assert most < REQUESTS_MAX + count * min(EACH_MAX, len(data)), "%.1f MB of requests" % (most / MB)
    quiet(admin)


def begun(size, declared, proto=Resp, *behind):
    """The first `size` bytes of a SET of `declared`, or less than all by -size."""
    return proto.request("SET", "hoard", b"h" * declared, *behind)[:size]


if MODE == "tiny":
    print("the tiny build keeps so little for a connection that there is never too much")
    sys.exit(77)
descriptors(2000)
tests = Tests()
with Server(SHARDS, "--maxmemory", "256mb", "--maxmemory-clients", "%d" % LIMIT) as started:
    control = Wire(started.port)
    for name, number, hoard in (
            ("all but the end of a large value", HOARDERS, begun(-100, MB)),
            ("the same in native frames", HOARDERS, begun(-100, MB, Native)),
            ("the beginning of a large value", HOARDERS, begun(20000, MB)),
            ("all but the end of a small value", 5 * HOARDERS, begun(-100, 100000)),
            ("a small value without what is behind it", 5 * HOARDERS, begun(-8, 100000, Resp, "EX", 100)),
            ("requests that never reserve", 10 * HOARDERS, begun(-100, 60000)),
            ("more than the whole budget", HOARDERS, begun(-100, 2 * LIMIT))):
        print(name, flush=True)
        tests.run(name, others_go_on, started, control, number, hoard)
    tests.run("a clean end", started.ends_well)
tests.finish()
