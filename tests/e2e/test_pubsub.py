"""Publish and subscribe: replies as Redis has them, order, slow and dying subscribers, the end."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from started import MODE, PORT, SCALE, Server, Tests, equal, serve
from wire import Native, Push, Resp, Wire, descriptors, rss_bytes, wait_until


def numsub(wire, channel):
    return wire.run("PUBSUB", "NUMSUB", channel)[1]


def rest_of(wire, seconds=0.3):
    """The values that arrive until nothing more does."""
    values = []
    wire.socket.settimeout(seconds)
    try:
        while True:
            here, value = wire.take()
            if here:
                values.append(value)
            elif not wire.more():
                values.append("end")
                break
    except socket.timeout:
        pass
    wire.socket.settimeout(120)
    return values


# ---- replies as Redis has them -------------------------------------------------------------------

# (which of two clients, what it sends in one go); what both have received is compared.
TALK = [
    ("a", "SUBSCRIBE a b c", "PING", "PING x", "GET k", "CLIENT LIST", "SUBSCRIBE a"),
    ("b", "PUBLISH a hello", "PUBLISH none x", "PUBSUB NUMSUB a b q", "PUBSUB NUMPAT"),
    ("a", "PSUBSCRIBE a* h?llo", "UNSUBSCRIBE b nope"),
    ("b", "PUBLISH a hello", "PUBLISH hello 1", "PUBSUB CHANNELS x", "PUBSUB NUMPAT"),
    ("a", "UNSUBSCRIBE a", "UNSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE a*", "PUNSUBSCRIBE", "PING"),
    ("a", "SUNSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE nope"),
    ("a", "MULTI", "SUBSCRIBE m", "PING", "SET k 1", "UNSUBSCRIBE m", "EXEC", "PING"),
    ("a", "MULTI", "SUBSCRIBE m", "DISCARD", "PING"),
    ("a", "SSUBSCRIBE s1 s2", "SUBSCRIBE s1"),
    ("b", "SPUBLISH s1 hi", "PUBLISH s1 no", "PUBSUB SHARDCHANNELS s2", "PUBSUB SHARDNUMSUB s1 s3"),
    ("a", "SUNSUBSCRIBE s1", "SUNSUBSCRIBE", "RESET", "PING", "GET k"),
    ("b", "MULTI", "PUBLISH a 1", "SET k 2", "PUBLISH a 2", "EXEC"),
    ("b", "SUBSCRIBE", "PUBSUB FOO", "PUBSUB CHANNELS a b", "PUBLISH a", "PUBSUB", "SPUBLISH a"),
    ("a", "HELLO 3", "SUBSCRIBE a b", "GET k", "PING", "MULTI", "PING", "EXEC"),
    ("b", "PUBLISH a hello", "MULTI", "PUBLISH b 1", "PUBLISH a 2", "EXEC"),
    ("a", "CLIENT REPLY OFF", "SUBSCRIBE z", "GET k", "UNSUBSCRIBE z", "CLIENT REPLY ON"),
    ("a", "PSUBSCRIBE *", "UNSUBSCRIBE a"),
    ("b", "PUBLISH a hello", "PUBLISH b hello"),
    ("a", "RESET", "PING"),
    ("b", "PUBSUB CHANNELS", "SUBSCRIBE x", "MULTI", "HELLO 3", "QUIT"),
]


def talk(port, wanted=None):
    """What both clients hear of each turn: as many values as wanted, or until there are no more."""
    clients = [Wire(port), Wire(port)]
    heard = []
    for number, (who, *lines) in enumerate(TALK):
        clients["ab".index(who)].send(b"".join(Resp.request(*line.split()) for line in lines))
        if wanted is None:
            heard.append([rest_of(wire, 0.2) for wire in clients])
        else:
            heard.append([[wire.read() for value in values if value != "end"]
                          + ["end"] * values.count("end")
                          for wire, values in zip(clients, wanted[number])])
    equal([rest_of(wire, 0.1) for wire in clients][0], [])
    return heard



def without_hello(values):
    """It has words that are each server's own."""
    return [v for v in values if not (isinstance(v, list) and b"proto" in v)]


