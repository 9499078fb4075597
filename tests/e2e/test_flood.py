"""Clients that pipeline without pause: another client of the same shard is answered all the same."""

import os
import signal
import socket
import threading
import time

from started import SCALE, Server, Tests, equal
from wire import Resp, Wire

PINGS, SECONDS = 2000 // SCALE, 8  # as many as there is time for
# Measured: 0.04 s beside six busy loops. When the flood took all receive buffers each turn it was 59 s and more.
SECONDS_MAX = 2 * SCALE


def flood(port):
    """A hundred thousand GETs at a time, in a process of its own; its replies are read and dropped."""
    pid = os.fork()
    if pid:
        return pid
    try:
        wire = socket.create_connection(("127.0.0.1", port))
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        data = Resp.request("GET", "a") * 100000

        def read():
            while wire.recv(1 << 20):
                pass
        threading.Thread(target=read, daemon=True).start()
        while True:
            wire.sendall(data)
    finally:
        os._exit(0)


def others_are_answered(server, floods):
    children = [flood(server.port) for _ in range(floods)]
    wire, slowest = Wire(server.port, timeout=60), 0
    try:
        time.sleep(0.2)
        before = int(wire.run("INFO", "stats").split(b"total_commands_processed:")[1].split()[0])
        pings, end = 0, time.monotonic() + SECONDS
        while pings < PINGS and time.monotonic() < end:
            began = time.monotonic()
            equal(wire.run("PING"), b"PONG")
            slowest = max(slowest, time.monotonic() - began)
            pings += 1
        flooded = int(wire.run("INFO", "stats").split(b"total_commands_processed:")[1].split()[0]) - before
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    print("    slowest of %d %.3f s, %d requests of others meanwhile" % (pings, slowest, flooded))
    assert flooded > 10 * pings, "%d requests are no flood" % flooded
    assert slowest < SECONDS_MAX, "%.1f s" % slowest


tests = Tests()
with Server(1) as started:
    for count in (1, 4):
        tests.run("%d floods" % count, others_are_answered, started, count)
    tests.run("a clean end", started.ends_well)
tests.finish()
