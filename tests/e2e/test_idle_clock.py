"""What arrives after a long wait sees the time of its arrival, not of the turn before the wait."""

import time

from resp_client import Connection
from started import PORT, Server, Tests

IDLE_SECONDS, TTL_MS = 2, 1500


def keys_live_as_long_as_they_should(client):
    client.run("PING")
    time.sleep(IDLE_SECONDS)  # the wait is what is tested
    keys = [b"k%d" % i for i in range(200)]
    client.send([("SET", key, "v", "PX", str(TTL_MS)) for key in keys])
    for _ in keys:
        client.read()
    client.send([("PTTL", key) for key in keys])
    left = [client.read()[1] for _ in keys]
    assert min(left) > TTL_MS / 2, "some keys have %d ms left of %d" % (min(left), TTL_MS)


def main():
    tests = Tests()
    for shards in (1, 3):
        with Server(shards) as server:
            client = Connection(PORT)
            tests.run("keys_live_as_long_as_they_should, %d shards" % shards,
                      keys_live_as_long_as_they_should, client)
            client.close()
            tests.run("the server ends well", server.ends_well)
    tests.finish()


main()