def same_as_redis():
    folder = tempfile.mkdtemp()
    redis = subprocess.Popen(["redis-server", "--port", str(PORT + 5), "--save", "", "--dir", folder],
                             stdout=subprocess.DEVNULL)
    try:
        wait_until("redis-server listens", lambda: listens(PORT + 5))
        wanted = talk(PORT + 5)
        for shards in 1, 3:
            with Server(shards) as server:
                got = talk(server.port, wanted)
            for turn, mine, its in zip(TALK, got, wanted):
                equal([turn] + [without_hello(v) for v in mine],
                      [turn] + [without_hello(v) for v in its])
    finally:
        redis.terminate()
        redis.wait()
        shutil.rmtree(folder)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


# ---- order ---------------------------------------------------------------------------------------

def order_per_publisher(shards):
    """Every subscriber hears all of each publisher, in its order, beside pipelines of commands."""
    subscribers, publishers, messages = 12, 4, 2000 // SCALE
    with Server(shards) as server:
        listening = [Wire(server.port, receive_bytes=65536) for _ in range(subscribers)]
        for i, wire in enumerate(listening):
            if i % 3 == 2:
                equal(wire.run("PSUBSCRIBE", "ch*"), [b"psubscribe", b"ch*", 1])
            else:
                equal(wire.run("SUBSCRIBE", "ch"), [b"subscribe", b"ch", 1])
        failures = []

        def publish(number):
            wire = Wire(server.port)
            at = 0
            while at < messages:
                count = min(random.randint(1, 50), messages - at)
                wire.send(b"".join(Resp.request("SET", "k%d" % random.randrange(100), at + i)
                                   + Resp.request("PUBLISH", "ch", "%d %d" % (number, at + i))
                                   for i in range(count)))
                for _ in range(count):
                    if (wire.read(), wire.read()) != (b"OK", subscribers):
                        failures.append("a reply of the publisher")
                at += count
            wire.close()

        threads = [threading.Thread(target=publish, args=(n,)) for n in range(publishers)]
        for thread in threads:
            thread.start()
        for wire in listening:
            following = [0] * publishers
            for _ in range(publishers * messages):
                number, index = map(int, wire.read()[-1].split())
                equal((number, index), (number, following[number]))
                following[number] += 1
        for thread in threads:
            thread.join()
        equal(failures, [])
        for wire in listening:
            equal(rest_of(wire, 0.05), [])
        server.ends_well()


