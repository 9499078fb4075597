"""The servers that are compared, and the way of one batch of commands to all of them at once.

A batch goes to every server before any reply is waited for. What comes back is kept as bytes; it is
taken apart only where the bytes differ. Unix sockets: a batch costs each server one wake-up.
"""

import contextlib
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from wire import Error, Native, to_bytes  # noqa: E402

READY_SECONDS, REPLY_SECONDS, SHRINK_SECONDS, STOP_SECONDS = 60, 40, 3, 20
RECEIVE_BYTES = 1 << 18
# What a server is given beside its address. Both must be able to hold what a program stores.
REDIS_OPTIONS = ["--save", "", "--appendonly", "no", "--enable-debug-command", "yes", "--daemonize", "no"]
SHOAL_OPTIONS = ["--enable-debug-command", "yes", "--maxmemory", "2gb", "--maxmemory-policy", "noeviction"]


class Dead(Exception):
    """A server has ended, or answers no more."""


class Server:
    """redis-server where `shards` is 0, else shoal; on a Unix socket in a folder of its own."""

    def __init__(self, binary, shards, options=()):
        self.shards, self.name = shards, "shoal/%d" % shards if shards else "redis"
        self.folder = tempfile.mkdtemp(prefix="differential-")
        self.path = os.path.join(self.folder, "s")
        self.log_path = os.path.join(self.folder, "log")
        words = ["--shards", str(shards), *SHOAL_OPTIONS] if shards else REDIS_OPTIONS
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "--port", "0", "--unixsocket", self.path, *words, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)

    def wait(self):
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.connect().close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise Dead("%s did not start:\n%s" % (self.name, self.log()))
                time.sleep(0.01)

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        """The status it ended with, and what a sanitizer may have said."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        log = self.log()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.process.returncode, log


class Stream:
    """What one server sends on one connection."""

    def __init__(self, server):
        self.server, self.socket = server, server.connect()
        self.data, self.ended = bytearray(), False

    def close(self):
        self.socket.close()


def request(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def inline(words):
    """The words in quotes, each byte that is not plain as \\xHH."""
    out = []
    for word in words:
        if word and all(48 <= c < 58 or 65 <= c < 91 or 97 <= c < 123 for c in word):
            out.append(word)
        else:
            out.append(b'"%s"' % b"".join(
                bytes((c,)) if 32 < c < 127 and c not in b'"\\' else b"\\x%02x" % c for c in word))
    return b" ".join(out) + b"\r\n"


def count_resp(data, at, left):
    """(where the next reply that is not whole begins, how many of `left` are still to come)"""
    find, size = data.find, len(data)
    nested, begin = 1, at
    while left:
        end = find(b"\r\n", at)
        if end < 0:
            return begin, left
        kind = data[at]
        if kind in b":+-_,#(":
            at = end + 2
        elif kind in b"$=!":
            count = int(data[at + 1:end])
            at = end + 4 + count if count >= 0 else end + 2
            if at > size:
                return begin, left
        else:
            count = int(data[at + 1:end])
            at = end + 2
            if count > 0:
                nested += 2 * count if kind == 37 else count
        nested -= 1
        if nested == 0:
            nested, begin = 1, at
            left -= 1
    return at, 0


def count_native(data, at, left):
    while left and len(data) >= at + 4:
        end = at + 4 + struct.unpack_from("<I", data, at)[0]
        if end > len(data):
            break
        at, left = end, left - 1
    return at, left


def parse_resp(data, at=0):
    """((kind, value), end); kind is the type's first byte, the value of a container a list."""
    end = data.find(b"\r\n", at)
    if end < 0:
        raise ValueError("a reply ends in the middle: %r" % bytes(data[at:at + 80]))
    kind, rest = chr(data[at]), bytes(data[at + 1:end])
    at = end + 2
    if kind in "$=!":
        size = int(rest)
        if size < 0:
            return (kind, None), at
        if data[at + size:at + size + 2] != b"\r\n":
            raise ValueError("a string of %d bytes does not end there" % size)
        return (kind, bytes(data[at:at + size])), at + size + 2
    if kind in "*~>%":
        count = int(rest) * (2 if kind == "%" else 1)
        if count < 0:
            return (kind, None), at
        values = []
        for _ in range(count):
            value, at = parse_resp(data, at)
            values.append(value)
        return (kind, values), at
    if kind == ":":
        return (kind, int(rest)), at
    if kind in "+-_,#(":
        return (kind, rest), at
    raise ValueError("no reply begins like this: %r" % (kind.encode("latin-1") + rest[:80]))


