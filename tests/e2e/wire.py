"""Both protocols on raw sockets: encoding, and an incremental reading of replies.

Values are bytes, int, None, list, or Error. A reader is strict: what is no reply raises Torn.
"""

import contextlib
import resource
import signal
import socket
import struct
import time


class Error(bytes):
    """The text of an error reply."""


class Push(list):
    """What no request has asked for, where the protocol tells it from a reply: RESP3, native."""


class Torn(Exception):
    """The bytes are not a sequence of whole replies."""


class Resp:
    name = "RESP"

    @staticmethod
    def request(*words):
        words = [to_bytes(word) for word in words]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

    @staticmethod
    def value(data, at):
        """(value, end), or (None, -1) while it is incomplete."""
        end = data.find(b"\r\n", at)
        if end < 0:
            return None, -1
        kind, text = data[at:at + 1], bytes(data[at + 1:end])
        if kind == b"+":
            return text, end + 2
        if kind == b"-":
            return Error(text), end + 2
        if kind == b":":
            return int(text), end + 2
        if kind == b"$":
            size = int(text)
            if size < 0:
                return None, end + 2
            if len(data) < end + 4 + size:
                return None, -1
            if data[end + 2 + size:end + 4 + size] != b"\r\n":
                raise Torn("a string of %d bytes does not end there" % size)
            return bytes(data[end + 2:end + 2 + size]), end + 4 + size
        if kind == b"*":
            return many(Resp, data, end + 2, int(text)) if int(text) >= 0 else (None, end + 2)
        if kind == b"_" and not text:
            return None, end + 2
        if kind == b"%":
            return many(Resp, data, end + 2, 2 * int(text))
        if kind == b">":
            values, at = many(Resp, data, end + 2, int(text))
            return (Push(values), at) if at >= 0 else (None, -1)
        raise Torn("no reply begins with %r" % bytes(data[at:at + 40]))


class Native:
    name = "native"

    @staticmethod
    def request(*words):
        words = [to_bytes(word) for word in words]
        body = bytes([len(words)]) + b"".join(struct.pack("<I", len(w)) + w for w in words)
        return struct.pack("<I", len(body)) + body

    @staticmethod
    def value(data, at):
        if len(data) < at + 4:
            return None, -1
        size = struct.unpack_from("<I", data, at)[0]
        if size == 0 or size >> 30:
            raise Torn("a reply of %d bytes" % size)
        if len(data) < at + 4 + size:
            return None, -1
        value, end = Native.inner(data, at + 4, True)
        if end != at + 4 + size:
            raise Torn("a frame of %d bytes holds %d" % (size, end - at - 4))
        return value, end

    @staticmethod
    def inner(data, at, whole=False):
        kind = data[at]
        if kind == 0:
            return None, at + 1
        if kind == 3:
            return struct.unpack_from("<q", data, at + 1)[0], at + 9
        size = struct.unpack_from("<I", data, at + 1)[0]
        if kind in (1, 2):
            text = bytes(data[at + 5:at + 5 + size])
            return (Error(text) if kind == 1 else text), at + 5 + size
        if kind == 4 or (kind == 5 and whole):
            values, at = (Push() if kind == 5 else []), at + 5
            for _ in range(size):
                value, at = Native.inner(data, at)
                values.append(value)
            return values, at
        raise Torn("no value has type %d" % kind)


PROTOCOLS = (Resp, Native)


def to_bytes(word):
    return word if isinstance(word, (bytes, bytearray)) else str(word).encode()


def many(proto, data, at, count):
    values = []
    for _ in range(count):
        value, at = proto.value(data, at)
        if at < 0:
            return None, -1
        values.append(value)
    return values, at


class Wire:
    """A connection to a port or a path: send what you like, read whole replies."""

    def __init__(self, where, proto=Resp, timeout=120, receive_bytes=None):
        self.proto, self.data, self.at = proto, bytearray(), 0
        local = isinstance(where, str)
        self.socket = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(timeout)
        self.socket.connect(where if local else ("127.0.0.1", where))
        if not local:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self):
        return self.socket.fileno()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        """Receives once. False at the end."""
        data = self.socket.recv(1 << 18)
        if self.at > 1 << 20 or self.at == len(self.data):
            del self.data[:self.at]
            self.at = 0
        self.data += data
        return bool(data)

    def take(self):
        """(True, reply) if a whole one is here."""
        value, end = self.proto.value(self.data, self.at)
        if end < 0:
            return False, None
        self.at = end
        return True, value

    def read(self):
        while True:
            here, value = self.take()
            if here:
                return value
            if not self.more():
                raise EOFError("closed with %d bytes of a reply" % (len(self.data) - self.at))

    def run(self, *words):
        self.send(self.proto.request(*words))
        return self.read()

    def rest(self):
        """All replies up to the end of the stream, which must not come in the middle of one."""
        values = []
        while True:
            here, value = self.take()
            if here:
                values.append(value)
            elif not self.more():
                break
        if self.at != len(self.data):
            raise Torn("ends with %r" % bytes(self.data[self.at:self.at + 80]))
        return values

    def reset(self):
        """Closes with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def is_served(port):
    """A new client gets an answer."""
    try:
        wire = Wire(port, timeout=60)
        got = wire.run("GET", "a")
        wire.close()
        return not isinstance(got, Error)
    except (OSError, EOFError):
        return False


def descriptors(wanted):
    """Room for so many open files, in us and what we start; how many there are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def rss_bytes(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


@contextlib.contextmanager
def stopped(server):
    """Meanwhile the server finds nothing, and after it everything at once."""
    def state():
        with open("/proc/%d/stat" % server.process.pid) as file:
            return file.read().rpartition(")")[2].split()[0]
    server.process.send_signal(signal.SIGSTOP)
    wait_until("stopped", lambda: state() == "T")
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def wait_until(what, condition, seconds=120):
    """Asks again and again; raises when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("still not: " + what)
        time.sleep(0.005)
