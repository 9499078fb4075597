"""maxmemory-clients on a started server: what connections take has a budget of its own. Who does not fit waits, and
goes on; others notice nothing; only who makes others wait and does not move is closed."""

import select
import sys
import threading
import time

from started import MODE, SCALE, Server, Tests, equal
from wire import Error, Native, PROTOCOLS, Resp, Wire, descriptors, stopped, wait_until

MB = 1 << 20
LIMIT = 8 * MB
SHARDS = 2
PATIENCE = 30
GONE, GONE_BYTES = 5, 8 * MB  # more than the kernel takes from the server
CONNECTIONS = 60
# Beyond its half: one request a shard is received beside it, and of each that waits there is what came before
# anybody could say that it has to.
REQUESTS_MAX = LIMIT // 2 + SHARDS * 5 * MB // 4 + CONNECTIONS * 256 * 1024


def figures(wire):
    text = wire.run("INFO", "everything").decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def figure(wire, name):
    return int(figures(wire)[name])


def value_of(n, size=MB):
    return (b"%08d" % n) * (size // 8)


def quiet(wire):
    """Nothing of former clients is left."""
    wait_until("empty buffers", lambda: figure(wire, "mem_clients_requests") + figure(wire, "mem_clients_replies")
               < MB // 4 and figure(wire, "connected_clients") == 1)


class Sender(threading.Thread):
    """Sends without waiting for anybody, as a client that does not care."""

    def __init__(self, wire, data):
        super().__init__(daemon=True)
        self.wire, self.data = wire, data
        self.start()

    def run(self):
        try:
            self.wire.send(self.data)
        except OSError:
            pass


def together(wires, requests):
    """Sends all of them at the same time, a piece each in turn."""
    left = {wire: memoryview(data) for wire, data in zip(wires, requests)}
    for wire in wires:
        wire.socket.setblocking(False)
    while left:
        _, ready, _ = select.select([], list(left), [], 60)
        assert ready, "nobody may send"
        for wire in ready:
            left[wire] = left[wire][wire.socket.send(left[wire][:1 << 16]):]
            if not left[wire]:
                del left[wire]
                wire.socket.settimeout(60)
        yield


def begin(request, wire, size, declared):
    """A SET of `declared` bytes of which only `size` are sent."""
    data = request("SET", "begun", b"b" * declared)
    return Sender(wire, data[:data.index(b"bbb") + size])


def bystander(wire, rounds):
    """Somebody else is answered: what is in the way stays there until this returns, so that who waited for it would wait
    for ever."""
    for i in range(rounds):
        equal(wire.run("SET", "bystander", i), b"OK")


# ---- requests -----------------------------------------------------------------------------------


def large_values_take_turns(server, admin):
    """More at once than fit: all arrive, in order, and no more than allowed is held."""
    each = 10 // SCALE
    before = figure(admin, "buffer_waits")
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(CONNECTIONS)]
    requests = [b"".join(
        wire.proto.request("SET", "large:%d" % (n % 8), value_of(n)) + wire.proto.request("STRLEN", "large:%d" % (n % 8))
        for n in range(each)) for wire in wires]
    most = 0
    for turn, _ in enumerate(together(wires, requests)):
        if turn % 5 == 0:
            most = max(most, figure(admin, "mem_clients_requests"))
            bystander(admin, 1)
    for wire in wires:
        equal([wire.read() for _ in range(2 * each)], [b"OK", MB] * each)
        wire.close()
    assert figure(admin, "buffer_waits") > before
    assert MB < most < REQUESTS_MAX, "%.1f MB of requests" % (most / MB)
    assert admin.run("GET", "large:0")[:8] in (b"%08d" % n for n in range(each))
    equal(figure(admin, "evicted_clients"), 0)


def larger_than_the_budget(server, admin):
    """One at a time, beside it."""
    size = 3 * LIMIT
    wires = [Wire(server.port, proto) for proto in (Resp, Native, Resp)]
    senders = [Sender(wire, wire.proto.request("SET", "whole:%d" % n, value_of(n, size)) +
                      wire.proto.request("STRLEN", "whole:%d" % n)) for n, wire in enumerate(wires)]
    for wire, sender in zip(wires, senders):
        equal((wire.read(), wire.read()), (b"OK", size))
        sender.join()
        wire.close()
    equal(admin.run("GET", "whole:1"), value_of(1, size))
    equal(admin.run("DEL", *("whole:%d" % n for n in range(3))), 3)


def many_values_in_one_request(server, admin):
    """Nobody knows at its beginning how large it will be: those under way must not wait for each other."""
    values = 6
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(12)]
    senders = [Sender(wire, wire.proto.request("MSET", *(word for n in range(values) for word in (
        "many:%d:%d" % (i, n), value_of(n, MB // 2))))) for i, wire in enumerate(wires)]
    for i, (wire, sender) in enumerate(zip(wires, senders)):
        equal(wire.read(), b"OK")
        sender.join()
        equal(wire.run("GET", "many:%d:5" % i), value_of(5, MB // 2))
        wire.close()
    equal(admin.run("FLUSHALL"), b"OK")


def only_declared(server, admin):
    """Headers without data reserve nothing."""
    wires = [Wire(server.port) for _ in range(CONNECTIONS)]
    for wire in wires:
        wire.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n")
    wait_until("all have begun", lambda: admin.run("CLIENT", "LIST").count(b"qbuf=0 ") <= 1)
    assert figure(admin, "mem_clients_requests") < MB
    equal(figure(admin, "buffer_waiting_clients"), 0)
    for wire in wires:
        wire.close()


def fill_up(server, admin, hold):
    """Connections that hold all there is, and more that wait."""
    holders = []
    while figure(admin, "buffer_waiting_clients") < SHARDS:
        assert len(holders) < 2 * LIMIT // MB, "nobody waits"
        holders.append(Wire(server.port))
        before = figure(admin, "total_net_input_bytes")
        begin(Resp.request, holders[-1], hold, MB)
        wait_until("it has begun", lambda: figure(admin, "total_net_input_bytes") > before + 30000)
    return holders


def gone_while_waiting(server, admin):
    """Closed by themselves, half-closed, killed: what waits can end like any other."""
    for end in (Wire.close, Wire.reset, lambda wire: wire.socket.shutdown(1)):
        holders = fill_up(server, admin, 200000)
        for wire in reversed(holders):
            end(wire)
        bystander(admin, 20)
        quiet(admin)
        for wire in holders:
            wire.close()
    holders = fill_up(server, admin, 200000)
    equal(admin.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"), len(holders))
    quiet(admin)
    equal([wire.rest() for wire in holders], [[]] * len(holders))


def came_before_it_was_told_to_wait(server, admin):
    """The rest of a request is there already when its beginning finds no room: it is run, and the connection goes on.
    By epoll the rest is not taken any more, and the connection waits for room as others do."""
    holders = fill_up(server, admin, 200000)
    wires = [Wire(server.socket_path) for _ in range(2 * SHARDS)]
    for wire in wires:
        equal(wire.run("PING"), b"PONG")
    before = figure(admin, "buffer_waits")
    with stopped(server):
        for n, wire in enumerate(wires):
            wire.send(Resp.request("SET", "whole:%d" % n, value_of(n, 100000)))
    if figures(admin)["io_engine"] == "epoll":
        wait_until("all wait", lambda: figure(admin, "buffer_waits") >= before + len(wires))
        for wire in holders:
            wire.close()
    for n, wire in enumerate(wires):
        equal(wire.read(), b"OK")
        equal(wire.run("GET", "whole:%d" % n), value_of(n, 100000))
        wire.close()
    assert figure(admin, "buffer_waits") > before, "nobody was told to"
    for wire in holders:
        wire.close()


def queued_by_multi(server, admin):
    """A transaction that hoards is refused, small ones are not."""
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(4)]
    refused = 0
    for n in range(12):
        for wire in wires:
            if n == 0:
                equal(wire.run("MULTI"), b"OK")
            got = wire.run("SET", "queued:%d" % n, value_of(n, MB // 2))
            assert got == b"QUEUED" or got.startswith(b"OOM the transaction is larger"), got
            refused += got != b"QUEUED"
    assert 0 < refused < 48, refused
    assert figure(admin, "mem_clients_requests") < REQUESTS_MAX
    equal(admin.run("MULTI"), b"OK")
    equal(admin.run("INCR", "queued:small"), b"QUEUED")
    equal(admin.run("EXEC"), [1])
    for wire in wires:
        got = wire.run("EXEC")
        assert isinstance(got, (Error, list)), got
        equal(wire.run("PING"), b"PONG")
        wire.close()


# ---- replies ------------------------------------------------------------------------------------


def ask(server, count, *words):
    """A client that asks and does not read."""
    wire = Wire(server.port, receive_bytes=16384)
    Sender(wire, wire.proto.request(*words) * count)
    return wire


def unread_replies(server, admin):
    """Small values to many that do not read: they are run until the budget is used, and then as they read."""
    value, each = value_of(7, 10000), 600
    equal(admin.run("SET", "unread", value), b"OK")
    wires = [ask(server, each, "GET", "unread") for _ in range(CONNECTIONS)]
    settled = [0, 1]

    def is_settled():
        settled.append(figure(admin, "mem_clients_replies"))
        return settled[-1] == settled[-2] == settled[-3] > LIMIT // 4
    wait_until("no more is run", is_settled)
    assert settled[-1] < 2 * LIMIT, "%.1f MB of replies" % (settled[-1] / MB)
    bystander(admin, 50)
    equal(admin.run("GET", "unread"), value)
    for wire in wires:
        for _ in range(each):
            equal(wire.read(), value)
        wire.close()
    equal(figure(admin, "evicted_clients"), 0)


def read_and_deleted(server, admin):
    """Clients that have begun to receive a value, which then is deleted."""
    names = ["gone:%d" % n for n in range(GONE)]
    for n, name in enumerate(names):
        equal(admin.run("SET", name, value_of(n, GONE_BYTES)), b"OK")
    wires = [ask(server, 1, "GET", name) for name in names]
    for wire in wires:
        assert wire.more()
    equal(admin.run("DEL", *names), GONE)
    return wires


def deleted_while_unread(server, admin):
    """A value that is only kept for somebody who does not read it is no longer data."""
    before = figure(admin, "used_memory_dataset")
    wires = read_and_deleted(server, admin)
    assert figure(admin, "used_memory_dataset") < before + MB
    wait_until("they are replies", lambda: figure(admin, "mem_clients_replies") > GONE * GONE_BYTES // 2)
    bystander(admin, 20)
    got = {}
    while len(got) < GONE:
        ready = select.select([wire for wire in wires if wire not in got], [], [], 60)[0]
        assert ready, "%d of %d have come" % (len(got), GONE)
        for wire in ready:
            assert wire.more(), "closed with %d bytes of a reply" % len(wire.data)
            here, value = wire.take()
            if here:
                got[wire] = value
    for n, wire in enumerate(wires):
        equal(got[wire], value_of(n, GONE_BYTES))
        wire.close()
    quiet(admin)


# ---- in the way ---------------------------------------------------------------------------------


def newcomers_have_time(server, admin):
    """Who comes while there is pressure already has all of its patience."""
    equal(admin.run("CONFIG", "RESETSTAT"), b"OK")
    readers = read_and_deleted(server, admin)
    time.sleep(2.5)
    readers += read_and_deleted(server, admin)
    time.sleep(2.5)
    equal(figure(admin, "evicted_clients"), 0)
    for wire in readers:
        wire.close()


class SlowReader(threading.Thread):
    """Takes 32 KB a second: slow, but it does move."""

    def __init__(self, wire):
        super().__init__(daemon=True)
        self.wire, self.ended, self.taken = wire, False, 0
        self.start()

    def run(self):
        while not self.ended:
            data = self.wire.socket.recv(8192)
            if not data:
                return
            self.taken += len(data)
            time.sleep(0.25)


def who_does_not_move_is_closed(server, admin):
    """Some have stopped in the middle of a value, some do not read; who makes others wait in this way ends."""
    equal(admin.run("CONFIG", "RESETSTAT"), b"OK")
    readers = read_and_deleted(server, admin)
    slow = SlowReader(readers.pop())
    stopped = fill_up(server, admin, 300000)
    honest = Wire(server.port)
    sender = Sender(honest, b"".join(honest.proto.request("SET", "honest:%d" % n, value_of(n)) for n in range(10)))
    spared = Wire(server.port)
    equal(spared.run("CLIENT", "NO-EVICT", "on"), b"OK")
    begin(spared.proto.request, spared, 300000, MB)
    for _ in range(10):
        equal(honest.read(), b"OK")
    sender.join()
    wait_until("nobody waits", lambda: figure(admin, "buffer_waiting_clients") == 0, 3 * PATIENCE * SCALE)
    assert 0 < figure(admin, "evicted_clients") <= len(stopped) + len(readers)
    wait_until("no reply but one", lambda: figure(admin, "mem_clients_replies") < 2 * GONE_BYTES,
               3 * PATIENCE * SCALE)
    time.sleep(2)  # two more looks
    name = b" addr=127.0.0.1:%d " % slow.wire.socket.getsockname()[1]
    assert name in admin.run("CLIENT", "LIST"), "closed when it had taken %d bytes" % slow.taken
    slow.ended = True
    slow.join()
    slow.wire.close()
    wait_until("replies are within their half", lambda: figure(admin, "mem_clients_replies") < LIMIT // 2,
               3 * PATIENCE * SCALE)
    spared.send(b"b" * (MB - 300000) + b"\r\n")
    equal(spared.read(), b"OK")
    for wire in stopped + readers + [honest, spared]:
        wire.close()
    quiet(admin)


def ends_while_some_wait(server, admin):
    holders = fill_up(server, admin, 200000)
    server.ends_well()
    for wire in holders:
        wire.close()


if MODE == "tiny":
    print("the tiny build keeps so little for a connection that there is never too much")
    sys.exit(77)
descriptors(1000)
tests = Tests()
with Server(SHARDS, "--maxmemory", "256mb", "--maxmemory-clients", "%d" % LIMIT) as started:
    control = Wire(started.port)
    for name, test in (("large values take turns", large_values_take_turns),
                       ("larger than the budget", larger_than_the_budget),
                       ("many values in one request", many_values_in_one_request),
                       ("only declared", only_declared),
                       ("gone while waiting", gone_while_waiting),
                       ("came before it was told to wait", came_before_it_was_told_to_wait),
                       ("queued by MULTI", queued_by_multi),
                       ("unread replies", unread_replies),
                       ("deleted while unread", deleted_while_unread),
                       ("newcomers have time", newcomers_have_time),
                       ("who does not move is closed", who_does_not_move_is_closed)):
        print(name, flush=True)
        tests.run(name, test, started, control)
        tests.run(name + ": all is given back", quiet, control)
    tests.run("ends while some wait", ends_while_some_wait, started, control)
tests.finish()