def parse_native(data, at=0):
    value, end = Native.value(data, at)
    return plain(value), end


def plain(value):
    if isinstance(value, list):
        return ("*", [plain(one) for one in value])
    if isinstance(value, int):
        return (":", value)
    return ("-" if isinstance(value, Error) else "$", value)


def parse_all(data, native):
    """Every reply of `data`; what is no reply comes last, as ('torn', ...)."""
    parse, at, values = parse_native if native else parse_resp, 0, []
    try:
        while at < len(data):
            value, at = parse(data, at)
            values.append(value)
    except (ValueError, IndexError, struct.error) as error:
        values.append(("torn", str(error)))
    return values


def exchange(streams, payload, replies, native=False):
    """Sends to all, and returns what each answered: so many replies; or where `replies` is None it
    sends no more after that, and returns all up to the end."""
    exchange_all([(stream, payload, replies) for stream in streams], native)
    return [bytes(stream.data) for stream in streams]


patience = REPLY_SECONDS


@contextlib.contextmanager
def impatient():
    """While a program is shrunk whose replies do not come."""
    global patience
    patience = SHRINK_SECONDS
    try:
        yield
    finally:
        patience = REPLY_SECONDS


def exchange_all(jobs, native):
    """The same for many streams at once, each with its own payload; the answers are in stream.data."""
    count_whole = count_native if native else count_resp
    waiting, poll = {}, select.poll()
    for stream, payload, replies in jobs:
        stream.data.clear()
        state = [stream, 0, 0, replies, payload]
        waiting[stream.socket.fileno()] = state
        sent = send_more(state)
        poll.register(stream.socket, select.POLLIN | (0 if sent else select.POLLOUT))
    end = time.monotonic() + patience
    while waiting:
        ready = poll.poll(1000)
        if not ready and time.monotonic() > end:
            raise Dead("no whole reply of %s within %d s" % (
                ", ".join(state[0].server.name for state in waiting.values()), patience))
        for number, events in ready:
            state = waiting[number]
            if events & select.POLLOUT and send_more(state):
                poll.modify(state[0].socket, select.POLLIN)
            if events & ~select.POLLOUT and receive_more(state, count_whole):
                poll.unregister(number)
                del waiting[number]
    for stream, _, _ in jobs:
        if stream.ended and stream.server.process.poll() is not None:
            raise Dead("%s ended with status %d:\n%s" % (
                stream.server.name, stream.server.process.returncode, stream.server.log()))


def send_more(state):
    """True when all is sent."""
    stream, at, _, replies, payload = state
    try:
        state[1] += stream.socket.send(payload[at:] if at else payload)
    except BlockingIOError:
        return False
    except OSError:
        state[1] = len(payload)
    if state[1] == len(payload) and replies is None:
        stream.socket.shutdown(socket.SHUT_WR)
    return state[1] == len(payload)


def receive_more(state, count_whole):
    """True when all that was asked for is here."""
    stream = state[0]
    try:
        data = stream.socket.recv(RECEIVE_BYTES)
    except BlockingIOError:
        return False
    except OSError:
        data = b""
    if not data:
        stream.ended = True
        return True
    stream.data += data
    if state[3] is None:
        return False
    state[2], state[3] = count_whole(stream.data, state[2], state[3])
    return state[3] == 0


def ask(server, *words):
    """One command on a connection of its own; its reply, taken apart."""
    stream = Stream(server)
    try:
        data = exchange([stream], request([to_bytes(word) for word in words]), 1)[0]
        return parse_resp(data)[0]
    finally:
        stream.close()
