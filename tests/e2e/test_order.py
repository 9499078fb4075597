"""A pipeline reads its own writes: what follows a transaction over several shards sees all of it."""

from resp_client import Connection
from started import SCALE, Server, Tests, equal

SHARDS = 3
ROUNDS = 200 // SCALE
KEYS = ["order:%d" % i for i in range(8)]


def read_back(client, before, replies, value):
    client.send(before + [("GET", key) for key in KEYS])
    for _ in range(replies):
        client.read()
    equal([client.read() for _ in KEYS], [("$", value)] * len(KEYS))


def after_mset(server):
    # A connection on each reactor: those that are not the sequencer's could be overtaken.
    for client in [Connection(server.port) for _ in range(SHARDS)]:
        for i in range(ROUNDS):
            pairs = [word for key in KEYS for word in (key, "m%d" % i)]
            read_back(client, [("MSET", *pairs)], 1, b"m%d" % i)


def after_exec(server):
    for client in [Connection(server.port) for _ in range(SHARDS)]:
        for i in range(ROUNDS):
            sets = [("SET", key, "e%d" % i) for key in KEYS]
            read_back(client, [("MULTI",), *sets, ("EXEC",)], len(sets) + 2, b"e%d" % i)


def after_del(server):
    for client in [Connection(server.port) for _ in range(SHARDS)]:
        for i in range(ROUNDS):
            sets = [("SET", key, "d%d" % i) for key in KEYS]
            client.send(sets + [("DEL", *KEYS)] + [("EXISTS", key) for key in KEYS])
            for _ in sets:
                client.read()
            equal(client.read(), (":", len(KEYS)))
            equal([client.read() for _ in KEYS], [(":", 0)] * len(KEYS))


def select_in_exec(server):
    for client in [Connection(server.port) for _ in range(SHARDS)]:
        client.send([("MULTI",), ("SELECT", "3"), ("EXEC",), ("SET", "in:3", "x"),
                     ("SELECT", "0"), ("EXISTS", "in:3"), ("SELECT", "3"), ("DEL", "in:3")])
        equal([client.read() for _ in range(8)],
              [("+", b"OK"), ("+", b"QUEUED"), ("*", [("+", b"OK")]), ("+", b"OK"),
               ("+", b"OK"), (":", 0), ("+", b"OK"), (":", 1)])


def main():
    tests = Tests()
    with Server(SHARDS) as server:
        for test in (after_mset, after_exec, after_del, select_in_exec):
            tests.run(test.__name__, test, server)
        tests.run("the server ends well", server.ends_well)
    tests.finish()


main()
