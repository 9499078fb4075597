"""CLIENT PAUSE: however many wait, CLIENT UNPAUSE still arrives; who goes takes its writes along; the data stays."""

import socket
import time

from resp_client import Connection
from started import Server, Tests, equal

WAIT_SECONDS = 60
CLIENTS = 80  # more than a reactor has receive buffers
VALUE = b"x" * 20000  # and each of these would keep one


def many_paused_clients(server):
    admin = Connection(server.port, timeout=10)
    clients = [Connection(server.port) for _ in range(CLIENTS)]
    equal(admin.run("CLIENT", "PAUSE", "100000", "WRITE"), ("+", b"OK"))
    for i, client in enumerate(clients):
        client.send([("SET", "p:%d" % i, VALUE), ("GET", "p:%d" % i)])
    equal(admin.run("PING"), ("+", b"PONG"))
    equal(admin.run("CLIENT", "UNPAUSE"), ("+", b"OK"))
    for client in clients:
        equal(client.read(), ("+", b"OK"))
        equal(client.read(), ("$", VALUE))


def figure(admin, name):
    for line in admin.run("INFO")[1].decode().splitlines():
        if line.startswith(name + ":"):
            return line.partition(":")[2]
    return None


def until(what, condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def clients_that_go(server):
    """A write that waits for a pause is dropped when its client goes, or closes its side, as from Redis."""
    admin = Connection(server.port, timeout=10)
    for how in ("close", "shut", "kill"):
        equal(admin.run("CLIENT", "PAUSE", "100000", "WRITE"), ("+", b"OK"))
        gone = Connection(server.port, timeout=10)
        (_, number) = gone.run("CLIENT", "ID")
        gone.send([("PING",), ("SET", "gone:" + how, "1"), ("GET", "x"), ("SET", "gone:2:" + how, "1"),
                   ("MULTI",), ("SET", "gone:3:" + how, "1"), ("EXEC",)])
        equal(gone.read(), ("+", b"PONG"))
        staying = Connection(server.port, timeout=10)
        staying.send([("SET", "stays:" + how, "1")])
        until("both wait", lambda: figure(admin, "blocked_clients") == "2")
        if how == "kill":
            equal(admin.run("CLIENT", "KILL", "ID", str(number)), (":", 1))
        elif how == "shut":
            gone.socket.shutdown(socket.SHUT_WR)
        else:
            gone.close()
        until("it is gone although all are paused", lambda: figure(admin, "connected_clients") == "2")
        equal(figure(admin, "blocked_clients"), "1")
        equal(admin.run("CLIENT", "UNPAUSE"), ("+", b"OK"))
        equal(staying.read(), ("+", b"OK"))
        equal(figure(admin, "blocked_clients"), "0")
        staying.close()
        equal(admin.run("EXISTS", "gone:" + how, "gone:2:" + how, "gone:3:" + how), (":", 0))
        equal(admin.run("EXISTS", "stays:" + how), (":", 1))
        until("it has closed", lambda: figure(admin, "connected_clients") == "1")


def data_stays_as_it_is(server):
    """Nothing is freed while clients are paused, and what has expired is not seen."""
    admin = Connection(server.port, timeout=10)
    for how_it_ends in ("unpaused", "by itself"):
        equal(admin.run("FLUSHALL"), ("+", b"OK"))
        equal(admin.run("CONFIG", "RESETSTAT"), ("+", b"OK"))
        for i in range(200):
            admin.run("SET", "e:%d" % i, "x", "PX", "200")
        length = "100000" if how_it_ends == "unpaused" else "1000"
        equal(admin.run("CLIENT", "PAUSE", length, "WRITE"), ("+", b"OK"))
        there = admin.run("DBSIZE")[1]
        assert there > 0
        time.sleep(0.5)  # several rounds of the sweep
        for i in range(200):
            equal(admin.run("GET", "e:%d" % i), ("$", None))
        equal(admin.run("EXISTS", *("e:%d" % i for i in range(200))), (":", 0))
        equal(admin.run("RANDOMKEY"), ("$", None))
        if how_it_ends == "unpaused":
            equal(admin.run("DBSIZE"), (":", there))
            equal(admin.run("CLIENT", "UNPAUSE"), ("+", b"OK"))
        until("what has expired is freed", lambda: admin.run("DBSIZE")[1] == 0)
        equal(figure(admin, "expired_keys"), "200")


def main():
    tests = Tests()
    for features in ("all", "6.1"):
        with Server(1, "--uring-features", features) as server:
            tests.run("paused clients, " + features, many_paused_clients, server)
            tests.run("clients that go, " + features, clients_that_go, server)
            tests.run("the server ends well", server.ends_well)
    with Server(2) as server:
        tests.run("clients that go, two shards", clients_that_go, server)
        tests.run("data stays as it is", data_stays_as_it_is, server)
        tests.run("the server ends well", server.ends_well)
    tests.finish()


main()
