"""Paused clients hold no receive buffer: however many they are, CLIENT UNPAUSE still arrives."""

from resp_client import Connection
from started import Server, Tests, equal

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


def main():
    tests = Tests()
    for features in ("all", "6.1"):
        with Server(1, "--uring-features", features) as server:
            tests.run("paused clients, " + features, many_paused_clients, server)
            tests.run("the server ends well", server.ends_well)
    tests.finish()


main()
