"""A RESP2/RESP3 connection that keeps reply types apart: ('+', b'OK') is not ('$', b'OK')."""

import socket


class Connection:
    def __init__(self, port, host="127.0.0.1", timeout=120):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, commands):
        self.socket.sendall(b"".join(encode(words) for words in commands))

    def run(self, *words):
        self.send([words])
        return self.read()

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed in the middle of a reply: %r" % line)
        kind, rest = line[:1].decode("latin-1"), line[1:-2]
        if kind in "$=!":
            return (kind, self.read_bulk(int(rest)))
        if kind in "*~>":
            return (kind, self.read_many(int(rest)))
        if kind == "%":
            return (kind, self.read_many(2 * int(rest)))
        if kind == ":":
            return (kind, int(rest))
        if kind in "+-_,#(":
            return (kind, rest)
        raise ConnectionError("no reply begins like this: %r" % line)

    def read_bulk(self, size):
        if size < 0:
            return None
        data = self.file.read(size + 2)
        if len(data) != size + 2 or data[-2:] != b"\r\n":
            raise ConnectionError("a string of %d bytes ends in %r" % (size, data[-2:]))
        return data[:-2]

    def read_many(self, count):
        return None if count < 0 else [self.read() for _ in range(count)]


def to_bytes(word):
    return word if isinstance(word, bytes) else str(word).encode()


def encode(words):
    words = [to_bytes(word) for word in words]
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"".join(parts)
