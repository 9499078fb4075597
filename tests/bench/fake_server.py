#!/usr/bin/env python3
"""
A server whose delays and faults are known, for the tests of shoal-bench.

    fake_server.py PORT                      serve until killed
    fake_server.py PORT memcached VERSION    the same as a memcached

Speaks enough RESP and native protocol for GET, SET, DEL, PING, INFO and CLIENT INFO, or of memcached's for
get, set, stats and version. One thread, one
request at a time: a stall hits everybody, as in a real single-threaded server.
"""

import selectors
import socket
import struct
import sys
import threading
import time


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class FakeServer:
    """Faults are attributes, set before the load begins:

    delay_s       every reply is this late, without holding up other connections
    stall         (after_s, for_s): once, this long after the first request, nothing is answered
    fault         called with (command, key, number of this kind so far); returns None,
                  'wrong', 'missing', 'ignore' (a SET that is not stored), 'error' or 'close'
    record        keeps the commands, with the connection's shard, in `commands`; `batches` is how many of
                  them each arrival brought
    memcached     the version of the memcached that it passes for; None: it is none
    shards        INFO and CLIENT INFO speak of shards if more than 0; connection n has shard n % shards
    """

    def __init__(self, port=0):
        self.data = {}
        self.delay_s = 0
        self.stall = None
        self.fault = lambda command, key, number: None
        self.shards = 0
        self.memcached = None
        self.seen = {}
        self.commands = []
        self.batches = []
        self.record = False
        self._began = None
        self._late = []
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._stop = False
        self._connections = 0

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def serve(self):
        while not self._stop:
            timeout = 0.05
            if self._late:
                timeout = max(0, min(timeout, self._late[0][0] - time.monotonic()))
            for key, _ in self._selector.select(timeout):
                if key.data is None:
                    self._accept()
                else:
                    self._receive(key.fileobj, key.data)
            self._send_late()

    def _accept(self):
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        state = {"buffer": b"", "native": None, "shard": self._connections % max(self.shards, 1)}
        self._connections += 1
        self._selector.register(connection, selectors.EVENT_READ, state)

    def _close(self, connection):
        self._selector.unregister(connection)
        connection.close()

    def _send_late(self):
        while self._late and self._late[0][0] <= time.monotonic():
            _, connection, reply = self._late.pop(0)
            self._send(connection, reply)

    @staticmethod
    def _send(connection, reply):
        try:
            connection.sendall(reply)
        except OSError:
            pass

    def _receive(self, connection, state):
        try:
            received = connection.recv(1 << 16)
        except OSError:
            received = b""
        if not received:
            self._close(connection)
            return
        state["buffer"] += received
        replies, before = b"", len(self.commands)
        while True:
            words, size = self._parse(state)
            if words is None:
                break
            state["buffer"] = state["buffer"][size:]
            reply = self._answer(words, state)
            if reply is None:
                self._close(connection)
                return
            replies += reply
        if len(self.commands) > before:
            self.batches.append(len(self.commands) - before)
        if self.delay_s and replies:
            self._late.append((time.monotonic() + self.delay_s, connection, replies))
        elif replies:
            self._send(connection, replies)

    def _parse(self, state):
        buffer = state["buffer"]
        if len(buffer) < 4:
            return None, 0
        if state["native"] is None:
            state["native"] = buffer[3] <= 7
        if state["native"]:
            size = 4 + struct.unpack_from("<I", buffer)[0]
            if len(buffer) < size:
                return None, 0
            words, at = [], 5
            for _ in range(buffer[4]):
                length = struct.unpack_from("<I", buffer, at)[0]
                words.append(buffer[at + 4 : at + 4 + length])
                at += 4 + length
            return words, size
        if buffer[:1] != b"*":
            line, newline, rest = buffer.partition(b"\r\n")
            words, size = line.split(), len(line) + 2
            if newline and self.memcached and words[0] == b"set":
                length = int(words[4])
                words, size = [*words[:2], rest[:length]], size + length + 2
            return (words, size) if newline and size <= len(buffer) else (None, 0)
        end = buffer.find(b"\r\n")
        if end < 0:
            return None, 0
        count, at, words = int(buffer[1:end]), end + 2, []
        for _ in range(count):
            end = buffer.find(b"\r\n", at)
            if end < 0:
                return None, 0
            length = int(buffer[at + 1 : end])
            at = end + 2
            if len(buffer) < at + length + 2:
                return None, 0
            words.append(buffer[at : at + length])
            at += length + 2
        return words, at

    def _wait(self):
        now = time.monotonic()
        self._began = self._began or now
        if self.stall and now - self._began >= self.stall[0]:
            time.sleep(self.stall[1])
            self.stall = None

    def _answer(self, words, state):
        command = words[0].upper().decode()
        key = words[1] if len(words) > 1 else b""
        native = state["native"]
        if self.memcached:
            return self._answer_as_memcached(command, key, words)
        if command in ("INFO", "CLIENT"):
            text = f"shards:{self.shards}\r\n" if command == "INFO" else f"id=1 shard={state['shard']}"
            return encode(native, text.encode())
        self._wait()
        if self.record:
            self.commands.append((state["shard"], words))
        number = self.seen[command] = self.seen.get(command, 0) + 1
        fault = self.fault(command, key, number)
        if fault == "close":
            return None
        if fault == "error":
            return encode(native, Exception("ERR as the test wants it"))
        if command == "GET":
            value = self.data.get(key)
            if fault == "missing":
                value = None
            if fault == "wrong" and value:
                value = value[:-1] + bytes([value[-1] ^ 1])
            return encode(native, value)
        if command == "SET" and fault != "ignore":
            self.data[key] = words[2]
        if command == "DEL":
            return encode(native, 1 if self.data.pop(key, None) is not None else 0)
        return encode(native, True)

    def _answer_as_memcached(self, command, key, words):
        version = self.memcached.encode()
        if command == "SET":
            self.data[key] = words[2]
        value = self.data.get(key)
        found = b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(value), value) if value is not None else b""
        return {"GET": found + b"END\r\n", "SET": b"STORED\r\n", "VERSION": b"VERSION %s\r\n" % version,
                "STATS": b"STAT version %s\r\nEND\r\n" % version}.get(command, b"ERROR\r\n")


def encode(native, value):
    if native:
        body = native_value(value)
        return struct.pack("<I", len(body)) + body
    if value is None:
        return b"$-1\r\n"
    if value is True:
        return b"+OK\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, Exception):
        return b"-%s\r\n" % str(value).encode()
    return b"$%d\r\n%s\r\n" % (len(value), value)


def native_value(value):
    if value is None:
        return b"\0"
    if value is True:
        return struct.pack("<BI", 2, 2) + b"OK"
    if isinstance(value, int):
        return struct.pack("<Bq", 3, value)
    kind, text = (1, str(value).encode()) if isinstance(value, Exception) else (2, value)
    return struct.pack("<BI", kind, len(text)) + text


if __name__ == "__main__":
    fake = FakeServer(int(sys.argv[1]))
    fake.memcached = sys.argv[3] if sys.argv[2:3] == ["memcached"] else None
    fake.serve()
