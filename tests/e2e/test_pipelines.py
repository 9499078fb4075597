"""Order, size and framing on both protocols: long pipelines in odd pieces, 64 MB values, frames cut
at every byte, garbage, half-closed clients."""

import hashlib
import os
import random
import select
import socket
import struct
import time

from started import SCALE, Server, Tests, equal
from wire import PROTOCOLS, Error, Native, Resp, Torn, Wire

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
DEEP = 2000
BIG = 64 * 1024 * 1024 if SCALE == 1 else 24 * 1024 * 1024


def pieces(rng, data):
    """`data` in pieces from one byte to a few thousand."""
    at = 0
    while at < len(data):
        size = rng.choice((1, 2, 3, 7, 64, 500, 1460, 5000, 40000))
        yield data[at:at + size]
        at += size


def exchange(wire, chunks, count):
    """Sends the pieces while reading the replies, so that neither side has to wait for the other."""
    replies, chunks, sending = [], iter(chunks), b""
    wire.socket.setblocking(False)
    while len(replies) < count:
        if not sending:
            sending = next(chunks, b"")
        readable, writable, _ = select.select([wire], [wire] if sending else [], [], 60)
        if not readable and not writable:
            raise AssertionError("%d of %d replies, and silence" % (len(replies), count))
        if writable:
            sending = sending[wire.socket.send(sending):]
        if readable and not wire.more():
            raise EOFError("closed after %d of %d replies" % (len(replies), count))
        while readable:
            here, value = wire.take()
            if not here:
                break
            replies.append(value)
    wire.socket.settimeout(60)
    return replies


def in_order(server, proto):
    rng = random.Random(SEED)
    keys = [b"order:%s:%d" % (proto.name.encode(), i) for i in range(DEEP)]
    wire = Wire(server.port, proto)
    sets = b"".join(proto.request("SET", key, b"value of " + key) for key in keys)
    equal(exchange(wire, pieces(rng, sets), DEEP), [b"OK"] * DEEP)
    gets = b"".join(proto.request("GET", key) for key in keys)
    equal(exchange(wire, pieces(rng, gets), DEEP), [b"value of " + key for key in keys])
    # Commands of one key in one pipeline see each other; those of several shards are in place too.
    mixed, wanted = [], []
    for i, key in enumerate(keys):
        mixed += [proto.request("SET", key, i), proto.request("INCR", key),
                  proto.request("MGET", key, keys[i - 1], "none"), proto.request("DEL", key),
                  proto.request("NOSUCH"), proto.request("EXISTS", key)]
        wanted += [b"OK", i + 1, [b"%d" % (i + 1), None if i else b"value of " + keys[-1], None], 1,
                   Error, 0]
    got = exchange(wire, pieces(rng, b"".join(mixed)), len(wanted))
    for one, want in zip(got, wanted):
        if want is Error:
            assert isinstance(one, Error), one
        else:
            equal(one, want)
    wire.close()


