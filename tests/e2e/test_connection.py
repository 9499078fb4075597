#!/usr/bin/env python3
"""Commands about a connection: HELLO, AUTH, SELECT, RESET, QUIT, CLIENT and its sub-commands, over
several shards, alone and in pipelines.

Given by run-e2e.sh: SHOAL, PORT. Ends with "N passed, N failed".
"""

import re
import select
import socket
import struct
import sys
import time
import traceback

from resp_client import Connection, encode
from started import PORT, serve

SHARDS = 3
PASSWORD = "s3cret"
OK, PONG, QUEUED, NIL = ("+", b"OK"), ("+", b"PONG"), ("+", b"QUEUED"), ("$", None)
DEADLINE_S = 120

tests = []


def test(function):
    tests.append(function)
    return function


def wait_until(is_so, complaint):
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(complaint)
        time.sleep(0.005)


def equal(got, wanted):
    if got != wanted:
        raise AssertionError("got %r instead of %r" % (got, wanted))


def matches(got, pattern):
    kind, text = got
    if not re.search(pattern, (kind + (text or b"").decode("latin-1"))):
        raise AssertionError("got %r, which does not match %s" % (got, pattern))


def is_error(reply, begin):
    matches(reply, "^-" + re.escape(begin))


def connect(port=PORT):
    return Connection(port, timeout=DEADLINE_S)


def pipeline(connection, *commands):
    """All in one packet."""
    connection.send([c if isinstance(c, (list, tuple)) else c.split() for c in commands])
    return [connection.read() for _ in commands]


def fields(line):
    return dict(word.split("=", 1) for word in line.decode().strip().split(" "))


def info(connection):
    return fields(connection.run("CLIENT", "INFO")[1])


def listed(connection, *filters):
    """CLIENT LIST by id."""
    lines = connection.run("CLIENT", "LIST", *filters)[1].decode().splitlines()
    return {int(f["id"]): f for f in (fields(line.encode()) for line in lines)}


def is_closed(connection):
    try:
        return connection.file.read(1) == b""
    except ConnectionError:
        return True


def one_a_shard(port=PORT):
    """Connections that live on all shards: new ones go to the shard that has fewest."""
    found, spare = {}, []
    for _ in range(20 * SHARDS):
        connection = connect(port)
        shard = int(info(connection)["shard"])
        if shard in found:
            spare.append(connection)
        else:
            found[shard] = connection
        if len(found) == SHARDS:
            break
    for connection in spare:
        connection.close()
    equal(sorted(found), list(range(SHARDS)))
    return [found[shard] for shard in range(SHARDS)]


def close(*connections):
    for connection in connections:
        connection.close()


def native(sock, *words):
    words = [w.encode() for w in words]
    body = bytes([len(words)]) + b"".join(struct.pack("<I", len(w)) + w for w in words)
    sock.sendall(struct.pack("<I", len(body)) + body)
    size = struct.unpack("<I", take(sock, 4))[0]
    return native_value(take(sock, size))[0]


