"""Clients that do not read, and one that asks too much at once: memory stays bounded, others are served,
and in the end every byte is right."""

import select
import threading
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import PROTOCOLS, Wire, rss_bytes, stopped, wait_until

MIB = 1 << 20
REPLIES = 300


def value_of(n):
    return (b"%08d" % n) * (MIB // 8)


def memory_bound(base, server, what):
    grown = rss_bytes(server.process.pid) - base
    if MODE in ("release", "debug"):  # a sanitizer keeps what is freed in quarantine
        assert grown < 64 * MIB, "%s: grew by %d MiB" % (what, grown // MIB)


def unread_replies(server, proto, keys):
    """300 values of 1 MiB asked for by one client that does not read."""
    setter = Wire(server.port, proto)
    for n in range(keys):
        equal(setter.run("SET", "slow:%d" % n, value_of(n)), b"OK")
    base = rss_bytes(server.process.pid)
    slow = Wire(server.port, proto, receive_bytes=65536)
    slow.send(b"".join(proto.request("GET", "slow:%d" % (i % keys)) for i in range(REPLIES)))
    for i in range(200):  # answered although the other has not read yet
        equal(setter.run("INCR", "bystander:%s:%d" % (proto.name, keys)), i + 1)
    memory_bound(base, server, "unread replies")
    for i in range(REPLIES):
        got = slow.read()
        assert got == value_of(i % keys), "reply %d is another" % i
    slow.close()
    setter.close()


def overwritten_while_unread(server, proto):
    """A reply is what the value was, whatever happens to the key before it is read."""
    setter = Wire(server.port, proto)
    slow = Wire(server.port, proto, receive_bytes=65536)
    for n in range(20):
        equal(setter.run("SET", "old:%d" % n, value_of(n)), b"OK")
        slow.send(proto.request("GET", "old:%d" % n) + proto.request("STRLEN", "old:%d" % n))
    time.sleep(0.05)
    for n in range(20):
        setter.send(proto.request("SETRANGE", "old:%d" % n, 0, "X" * 1000)
                    + proto.request("APPEND", "old:%d" % n, "tail") + proto.request("DEL", "old:%d" % n))
        equal([setter.read() for _ in range(3)], [MIB, MIB + 4, 1])
    for n in range(20):
        got, size = slow.read(), slow.read()
        if got is None:  # executed after the DEL, which is allowed once the client is too far behind
            assert size == 0 and n > 0
            continue
        assert len(got) == MIB and got[1000:] == value_of(n)[1000:], "reply %d is torn" % n
        assert got[:1000] in (value_of(n)[:1000], b"X" * 1000)
    slow.close()
    setter.close()


def unsent_bytes(wire, name):
    """What the connection of that name has yet to be sent, as CLIENT LIST has it."""
    for line in wire.run("CLIENT", "LIST").decode().splitlines():
        fields = dict(field.partition("=")[::2] for field in line.split())
        if fields["name"] == name:
            return int(fields["omem"]) + int(fields["obl"])
    return 0


def rest_of_a_request_while_throttled(server, proto):
    """Half a request is read; then nothing is, for its client does not read; the other half comes meanwhile."""
    setter = Wire(server.port)
    equal(setter.run("SET", "half", value_of(1)), b"OK")
    slow = Wire(server.port, proto, receive_bytes=16384)
    equal(slow.run("CLIENT", "SETNAME", "half-" + proto.name), b"OK")
    request = proto.request("GET", "half")
    slow.send(request * 20 + request[:5])
    wait_until("replies are not read", lambda: unsent_bytes(setter, "half-" + proto.name) > MIB)
    slow.send(request[5:] + request * 9)
    for i in range(30):
        got = slow.read()
        assert got == value_of(1), "reply %d is another" % i
    slow.close()
    setter.close()


def many_slow_readers(server):
    """50 clients with 100 unread small and middling replies each; then each reads all."""
    wires = [Wire(server.port, PROTOCOLS[i % 2], receive_bytes=16384) for i in range(50)]
    setter = Wire(server.port)
    sizes = [10, 100, 1000, 5000, 15000, 17000, 40000]
    for size in sizes:
        equal(setter.run("SET", "size:%d" % size, b"s" * size), b"OK")
    base = rss_bytes(server.process.pid)
    rounds = 100
    for wire in wires:
        wire.send(b"".join(wire.proto.request("MGET", "size:%d" % sizes[i % 7], "none", "size:10")
                           for i in range(rounds)))
    for i in range(100):
        equal(setter.run("STRLEN", "size:40000"), 40000)
    memory_bound(base, server, "many slow readers")
    for wire in wires:
        for i in range(rounds):
            got = wire.read()
            assert got == [b"s" * sizes[i % 7], None, b"s" * 10], "reply %d is another" % i
        wire.close()
    setter.close()


def gone_slow_readers(server):
    """They never read and then reset: all the memory comes back."""
    setter = Wire(server.port)
    setter.run("SET", "gone", value_of(1))
    base = rss_bytes(server.process.pid)
    for _ in range(3):
        wires = [Wire(server.port, PROTOCOLS[i % 2], receive_bytes=16384) for i in range(60)]
        for wire in wires:
            wire.send(wire.proto.request("GET", "gone") * 20)
        for wire in wires:
            assert wire.more()
            wire.reset()
    for i in range(100):
        setter.run("INCR", "gone:after")
    memory_bound(base, server, "gone slow readers")
    setter.close()


def send_all_there_is_room_for(wire, data):
    """Bytes that the kernel has taken."""
    wire.socket.setblocking(False)
    sent = 0
    try:
        while sent < len(data):
            sent += wire.socket.send(data[sent:sent + (1 << 16)])
    except BlockingIOError:
        pass
    wire.socket.settimeout(120)
    return sent


def one_deep_pipeline(server, proto):
    """100,000 requests at once by one client, whose last byte comes late, and one by each of fifty others, which do not
    wait for it. The server is stopped while they are sent, so that it finds all of them. How many of the many are run
    first is told only: all that the kernel holds may be, where their key is on the shard of their connection."""
    deep, name = 100000 // SCALE, "flood:" + proto.name
    flood, others = Wire(server.port, proto), [Wire(server.port, PROTOCOLS[i % 2]) for i in range(50)]
    for wire in others + [flood]:
        equal(wire.run("PING"), b"PONG")
    request = proto.request("INCR", name)
    requests = memoryview(request * deep)
    with stopped(server):
        sent = send_all_there_is_room_for(flood, requests[:-1])
        for wire in others:
            wire.send(wire.proto.request("GET", name))
    seen = [int(wire.read() or 0) for wire in others]
    print("%s: %d requests, before the others' turn %d to %d" % (proto.name, sent // len(request), min(seen), max(seen)))
    assert max(seen) < deep
    rest = threading.Thread(target=flood.send, args=(requests[sent:],))
    rest.start()
    equal([flood.read() for _ in range(deep)], list(range(1, deep + 1)))
    rest.join()
    for wire in others + [flood]:
        wire.close()


tests = Tests()
with Server(3, "--maxmemory", "0") as started:
    for protocol in PROTOCOLS:
        tests.run("unread, one value, " + protocol.name, unread_replies, started, protocol, 1)
        tests.run("unread, five values, " + protocol.name, unread_replies, started, protocol, 5)
        tests.run("overwritten while unread, " + protocol.name, overwritten_while_unread, started, protocol)
        tests.run("the rest of a request, " + protocol.name, rest_of_a_request_while_throttled, started, protocol)
        tests.run("one deep pipeline, " + protocol.name, one_deep_pipeline, started, protocol)
    tests.run("many slow readers", many_slow_readers, started)
    tests.run("gone slow readers", gone_slow_readers, started)
    tests.run("a clean end", started.ends_well)
tests.finish()