def big_value(server, proto):
    value = hashlib.sha512(b"%d" % SEED).digest() * (BIG // 64)
    wire = Wire(server.port, proto, timeout=120)
    for key in ("big:a", "big:b", "big:c"):  # not all on one shard
        equal(wire.run("SET", key, value), b"OK")
        equal(wire.run("STRLEN", key), len(value))
        got = wire.run("GET", key)
        assert got == value, "another value of %d bytes came back" % len(got)
        equal(wire.run("GETRANGE", key, BIG - 10, -1), value[-10:])
        equal(wire.run("DEL", key), 1)
    wire.close()


def cut_anywhere(server, proto):
    """One connection per cut: first part, a round trip of somebody else, second part."""
    stream = b"".join((
        proto.request("SET", "cut", "a\r\nb\0c"), proto.request("GET", "cut"),
        proto.request("MGET", "cut", "x{1}", "y{2}", "z{3}"), proto.request("DEL", "cut"),
        proto.request("GET", "cut")))
    wanted = [b"OK", b"a\r\nb\0c", [b"a\r\nb\0c", None, None, None], 1, None]
    other = Wire(server.port)
    for at in range(1, len(stream)):
        wire = Wire(server.port, proto)
        wire.send(stream[:at])
        equal(other.run("INCR", "cut:other:" + proto.name), at)
        wire.send(stream[at:])
        equal([wire.read() for _ in wanted], wanted)
        wire.close()
    wire = Wire(server.port, proto)
    for i in range(len(stream)):
        wire.send(stream[i:i + 1])
    equal([wire.read() for _ in wanted], wanted)
    wire.close()
    other.close()


def frame(*parts):
    body = b"".join(parts)
    return struct.pack("<I", len(body)) + body


MALFORMED = (
    b"*2\r\n+GET\r\n$1\r\na\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*x\r\n", b"*2147483648\r\n",
    b"*99999999999999999999\r\n", b"*1\r\n$99999999999\r\n", b"*1\r\n$4294967295\r\n",
    b"*1\r\n$2147483648\r\n", b"*1\r\n:1\r\n", b"*1\r\n$\r\n", b"*1\r\n$ 3\r\nGET\r\n",
    b"*1\r\n$4\r\nPINGxx", b"GET \"open\r\n", b"GET 'a'b\r\n", b"*1\r\n$" + b"1" * 100000,
    b"A" * 100000, b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$-5\r\n", b"*1048577\r\n$4\r\n",
    frame(b"\0"), frame(b"\1"), frame(b"\1" + struct.pack("<I", 5) + b"PING"),
    frame(b"\1" + struct.pack("<I", 3) + b"PING"), frame(b"\1" + struct.pack("<I", 2**32 - 1)),
    frame(b"\2" + struct.pack("<I", 2**31) + b"x" * 10), frame(b"\xff" + b"\0" * 4),
    struct.pack("<I", 2**27 - 1) + b"\0", struct.pack("<I", 0) + b"\1",
    frame(b"\2" + struct.pack("<I", 4) + b"PING"),
    frame(b"\1" + struct.pack("<I", 4) + b"PING" + b"more"),
)


def one_error_and_close(server):
    """Each malformed input behind a good request: its reply, one error, the end. Others go on."""
    bystander = Wire(server.port, Native)
    bystander.run("SET", "bystander", "untouched")
    for bad in MALFORMED:
        proto = Native if bad[3] <= 7 else Resp
        for before in (0, 3):
            wire = Wire(server.port, proto)
            bystander.send(Native.request("GET", "bystander"))
            wire.send(proto.request("GET", "bystander") * before + bad)
            try:
                got = wire.rest()
            except ConnectionResetError:
                got = []
            except socket.timeout:
                raise AssertionError("no answer and no close after %.60r" % bad) from None
            equal(got[:before], [b"untouched"] * before)
            assert len(got) == before + 1 and isinstance(got[-1], Error), (bad[:60], got)
            equal(bystander.read(), b"untouched")
            wire.close()
    bystander.close()


def random_garbage(server):
    rng = random.Random(SEED)
    bystander = Wire(server.port)
    bystander.run("SET", "bystander", "untouched")
    for round in range(400 // SCALE):
        wire = Wire(server.port, rng.choice(PROTOCOLS), timeout=5)
        good = wire.proto.request("GET", "bystander")
        data = bytearray(good * 3)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.choice((0, 10, 13, 36, 42, 255, rng.randrange(256)))
        try:
            wire.send(data)
            wire.socket.shutdown(socket.SHUT_WR)
            got = wire.rest()
        except (ConnectionResetError, BrokenPipeError):
            got = []
        except Torn as torn:
            # The first bytes decide the protocol: garbage there may have chosen the other one.
            if bytes(data[:4]) == good[:4]:
                raise AssertionError("%r: %s" % (bytes(data), torn)) from None
            got = []
        assert sum(isinstance(one, Error) and b"rotocol" in one for one in got) <= 1, (data, got)
        equal(bystander.run("GET", "bystander"), b"untouched")
        wire.close()
    bystander.close()


def half_closed(server, proto):
    wire = Wire(server.port, proto)
    keys = ["half:%d" % i for i in range(DEEP)]
    wire.send(b"".join(proto.request("SET", key, "v" * 100 + key) for key in keys))
    equal([wire.read() for _ in keys], [b"OK"] * DEEP)
    wire.close()
    for run in range(20):
        wire = Wire(server.port, proto)
        wire.send(b"".join(proto.request("GET", key) for key in keys))
        wire.socket.shutdown(socket.SHUT_WR)
        equal(wire.rest(), [b"v" * 100 + key.encode() for key in keys])
        wire.close()
    # Also when the last request is a half one, or has to wait for those before it.
    wire = Wire(server.port, proto)
    wire.send(proto.request("GET", keys[0]) + proto.request("MSET", *sum(([k, 1] for k in keys[:50]), []))
              + proto.request("GET", "x")[:-1])
    wire.socket.shutdown(socket.SHUT_WR)
    equal(wire.rest(), [b"v" * 100 + keys[0].encode(), b"OK"])
    wire.close()


def deep_pipelines(server, proto):
    """Far more than the server takes at once, from several clients that at first read nothing."""
    count = 30000 // SCALE
    wires = [Wire(server.port, proto, receive_bytes=8192) for _ in range(4)]
    sending = [b"".join(proto.request("INCR" if i % 3 else "GET", "deep:%s:%d" % (proto.name, n))
                        + proto.request("GET", "deep:none:%d" % i) for i in range(count // 2))
               for n in range(len(wires))]
    wanted, last = [], 0
    for i in range(count // 2):
        last += i % 3 > 0
        wanted += [last if i % 3 else b"%d" % last if last else None, None]
    for wire in wires:
        wire.socket.setblocking(False)
    stuck_since = time.monotonic()
    while any(sending) and time.monotonic() - stuck_since < 0.3:
        for i, wire in enumerate(wires):
            try:
                sent = wire.socket.send(sending[i][:1 << 20]) if sending[i] else 0
            except BlockingIOError:
                sent = 0
            if sent:
                sending[i] = sending[i][sent:]
                stuck_since = time.monotonic()
    for i, wire in enumerate(wires):
        equal(exchange(wire, [sending[i]] if sending[i] else [], count), wanted)
        wire.close()


tests = Tests()
print("seed %d" % SEED)
with Server(3) as started:
    for protocol in PROTOCOLS:
        tests.run("in order, " + protocol.name, in_order, started, protocol)
        tests.run("big value, " + protocol.name, big_value, started, protocol)
        tests.run("cut anywhere, " + protocol.name, cut_anywhere, started, protocol)
        tests.run("half closed, " + protocol.name, half_closed, started, protocol)
        tests.run("deep pipelines, " + protocol.name, deep_pipelines, started, protocol)
    tests.run("one error and a close", one_error_and_close, started)
    tests.run("random garbage", random_garbage, started)
    tests.run("a clean end", started.ends_well)
tests.finish()