def take(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


def native_value(data):
    kind, data = data[0], data[1:]
    if kind == 0:
        return None, data
    if kind == 3:
        return struct.unpack("<q", data[:8])[0], data[8:]
    count, data = struct.unpack("<I", data[:4])[0], data[4:]
    if kind in (1, 2):
        text = data[:count].decode()
        return ("-" + text if kind == 1 else text), data[count:]
    values = []
    for _ in range(count):
        value, data = native_value(data)
        values.append(value)
    return values, data


# ---- PING, ECHO, QUIT ------------------------------------------------------------------------------


@test
def ping_and_echo():
    c = connect()
    equal(c.run("PING"), PONG)
    equal(c.run("PING", b"a\r\nb"), ("$", b"a\r\nb"))
    is_error(c.run("PING", "a", "b"), "ERR wrong number of arguments for 'ping' command")
    equal(c.run("ECHO", b"\x00\xff" * 8), ("$", b"\x00\xff" * 8))
    is_error(c.run("ECHO"), "ERR wrong number of arguments for 'echo' command")
    for name in "READONLY", "READWRITE", "ASKING":
        equal(c.run(name), OK)
    c.close()


@test
def native_ping():
    with socket.create_connection(("127.0.0.1", PORT), DEADLINE_S) as s:
        equal(native(s, "PING"), "PONG")
        equal(native(s, "PING", "x"), "x")
        equal(native(s, "SELECT", "99"), "-ERR DB index is out of range")
        reply = native(s, "HELLO", "3")
        assert reply.startswith("-NOPROTO"), reply
        hello = native(s, "HELLO")
        equal(hello[:2], ["server", "redis"])
        equal(hello[4:6], ["proto", 0])
        line = native(s, "CLIENT", "INFO")
        assert " resp=0 " in line and line.endswith("\n"), line
        equal(native(s, "RESET"), "RESET")
        equal(native(s, "QUIT"), "OK")
        equal(s.recv(1), b"")


@test
def quit_ends_the_pipeline():
    c, other = connect(), connect()
    other.run("DEL", "quit:key")
    c.send([["QUIT"], ["SET", "quit:key", "x" * 3000]])
    equal(c.read(), OK)
    assert is_closed(c)
    equal(other.run("GET", "quit:key"), NIL)
    c = connect()
    equal(pipeline(c, "MULTI", "SET quit:key 1", "QUIT"), [OK, QUEUED, OK])
    assert is_closed(c)
    equal(other.run("GET", "quit:key"), NIL)
    close(c, other)


# ---- HELLO -----------------------------------------------------------------------------------------


def check_hello(reply, kind, proto):
    equal(reply[0], kind)
    names = [item[1] for item in reply[1][::2]]
    equal(names, [b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules"])
    values = dict(zip(names, reply[1][1::2]))
    equal(values[b"proto"], (":", proto))
    equal(values[b"server"], ("$", b"redis"))
    equal(values[b"mode"], ("$", b"standalone"))
    equal(values[b"role"], ("$", b"master"))
    equal(values[b"modules"], ("*", []))
    matches(values[b"version"], r"^\$7\.\d+\.\d+$")
    return values[b"id"][1]


@test
def hello_switches():
    c = connect()
    check_hello(c.run("HELLO"), "*", 2)
    check_hello(c.run("HELLO", "3"), "%", 3)
    equal(c.run("GET", "no such key"), ("_", b""))
    equal(check_hello(c.run("HELLO"), "%", 3), c.run("CLIENT", "ID")[1])
    equal(c.run("CLIENT", "INFO")[0], "=")
    check_hello(c.run("HELLO", "2", "SETNAME", "me"), "*", 2)
    equal(c.run("CLIENT", "GETNAME"), ("$", b"me"))
    equal(c.run("GET", "no such key"), NIL)
    c.close()


@test
def hello_in_one_packet_with_the_next():
    for _ in range(20):
        c = connect()
        replies = pipeline(c, "GET nokey", "HELLO 3", "GET nokey", "GET nokey2", "HELLO 2",
                           "GET nokey", "CLIENT TRACKINGINFO", "HELLO 3", "CLIENT TRACKINGINFO")
        equal(replies[0], NIL)
        check_hello(replies[1], "%", 3)
        equal(replies[2:4], [("_", b""), ("_", b"")])
        check_hello(replies[4], "*", 2)
        equal(replies[5], NIL)
        equal([replies[6][0], replies[8][0]], ["*", "%"])
        c.close()


@test
def hello_that_fails_changes_nothing():
    c = connect()
    c.run("CLIENT", "SETNAME", "before")
    for words, error in (
            (["1"], "NOPROTO unsupported protocol version"),
            (["4"], "NOPROTO unsupported protocol version"),
            (["x"], "ERR Protocol version is not an integer or out of range"),
            (["3", "SETNAME", "with space"], "ERR Client names cannot contain spaces"),
            (["3", "SETNAME"], "ERR Syntax error in HELLO option 'SETNAME'"),
            (["3", "AUTH", "default"], "ERR Syntax error in HELLO option 'AUTH'"),
            (["3", "SETNAME", "x", "AUTH", "nobody", "p"], "WRONGPASS "),
            (["3", "SETNAME", "x", "SPAM"], "ERR Syntax error in HELLO option 'SPAM'")):
        is_error(c.run("HELLO", *words), error)
        equal(c.run("CLIENT", "GETNAME"), ("$", b"before"))
        equal(info(c)["resp"], "2")
    equal(c.run("MULTI"), OK)
    is_error(c.run("HELLO", "3"), "ERR Command not allowed inside a transaction")
    is_error(c.run("EXEC"), "EXECABORT")
    c.close()


# ---- AUTH ------------------------------------------------------------------------------------------


@test
def auth_without_a_password_set():
    c = connect()
    is_error(c.run("AUTH", "x"), "ERR AUTH <password> called without any password configured")
    equal(c.run("AUTH", "default", "x"), OK)
    is_error(c.run("AUTH", "nobody", "x"), "WRONGPASS invalid username-password pair or user is dis")
    is_error(c.run("AUTH", "a", "b", "c"), "ERR syntax error")
    c.close()


def auth_with_a_password_set(port):
    c = connect(port)
    is_error(c.run("PING"), "NOAUTH Authentication required.")
    is_error(c.run("CLIENT", "LIST"), "NOAUTH Authentication required.")
    is_error(c.run("HELLO", "3"), "NOAUTH HELLO must be called with the client already")
    is_error(c.run("HELLO"), "NOAUTH HELLO must be called with the client already")
    for wrong in "", PASSWORD[:-1], PASSWORD + "x", PASSWORD + "\0", PASSWORD.upper(), "x" * 511, \
            "x" * 5000:
        is_error(c.run("AUTH", wrong), "WRONGPASS")
        is_error(c.run("AUTH", "default", wrong), "WRONGPASS")
        is_error(c.run("PING"), "NOAUTH")
    is_error(c.run("AUTH", "nobody", PASSWORD), "WRONGPASS")
    is_error(c.run("HELLO", "3", "AUTH", "default", "bad", "SETNAME", "x"), "WRONGPASS")
    equal(c.run("AUTH", PASSWORD), OK)
    equal(c.run("PING"), PONG)
    equal(info(c)["name"], "")
    is_error(c.run("AUTH", "bad"), "WRONGPASS")
    equal(c.run("PING"), PONG)
    c.close()

    c = connect(port)
    check_hello(c.run("HELLO", "3", "AUTH", "default", PASSWORD, "SETNAME", "me"), "%", 3)
    equal(c.run("CLIENT", "GETNAME"), ("$", b"me"))
    equal(c.run("RESET"), ("+", b"RESET"))
    is_error(c.run("GET", "x"), "NOAUTH")
    equal(c.run("AUTH", PASSWORD), OK)
    equal(c.run("GET", "x"), NIL)
    equal(c.run("CLIENT", "GETNAME"), NIL)
    c.close()


def auth_in_a_pipeline(port):
    for _ in range(20):
        c = connect(port)
        replies = pipeline(c, "AUTH bad", "GET a", "AUTH " + PASSWORD, "GET a", "AUTH bad", "GET b",
                           "QUIT")
        kinds = [(kind, text and text[:9]) for kind, text in replies]
        equal(kinds, [("-", b"WRONGPASS"), ("-", b"NOAUTH Au"), OK, NIL, ("-", b"WRONGPASS"), NIL,
                      OK])
        assert is_closed(c)
        c.close()


@test
def password():
    server = serve(SHARDS, "--requirepass", PASSWORD, offset=1)
    try:
        auth_with_a_password_set(server.port)
        auth_in_a_pipeline(server.port)
    finally:
        server.ends_well()


# ---- SELECT and RESET ------------------------------------------------------------------------------


@test
def select_databases():
    c = connect()
    equal(pipeline(c, "SET {s}k zero", "SELECT 3", "SET {s}k three", "GET {s}k", "SELECT 0",
                   "GET {s}k", "SELECT 15", "GET {s}k"),
          [OK, OK, OK, ("$", b"three"), OK, ("$", b"zero"), OK, NIL])
    for bad, error in (("16", "ERR DB index is out of range"), ("-1", "ERR DB index is out of range"),
                       ("x", "ERR value is not an integer or out of range"),
                       ("99999999999", "ERR value is out of range, value must between")):
        is_error(c.run("SELECT", bad), error)
    equal(info(c)["db"], "15")
    pipeline(c, "SELECT 3", "DEL {s}k", "SELECT 0", "DEL {s}k")
    c.close()


@test
def select_inside_multi():
    for key in "m1", "m2", "m3", "m4":
        c = connect()
        replies = pipeline(c, "SET %s zero" % key, "MULTI", "GET " + key, "SELECT 2",
                           "SET %s two" % key, "GET " + key, "EXEC", "GET " + key, "SELECT 0",
                           "GET " + key, "DEL " + key)
        equal(replies[6], ("*", [("$", b"zero"), OK, OK, ("$", b"two")]))
        equal(replies[7:10], [("$", b"two"), OK, ("$", b"zero")])
        pipeline(c, "SELECT 2", "DEL " + key)
        c.close()


@test
def reset():
    c, other = connect(), connect()
    pipeline(c, "SELECT 2", "SET r:k x", "HELLO 3 SETNAME me", "CLIENT NO-EVICT ON",
             "CLIENT NO-TOUCH ON", "WATCH r:k", "MULTI", "SET r:k y")
    state = listed(other)[c_id(other, "me")]
    equal((state["flags"], state["multi"], state["watch"], state["resp"]), ("xeT", "1", "1", "3"))
    replies = pipeline(c, "RESET", "CLIENT GETNAME", "GET r:k", "EXEC", "DISCARD")
    equal(replies[:3], [("+", b"RESET"), NIL, NIL])
    is_error(replies[3], "ERR EXEC without MULTI")
    is_error(replies[4], "ERR DISCARD without MULTI")
    state = info(c)
    equal((state["flags"], state["multi"], state["watch"], state["resp"], state["db"]),
          ("N", "-1", "0", "2", "0"))
    c.send([["CLIENT", "REPLY", "OFF"], ["PING"], ["RESET"], ["PING"]])
    equal([c.read(), c.read()], [("+", b"RESET"), PONG])
    pipeline(c, "SELECT 2", "DEL r:k")
    close(c, other)


def c_id(connection, name):
    return next(i for i, f in listed(connection).items() if f["name"] == name)


# ---- CLIENT: names ---------------------------------------------------------------------------------


@test
def names():
    c = connect()
    equal(c.run("CLIENT", "GETNAME"), NIL)
    equal(c.run("CLIENT", "SETNAME", "a:b-c"), OK)
    equal(c.run("CLIENT", "GETNAME"), ("$", b"a:b-c"))
    for bad in "a b", "a\nb", "\x7f", b"\x80", "a\0":
        is_error(c.run("CLIENT", "SETNAME", bad),
                 "ERR Client names cannot contain spaces, newlines or special characters.")
        is_error(c.run("CLIENT", "SETINFO", "LIB-NAME", bad),
                 "ERR lib-name cannot contain spaces, newlines or special characters.")
    is_error(c.run("CLIENT", "SETNAME", "x" * 257), "ERR Client names cannot be longer")
    equal(c.run("CLIENT", "SETNAME", "x" * 256), OK)
    equal(c.run("CLIENT", "SETINFO", "LIB-NAME", "y" * 256), OK)
    equal(c.run("CLIENT", "SETINFO", "lib-ver", "z" * 256), OK)
    state = info(c)
    equal((state["name"], state["lib-name"], state["lib-ver"]), ("x" * 256, "y" * 256, "z" * 256))
    equal(c.run("CLIENT", "SETNAME", ""), OK)
    equal(c.run("CLIENT", "GETNAME"), NIL)
    is_error(c.run("CLIENT", "SETINFO", "lib", "1"), "ERR Unrecognized option 'lib'")
    c.close()


@test
def unknown_and_misused():
    c = connect()
    is_error(c.run("CLIENT", "MAINT_NOTIFICATIONS", "ON"),
             "ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.")
    is_error(c.run("CLIENT"), "ERR wrong number of arguments for 'client' command")
    is_error(c.run("CLIENT", "KILL"), "ERR wrong number of arguments for 'client|kill' command")
    is_error(c.run("CLIENT", "NO-EVICT", "maybe"), "ERR syntax error")
    is_error(c.run("CLIENT", "REPLY", "maybe"), "ERR syntax error")
    is_error(c.run("CLIENT", "PAUSE", "x"), "ERR timeout is not an integer or out of range")
    is_error(c.run("CLIENT", "PAUSE", "-1"), "ERR timeout is negative")
    is_error(c.run("CLIENT", "PAUSE", "9223372036854775807"), "ERR timeout is out of range")
    is_error(c.run("CLIENT", "PAUSE", "1", "SOME"), "ERR CLIENT PAUSE mode must be WRITE or ALL")
    is_error(c.run("CLIENT", "LIST", "TYPE", "x"), "ERR Unknown client type 'x'")
    is_error(c.run("CLIENT", "LIST", "ID", "x"), "ERR Invalid client ID")
    is_error(c.run("CLIENT", "LIST", "ID"), "ERR syntax error")
    is_error(c.run("CLIENT", "UNBLOCK", "1", "WHY"),
             "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    equal(c.run("CLIENT", "UNBLOCK", "1"), (":", 0))
    equal(c.run("CLIENT", "CAPA", "redirect", "x"), OK)
    equal(c.run("CLIENT", "TRACKING", "OFF"), OK)
    is_error(c.run("CLIENT", "TRACKING", "ON"), "ERR CLIENT TRACKING ON is not supported")
    is_error(c.run("CLIENT", "CACHING", "YES"), "ERR CLIENT CACHING can be called only when")
    equal(c.run("CLIENT", "GETREDIR"), (":", -1))
    assert len(c.run("CLIENT", "HELP")[1]) > 10
    c.close()


# ---- CLIENT LIST and KILL --------------------------------------------------------------------------


@test
def list_over_shards():
    connections = one_a_shard()
    ids = [c.run("CLIENT", "ID")[1] for c in connections]
    equal(len(set(ids)), SHARDS)
    wait_until(lambda: len(listed(connections[0])) == SHARDS, "those of earlier tests stay in the list")
    for c in connections:
        all_of_them = listed(c)
        assert set(ids) <= set(all_of_them), (ids, all_of_them)
        equal([int(all_of_them[i]["shard"]) for i in ids], list(range(SHARDS)))
        equal(sorted(listed(c, "ID", *ids[:2], ids[0], 99999999)), sorted(ids[:2]))
        equal(set(listed(c, "TYPE", "normal")), set(all_of_them))
        for kind in "replica", "slave", "master", "pubsub":
            equal(listed(c, "TYPE", kind), {})
    me = info(connections[0])
    local, peer = connections[0].socket.getsockname(), connections[0].socket.getpeername()
    equal((me["addr"], me["laddr"]), ("%s:%d" % local, "%s:%d" % peer))
    equal((me["cmd"], me["user"]), ("client|info", "default"))
    assert me["qbuf"] in ("26", "52"), me  # small buffers may still hold the request before
    # inside MULTI and in RESP3
    pipeline(connections[1], "HELLO 3", "MULTI", "CLIENT LIST")
    reply = connections[1].run("EXEC")
    equal([kind for kind, _ in reply[1]], ["="])
    assert reply[1][0][1].startswith(b"txt:id="), reply
    equal(len(reply[1][0][1].splitlines()), len(listed(connections[0])))
    close(*connections)


@test
def kill_over_shards():
    for killer in range(SHARDS):
        connections = one_a_shard()
        ids = [c.run("CLIENT", "ID")[1] for c in connections]
        c = connections[killer]
        for shard, victim in enumerate(connections):
            if shard == killer:
                continue
            equal(c.run("CLIENT", "KILL", "ID", ids[shard]), (":", 1))
            assert is_closed(victim)
            equal(c.run("CLIENT", "KILL", "ID", ids[shard]), (":", 0))
            assert ids[shard] not in listed(c)
        equal(c.run("CLIENT", "KILL", "ID", ids[killer]), (":", 0))
        equal(c.run("CLIENT", "KILL", "ID", ids[killer], "SKIPME", "no"), (":", 1))
        assert is_closed(c)
        close(*connections)


@test
def kill_by_address_and_filters():
    c, victims = connect(), one_a_shard()
    text = ["%s:%d" % v.socket.getsockname() for v in victims]
    is_error(c.run("CLIENT", "KILL", "127.0.0.1:1"), "ERR No such client")
    equal(c.run("CLIENT", "KILL", text[0]), OK)
    equal(c.run("CLIENT", "KILL", "ADDR", text[1], "TYPE", "normal", "USER", "default"), (":", 1))
    equal(c.run("CLIENT", "KILL", "ADDR", text[2], "TYPE", "pubsub"), (":", 0))
    equal(c.run("CLIENT", "KILL", "ADDR", text[2], "MAXAGE", "1000"), (":", 0))
    equal(c.run("CLIENT", "KILL", "ADDR", text[2], "LADDR", "127.0.0.1:1"), (":", 0))
    equal(c.run("CLIENT", "KILL", "ADDR", text[2], "ID", "1", "ID", "2"), (":", 0))
    equal(victims[2].run("PING"), PONG)
    equal(c.run("CLIENT", "KILL", "ADDR", text[2], "LADDR", "127.0.0.1:%d" % PORT), (":", 1))
    for victim in victims:
        assert is_closed(victim)
    for words, error in ((["id", "10", "x"], "ERR syntax error"),
                         (["id", "str"], "ERR client-id should be greater than 0"),
                         (["id", "0"], "ERR client-id should be greater than 0"),
                         (["type", "x"], "ERR Unknown client type 'x'"),
                         (["user", "x"], "ERR No such user 'x'"),
                         (["skipme", "x"], "ERR syntax error"),
                         (["maxage", "x"], "ERR maxage is not an integer or out of range"),
                         (["maxage", "0"], "ERR maxage should be greater than 0"),
                         (["spam", "x"], "ERR syntax error")):
        is_error(c.run("CLIENT", "KILL", *words), error)
    equal(c.run("CLIENT", "KILL", "%s:%d" % c.socket.getsockname()), OK)
    assert is_closed(c)
    close(c, *victims)


@test
def kill_of_oneself_ends_the_pipeline():
    other = connect()
    for words in ["CLIENT", "KILL", "ID", None, "SKIPME", "no"], ["CLIENT", "KILL", None]:
        for _ in range(10):
            c = connect()
            who = c.run("CLIENT", "ID")[1] if len(words) > 3 else \
                "%s:%d" % c.socket.getsockname()
            c.send([[who if w is None else w for w in words], ["SET", "after", "kill"], ["PING"]])
            equal(c.file.read(), b":1\r\n" if len(words) > 3 else b"+OK\r\n")
            c.close()
    equal(other.run("GET", "after"), NIL)
    other.close()


@test
def kill_everybody_else_in_the_middle_of_work():
    c, victims = connect(), [connect() for _ in range(12)]
    for i, victim in enumerate(victims):
        victim.send([["SET", "w%d:%d" % (i, k), "x" * 100] for k in range(200)])
    addresses = {"%s:%d" % victim.socket.getsockname() for victim in victims}
    wait_until(lambda: addresses <= {f["addr"] for f in listed(c).values()}, "not all have been accepted")
    killed = c.run("CLIENT", "KILL", "TYPE", "normal")
    assert killed[0] == ":" and killed[1] >= len(victims), killed
    for victim in victims:
        try:
            while victim.file.readline():
                pass
        except ConnectionError:
            pass
    wait_until(lambda: len(listed(c)) == 1, "killed connections stay in the list")
    equal(c.run("PING"), PONG)
    close(c, *victims)


# ---- CLIENT REPLY ----------------------------------------------------------------------------------


@test
def reply_off_and_on():
    for _ in range(10):
        c = connect()
        c.send([["CLIENT", "REPLY", "OFF"], ["SET", "rep:a", "1"], ["SET", "rep:b", "2"],
                ["MGET", "rep:a", "rep:b"], ["CLIENT", "LIST"], ["NOSUCH"], ["PING"],
                ["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "ON"], ["GET", "rep:a"],
                ["GET", "rep:b"]])
        equal([c.read() for _ in range(3)], [OK, ("$", b"1"), ("$", b"2")])
        equal(c.run("DEL", "rep:a", "rep:b"), (":", 2))
        c.close()


@test
def reply_skip():
    c = connect()
    c.send([["CLIENT", "REPLY", "SKIP"], ["SET", "rep:s", "1"], ["GET", "rep:s"],
            ["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "SKIP"], ["PING", "no"],
            ["PING", "yes"], ["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "ON"], ["PING", "on"],
            ["CLIENT", "REPLY", "SKIP"], ["MGET", "rep:s", "a", "b", "c"], ["CLIENT", "REPLY", "x"]])
    equal([c.read() for _ in range(5)],
          [("$", b"1"), ("$", b"yes"), OK, ("$", b"on"), ("-", b"ERR syntax error")])
    equal(pipeline(c, "MULTI", "CLIENT REPLY OFF", "DISCARD")[1],
          ("-", b"ERR Command not allowed inside a transaction"))
    equal(c.run("DEL", "rep:s"), (":", 1))
    c.close()


@test
def reply_off_then_quit():
    c = connect()
    c.send([["CLIENT", "REPLY", "OFF"], ["PING"], ["QUIT"]])
    equal(c.file.read(), b"")
    c.close()


# ---- CLIENT PAUSE ----------------------------------------------------------------------------------


def is_held(control, connection_id, command):
    return listed(control, "ID", connection_id)[connection_id]["cmd"] == command


@test
def pause_writes():
    control, writers = connect(), one_a_shard()
    ids = [w.run("CLIENT", "ID")[1] for w in writers]
    keys = ["p:%d" % i for i in range(SHARDS)]
    control.run("DEL", *keys)
    equal(control.run("CLIENT", "PAUSE", "100000", "WRITE"), OK)
    equal(control.run("CLIENT", "PAUSE", "1", "WRITE"), OK)  # changes nothing: the longer one stays
    for writer, key in zip(writers, keys):
        equal(writer.run("GET", key), NIL)
        writer.send([["SET", key, "1"], ["PING", "behind"]])
    for connection_id in ids:
        wait_until(lambda: is_held(control, connection_id, "set"), "a write does not arrive")
    equal(control.run("MGET", *keys), ("*", [NIL] * SHARDS))
    equal(select.select([w.socket for w in writers], [], [], 0)[0], [])
    equal(control.run("CLIENT", "UNPAUSE"), OK)
    for writer in writers:
        equal([writer.read(), writer.read()], [OK, ("$", b"behind")])
    equal(control.run("MGET", *keys), ("*", [("$", b"1")] * SHARDS))
    control.run("DEL", *keys)
    close(control, *writers)


@test
def pause_all():
    control, clients = connect(), one_a_shard()
    ids = [c.run("CLIENT", "ID")[1] for c in clients]
    equal(control.run("CLIENT", "PAUSE", "100000", "WRITE"), OK)
    equal(control.run("CLIENT", "PAUSE", "1000", "ALL"), OK)  # harder, and not shorter
    for client in clients:
        client.send([["GET", "p:x"]])
    for connection_id in ids:
        wait_until(lambda: is_held(control, connection_id, "get"), "a read does not arrive")
    equal(select.select([c.socket for c in clients], [], [], 0)[0], [])
    assert all(int(f["qbuf"]) > 0 for i, f in listed(control).items() if i in ids)
    # a held connection can be killed
    equal(control.run("CLIENT", "KILL", "ID", ids[0]), (":", 1))
    assert is_closed(clients[0])
    equal(control.run("CLIENT", "UNPAUSE"), OK)
    for client in clients[1:]:
        equal(client.read(), NIL)
    close(control, *clients)


@test
def pause_ends_by_itself():
    control, clients = connect(), one_a_shard()
    start = time.monotonic()
    equal(control.run("CLIENT", "PAUSE", "60"), OK)
    for client in clients:
        client.send([["SET", "p:y", "1"]])
    for client in clients:
        equal(client.read(), OK)
        assert time.monotonic() - start > 0.05, "answered during the pause"
    equal(control.run("DEL", "p:y"), (":", 1))
    close(control, *clients)


@test
def pause_holds_exec_that_writes():
    control, reader, writer = connect(), connect(), connect()
    pipeline(reader, "MULTI", "GET p:z")
    pipeline(writer, "MULTI", "SET p:z 1")
    writer_id = writer.run("CLIENT", "ID")  # QUEUED: in MULTI
    equal(writer_id, QUEUED)
    equal(control.run("CLIENT", "PAUSE", "100000", "WRITE"), OK)
    equal(reader.run("EXEC"), ("*", [NIL]))
    writer.send([["EXEC"]])
    port = "127.0.0.1:%d" % writer.socket.getsockname()[1]
    wait_until(lambda: any(f["addr"] == port and f["cmd"] == "exec"
                           for f in listed(control).values()), "EXEC does not arrive")
    equal(control.run("GET", "p:z"), NIL)
    equal(select.select([writer.socket], [], [], 0)[0], [])
    equal(control.run("CLIENT", "UNPAUSE"), OK)
    equal(writer.read()[1][0], OK)
    control.run("DEL", "p:z")
    close(control, reader, writer)


# ---- pipelines -------------------------------------------------------------------------------------


@test
def serial_and_pipelined_are_the_same():
    commands = [c.split() for c in (
        "PING", "SELECT 1", "SET s:a 1", "GET s:a", "HELLO 3 SETNAME tr", "GET s:nil",
        "CLIENT GETNAME", "MULTI", "GET s:a", "SELECT 4", "GET s:a", "CLIENT GETNAME", "EXEC",
        "GET s:a", "CLIENT REPLY SKIP", "GET s:a", "SELECT 1", "CLIENT TRACKINGINFO",
        "MGET s:a s:b s:c", "CLIENT CAPA x", "RESET", "GET s:a", "SELECT 1", "DEL s:a", "CLIENT NOPE",
        "CLIENT KILL ID 999999999", "ECHO end", "QUIT")]
    raw = []
    for serial in True, False:
        for _ in range(5):
            c = connect()
            hello_id = str(c.run("CLIENT", "ID")[1]).encode()
            if serial:
                for i, words in enumerate(commands):
                    c.socket.sendall(encode(words))
                    if i + 1 < len(commands) and words[:2] != ["CLIENT", "REPLY"] and \
                            commands[i - 1][:2] != ["CLIENT", "REPLY"]:
                        wait_until(lambda: select.select([c.socket], [], [], 0)[0], "no reply")
            else:
                c.send(commands)
            raw.append(c.file.read().replace(b":" + hello_id + b"\r\n", b":<id>\r\n"))
            c.close()
    for other in raw[1:]:
        equal(other, raw[0])


def main():
    failed = 0
    server = serve(SHARDS)
    only = sys.argv[1:]
    try:
        for function in tests:
            if only and function.__name__ not in only:
                continue
            try:
                function()
            except Exception:
                failed += 1
                print("FAILED", function.__name__)
                traceback.print_exc(file=sys.stdout)
                if server.process.poll() is not None:
                    break
    finally:
        try:
            server.ends_well()
        except Exception as error:
            failed += 1
            print("FAILED at its end:", error)
    ran = len([f for f in tests if not only or f.__name__ in only])
    print("%d passed, %d failed" % (max(ran - failed, 0), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