def answered_means_known():
    """What is published after the answer to SUBSCRIBE was read arrives, whoever publishes; after the one
    to UNSUBSCRIBE nobody counts the client."""
    with Server(4) as server:
        publishers = [Wire(server.port) for _ in range(8)]
        for round_ in range(400 // SCALE):
            wire = Wire(server.port)
            channel = "c%d" % (round_ % 3)
            equal(wire.run("SUBSCRIBE", channel), [b"subscribe", channel.encode(), 1])
            equal(random.choice(publishers).run("PUBLISH", channel, round_), 1)
            equal(wire.read(), [b"message", channel.encode(), b"%d" % round_])
            equal(wire.run("UNSUBSCRIBE"), [b"unsubscribe", channel.encode(), 0])
            equal([numsub(p, channel) for p in publishers], [0] * len(publishers))
            wire.close()
        server.ends_well()


def natively():
    with Server(2) as server:
        wire, publisher = Wire(server.port, Native), Wire(server.port, Native)
        equal(wire.run("SUBSCRIBE", "a", "b"), [[b"subscribe", b"a", 1], [b"subscribe", b"b", 2]])
        equal(publisher.run("PUBLISH", "b", "x"), 1)
        pushed = wire.read()
        equal((type(pushed), pushed), (Push, [b"message", b"b", b"x"]))
        equal(wire.run("GET", "k"), None)
        equal(wire.run("UNSUBSCRIBE", "a"), [[b"unsubscribe", b"a", 1]])
        server.ends_well()


# ---- those that do not read, or die --------------------------------------------------------------

def slow_subscribers():
    """They are closed by the limit; all others hear everything, and memory comes back."""
    slow_count, count, size = 5, 60 // SCALE + 5, 20000
    with Server(3, "--client-output-buffer-limit", "pubsub 4mb 0 0") as server:
        publisher = Wire(server.port)
        base = rss_bytes(server.process.pid)
        slow = [Wire(server.port, receive_bytes=4096) for _ in range(slow_count)]
        quick = [Wire(server.port) for _ in range(count)]
        for wire in slow + quick:
            wire.run("SUBSCRIBE", "a")
        text, sent, heard = "m" * size, 0, 0

        def closed():
            info = publisher.run("INFO", "stats").decode()
            return int(info.partition("client_output_buffer_limit_disconnections:")[2].split()[0])

        while closed() < slow_count and sent < 5000:
            for _ in range(10):
                publisher.send(Resp.request("PUBLISH", "a", "%d %s" % (sent, text)))
                sent += 1
            for _ in range(10):
                publisher.read()
            for wire in quick:
                for i in range(heard, sent):
                    equal(wire.read()[2].partition(b" ")[0], b"%d" % i)
            heard = sent
        equal(closed(), slow_count)
        equal(numsub(publisher, "a"), count)
        for wire in quick:
            equal(wire.run("PING"), [b"pong", b""])
        if MODE in ("release", "debug"):
            grown = rss_bytes(server.process.pid) - base
            assert grown < 48 << 20, "grew by %d MiB" % (grown >> 20)
        server.ends_well()


CHILD = """
import sys
sys.path.insert(0, %r)
from wire import Wire
wires = [Wire(int(sys.argv[1])) for _ in range(int(sys.argv[2]))]
for i, wire in enumerate(wires):
    wire.run("SUBSCRIBE", "a", "own%%d" %% i)
    wire.run("PSUBSCRIBE", "p%%d*" %% (i %% 5))
print("ready", flush=True)
sys.stdin.read()
"""


def killed_subscribers():
    count = 300 // SCALE
    descriptors(count + 100)
    with Server(3) as server:
        publisher = Wire(server.port)
        for _ in range(2):
            child = subprocess.Popen([sys.executable, "-c", CHILD % os.path.dirname(os.path.abspath(__file__)),
                                      str(server.port), str(count)],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            equal(child.stdout.readline(), b"ready\n")
            equal(publisher.run("PUBLISH", "a", "x"), count)
            equal(len(publisher.run("PUBSUB", "CHANNELS")), count + 1)
            equal(publisher.run("PUBSUB", "NUMPAT"), min(5, count))
            child.send_signal(signal.SIGKILL)
            child.wait()
            wait_until("all are gone", lambda: numsub(publisher, "a") == 0)
            wait_until("their channels too", lambda: publisher.run("PUBSUB", "CHANNELS") == [])
            wait_until("and patterns", lambda: publisher.run("PUBSUB", "NUMPAT") == 0)
        server.ends_well()


def the_end_comes_for_subscribers():
    server = serve(2, "--shutdown-timeout", "20")
    wires = [Wire(server.port) for _ in range(50)]
    for wire in wires:
        wire.run("SUBSCRIBE", "a")
    Wire(server.port).run("PUBLISH", "a", "x")
    began = time.monotonic()
    server.ends_well()
    assert time.monotonic() - began < 10, "it took as long as shutdown-timeout allows"
    for wire in wires:
        equal(wire.rest(), [[b"message", b"a", b"x"]])


def figures():
    with Server(3) as server:
        wire, other = Wire(server.port), Wire(server.port)
        wire.run("CLIENT", "SETNAME", "listener")
        for words in ("SUBSCRIBE", "a"), ("PSUBSCRIBE", "p*"), ("SSUBSCRIBE", "s"):
            wire.run(*words)
        info = other.run("INFO").decode()
        for line in ("pubsub_channels:1", "pubsub_patterns:1", "pubsubshard_channels:1",
                     "pubsub_clients:1"):
            assert "\r\n%s\r\n" % line in info, "no %s" % line
        mine = [line for line in other.run("CLIENT", "LIST", "TYPE", "pubsub").decode().splitlines()]
        equal(len(mine), 1)
        assert "name=listener" in mine[0] and "flags=P" in mine[0], mine
        assert "sub=1 psub=1 ssub=1" in mine[0], mine
        equal(len(other.run("CLIENT", "LIST", "TYPE", "normal").decode().splitlines()), 1)
        equal(other.run("CLIENT", "KILL", "TYPE", "pubsub"), 1)
        wait_until("it is gone", lambda: other.run("PUBSUB", "NUMPAT") == 0)
        server.ends_well()


tests = Tests()
if shutil.which("redis-server"):
    tests.run("same_as_redis", same_as_redis)
else:
    tests.skipped += 1
for number in 1, 2, 4:
    tests.run("order_per_publisher %d" % number, order_per_publisher, number)
for test in (answered_means_known, natively, slow_subscribers, killed_subscribers,
             the_end_comes_for_subscribers, figures):
    tests.run(test.__name__, test)
tests.finish()
