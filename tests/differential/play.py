"""Plays one program to all servers and says how the replies differ first."""

import time

import differences
from servers import Stream, exchange, exchange_all, inline, parse_all, request
from wire import Native

SHOWN = 300
SCAN_CALLS_MAX = 100_000


class Differs(Exception):
    """Carries what was found."""


class Parted(Exception):
    """The servers' states differ from here on, for a reason that is on the list."""


class Player:
    def __init__(self, servers):
        self.servers = servers
        self.drivers = [Stream(server) for server in servers]

    def play(self, program):
        self.native, self.alone = program["native"], program["alone"]
        self.first = 1 if self.alone else 0
        self.streams, self.queues = {}, {}
        self.drive(0, [[b"FLUSHALL"]])
        try:
            for self.at, step in enumerate(program["steps"]):
                getattr(self, "step_" + step[0])(*step[1:])
        except Differs as found:
            return found.args[0]
        except Parted:
            return None
        finally:
            for streams in self.streams.values():
                for stream in streams:
                    stream.close()
        return None

    # ---- steps -----------------------------------------------------------------------------------

    def step_run(self, connection, commands):
        if commands:
            data = exchange(self.streams_of(connection), self.payload(commands), len(commands), self.native)
            self.compare(connection, [words for _, words in commands], data, self.native)

    def step_together(self, couples):
        """Several connections at the same time, each in a database of its own."""
        couples = [(connection, commands) for connection, commands in couples if commands]
        jobs = [(stream, self.payload(commands), len(commands))
                for connection, commands in couples for stream in self.streams_of(connection)]
        exchange_all(jobs, self.native)
        for connection, commands in couples:
            data = [bytes(stream.data) for stream in self.streams[connection]]
            self.compare(connection, [words for _, words in commands], data, self.native)

    def streams_of(self, connection):
        """Those of a connection, opened anew if one of them has ended."""
        streams = self.streams.get(connection)
        if streams is None or any(stream.ended for stream in streams):
            for stream in streams or ():
                stream.close()
            streams = self.streams[connection] = self.connect()
            self.queues[connection] = None
        return streams

    def payload(self, commands):
        if self.native:
            return b"".join(Native.request(*words) for _, words in commands)
        return b"".join(inline(words) if form == "inline" else request(words) for form, words in commands)

    def connect(self):
        return [Stream(server) for server in self.servers[self.first:]]

    def step_raw(self, payload):
        streams = self.connect()
        try:
            data = exchange(streams, payload + b"\r\nQUIT\r\n", None)
        finally:
            for stream in streams:
                stream.close()
        self.compare_whole([b"raw", payload], [("raw", one) for one in data])

    def step_wait(self, milliseconds):
        time.sleep(milliseconds / 1000)

    def step_scan(self, database, options):
        """Whole iterations: nothing changes meanwhile, so that each returns the same keys."""
        found = []
        for at in range(self.first, len(self.servers)):
            found.append(self.iterate(at, database, options))
        self.compare_whole([b"whole scan"] + options, [("keys", keys) for keys in found])

    def iterate(self, at, database, options):
        """The keys in order, or the error."""
        keys = set()
        for some in self.calls(at, database, options):
            if isinstance(some, bytes):
                return some
            keys |= some
        return sorted(keys)

    def calls(self, at, database, options):
        """What each call of one iteration returns: a set of keys, or an error."""
        cursor = b"0"
        for _ in range(SCAN_CALLS_MAX):
            payload = request([b"SELECT", b"%d" % database]) + request([b"SCAN", cursor] + options)
            reply = parse_all(exchange([self.drivers[at]], payload, 2)[0], False)[1]
            if reply[0] != "*":
                yield reply[1]
                return
            cursor = reply[1][0][1]
            yield {key[1] for key in reply[1][1][1]}
            if cursor == b"0":
                return
        raise AssertionError("SCAN of %s does not end" % self.servers[at].name)

    def step_scan_beside_changes(self, database, count):
        """Keys that are there all the while have to be returned, whatever becomes of others."""
        kept = self.drive(database, [[b"KEYS", b"*"]])[1][1]
        kept = {key[1] for key in kept}
        churned = [b"churn:%d" % i for i in range(count)]
        for at in range(self.first, len(self.servers)):
            found = set()
            for number, keys in enumerate(self.calls(at, database, [b"COUNT", b"3"])):
                found |= keys
                key = churned[number % count]
                change = [b"DEL", key] if number // count % 2 else [b"SET", key, b"v"]
                exchange([self.drivers[at]], request(change), 1)
            if not kept <= found or not found <= kept | set(churned):
                self.differs([b"SCAN", b"beside changes"], [("keys", sorted(kept)), ("keys", sorted(found))], 0, at - self.first)
            exchange([self.drivers[at]], request([b"DEL"] + churned), 1)

    def step_state(self, databases):
        """All there is at the end: a reply may be right and what it left behind not."""
        for database in databases:
            listed = self.drive(database, [[b"KEYS", b"*"], [b"DBSIZE"]])[1][1]
            commands = []
            for key in sorted(key[1] for key in listed):
                commands += [[b"GET", key], [b"PEXPIRETIME", key], [b"OBJECT", b"ENCODING", key]]
            if commands:
                self.drive(database, commands)

    def drive(self, database, commands):
        """On connections that every program uses. The replies of the first server."""
        self.queues["driver"] = None
        commands = [[b"SELECT", b"%d" % database]] + commands
        data = exchange(self.drivers[self.first:], b"".join(map(request, commands)), len(commands))
        self.compare("driver", commands, data)
        return parse_all(data[0], False)

    # ---- comparison ------------------------------------------------------------------------------

    def couples(self):
        """The first shoal against the reference, and the others against it."""
        return [(0, 1, self.alone)] + [(1, other, True) for other in range(2, len(self.servers) - self.first)]

    def compare_whole(self, words, replies):
        for one, other, between in self.couples():
            if replies[one] != replies[other] and not self.explained(words, replies[one], replies[other], between, None):
                self.differs(words, [replies[one], replies[other]], one, other)

    def compare(self, connection, commands, data, native=False):
        queue = self.queues[connection]
        begins = queue is not None or any(words[0].lower() == b"multi" for words in commands)
        if not begins and all(other == data[0] for other in data[1:]):
            return
        replies = [parse_all(one, native) for one in data]
        for number, words in enumerate(commands):
            row = [one[number] if number < len(one) else ("nothing", None) for one in replies]
            queue = self.queues[connection]
            for one, other, between in self.couples():
                if row[one] != row[other] and not self.explained(words, row[one], row[other], between, queue):
                    self.differs(words, [row[one], row[other]], one, other)
            self.follow(connection, words, row[0])
        for one, other, _ in self.couples():
            if len(replies[one]) != len(replies[other]):
                self.differs(commands[-1], [("replies", len(replies[one])), ("replies", len(replies[other]))], one, other)

    def explained(self, words, reference, got, between, queue):
        if differences.full_name(words) == "exec" and queue is not None and self.alike(reference, got, len(queue)):
            return all(a == b or self.explained(each, a, b, between, None)
                       for each, a, b in zip(queue, reference[1], got[1]))
        rule = differences.explanation(words, reference, got, between)
        if rule is not None and rule.parts:
            raise Parted
        return rule is not None

    @staticmethod
    def alike(a, b, count):
        return a[0] == b[0] == "*" and a[1] is not None and b[1] is not None and len(a[1]) == len(b[1]) == count

    def follow(self, connection, words, reply):
        """What is queued, by what the first server says."""
        queue, name = self.queues[connection], words[0].lower()
        if reply[1] == b"QUEUED" and queue is not None and reply[0] in "+$":
            queue.append(words)
        elif name == b"multi" and reply[0] in "+$":
            self.queues[connection] = []
        elif name in (b"exec", b"discard", b"reset") and (reply[0] != "-" or reply[1].startswith(b"EXECABORT")):
            self.queues[connection] = None

    def differs(self, words, replies, one, other):
        command = differences.full_name(words)
        names = [self.servers[self.first + at].name for at in (one, other)]
        raise Differs({
            "name": command, "step": self.at, "kind": (command, kind(replies[0]), kind(replies[1])),
            "text": "%s\n%s: %s\n%s: %s" % (short(words), names[0], short(replies[0]), names[1], short(replies[1]))})


def kind(reply):
    """Failures of one kind are shrunk once."""
    if reply[0] == "-":
        return reply[0], b" ".join(reply[1].split()[:4])
    if reply[0] == "raw":
        return reply[1][:40]
    return reply[0], reply[1] is None


def short(thing):
    text = repr(thing)
    return text if len(text) < SHOWN else "%s ... (%d) ... %s" % (text[:SHOWN - 100], len(text), text[-60:])
