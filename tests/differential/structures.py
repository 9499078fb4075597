"""Commands with arguments that are worth trying, and groups of commands that belong together."""

import pools

RAW = [
    b"*1\r\n$4\r\nPING\r\n*x\r\n", b"*1\r\n+PING\r\n", b"*-1\r\nPING\r\n", b"*0\r\nPING\r\n",
    b"*2\r\n$3\r\nGET\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*1048577\r\n", b"*1\r\n$536870913\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"\r\n\r\nPING\r\n", b"PING\n", b"  PING   \r\n",
    b"SET k0 \"a\r\n", b"SET k0 'a'b\r\n", b"SET k0 'a b'\r\nGET k0\r\n", b"ECHO \"\\x41\\n\\q\"\r\n",
    b"ECHO 'it\\'s'\r\n", b"*3\r\n$3\r\nSET\r\n$2\r\nk0\r\n", b"*2147483648\r\n",
    b"*99999999999999999999\r\n", b"* 1\r\n", b"*+1\r\n$4\r\nPING\r\n", b"*01\r\n$4\r\nPING\r\n",
    b"*1\r\n$04\r\nPING\r\n", b"*1\r\n$ 4\r\nPING\r\n", b"*\r\n", b"$4\r\nPING\r\n", b":1\r\n", b"+OK\r\n",
    b"\x00\r\n", b"PING\r", b"\n", b"get\tk0\r\n", b"GET k0\x00x\r\n", b"*1\n$4\nPING\n", b"*1\r\n$0\r\n\r\n",
    b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", b"*1\r\n$-5\r\n", b"QUIT\r\nPING\r\n", b"quit x\r\nPING\r\n",
    b"HELLO 3\r\nHELLO 9\r\nHELLO x\r\nGET nokey\r\n",
    b"HELLO 3\r\nCLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\n", b"CLIENT REPLY SKIP\r\nPING\r\nPING\r\n",
    b"CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n",
    b"MULTI\r\nCLIENT REPLY OFF\r\nPING\r\nEXEC\r\nPING\r\n", b"CLIENT REPLY\r\nCLIENT REPLY x\r\n",
    b"MULTI\r\nSET k0 1\r\n*x\r\n", b"MULTI\r\nSET k0 1\r\nQUIT\r\nEXEC\r\n",
    b"MULTI\r\nSET k0 1\r\n*2\r\n$3\r\nGET\r\n$9",
]


class Structures:
    """The part of the generator that knows commands by name. What it calls is in Generator."""

    # ---- strings ---------------------------------------------------------------------------------

    def row_get(self):
        return [self.key()]

    row_getdel = row_strlen = row_incr = row_decr = row_ttl = row_pttl = row_persist = row_type = row_get
    row_expiretime = row_pexpiretime = row_object_encoding = row_object_refcount = row_get

    def row_set(self):
        roll, words = self.rng.random(), [self.key(), self.value()]
        if roll < 0.4:
            return words
        if roll < 0.8:
            return words + self.options([b"nx", b"xx", b"get", b"keepttl"] + self.timed(), 0.15)
        return words + self.options([b"nx", b"xx", b"get", b"keepttl", b"persist", b"foo"] + self.timed(), 0.2)

    def row_setnx(self):
        return [self.key(), self.value()]

    row_getset = row_append = row_setnx

    def row_setex(self):
        return [self.key(), self.relative(False), self.value()]

    def row_psetex(self):
        return [self.key(), self.relative(True), self.value()]

    def row_getex(self):
        return [self.key()] + self.options([b"persist", b"keepttl"] + self.timed(), 0.15)

    def row_mget(self):
        return self.keys()

    row_del = row_unlink = row_exists = row_touch = row_mget

    def row_mset(self):
        words = []
        for _ in range(self.rng.randint(1, 6)):
            words += [self.key(), self.value()]
        return words

    row_msetnx = row_mset

    def row_setrange(self):
        return [self.key(), self.rng.choice(pools.WRITE_OFFSETS), self.value()]

    def row_getrange(self):
        return [self.key(), self.rng.choice(pools.OFFSETS), self.rng.choice(pools.OFFSETS)]

    row_substr = row_getrange

    def row_incrby(self):
        return [self.key(), self.integer()]

    row_decrby = row_incrby

    def row_incrbyfloat(self):
        return [self.key(), self.rng.choice(pools.FLOATS + pools.INTEGERS + pools.NOT_INTEGERS)]

    def row_lcs(self):
        least = lambda: [b"minmatchlen", self.pick(b"0", b"1", b"2", b"5", b"-1", b"x", b"9223372036854775807")]
        options = self.options([b"idx", b"idx", b"len", b"withmatchlen", least], 0.25)
        keys = [self.pick(b"{t}a", b"{t}b", self.key()) for _ in range(2)]
        return keys + options + self.options([b"minmatchlen", b"foo"], 0.02)

    def lcs_pair(self):
        text = lambda: bytes(self.rng.choices(b"abc", k=self.rng.randint(0, 60)))
        return [[b"set", key, text()] for key in (b"{t}a", b"{t}b")] + [[b"LCS"] + self.row_lcs()]

    # ---- bits ------------------------------------------------------------------------------------

    def row_setbit(self):
        bit = self.pick(b"0", b"1", b"0", b"1", b"0", b"1", b"2", b"-1", b"x")
        return [self.key(), self.rng.choice(pools.BIT_OFFSETS), bit]

    def row_getbit(self):
        return [self.key(), self.rng.choice(pools.BIT_OFFSETS)]

    def bit_range(self):
        bound = lambda: self.rng.choice(pools.BIT_RANGE)
        unit = [self.pick(b"bit", b"BIT", b"byte", b"foo")] if self.rng.random() < 0.4 else []
        return self.pick([], [bound()], [bound(), bound()] + unit, [bound(), bound()] + unit)

    def row_bitcount(self):
        return [self.key()] + self.bit_range()

    def row_bitpos(self):
        return [self.key(), self.pick(b"0", b"1", b"0", b"1", b"2", b"-1", b"x")] + self.bit_range()

    def row_bitop(self):
        keys = [self.key()] if self.rng.random() < 0.2 else self.keys()
        return [self.pick(b"and", b"OR", b"xor", b"Not", b"foo"), self.key()] + keys

    def field(self, only_gets):
        bad = self.rng.random() < 0.04
        kinds = pools.BAD_FIELD_TYPES if bad else pools.FIELD_TYPES
        places = pools.BAD_FIELD_OFFSETS if self.rng.random() < 0.04 else pools.FIELD_OFFSETS
        place = [self.rng.choice(kinds), self.rng.choice(places)]
        if only_gets:
            return [self.case(b"get")] + place
        value = self.rng.choice(pools.NOT_INTEGERS if self.rng.random() < 0.03 else pools.FIELD_VALUES)
        way = self.pick(b"wrap", b"sat", b"fail", b"sat", b"fail", b"SAT", b"x")
        incrby = [b"incrby"] + place + [value]
        return self.pick([b"get"] + place, [b"set"] + place + [value], incrby, incrby, [b"overflow", way])

    def row_bitfield(self):
        words = [self.key()]
        for _ in range(self.rng.randint(0, 6)):
            words += self.field(self.rng.random() < 0.1)
        return words

    def row_bitfield_ro(self):
        words = [self.key()]
        for _ in range(self.rng.randint(0, 4)):
            words += self.field(self.rng.random() < 0.9)
        return words

    # ---- any key ---------------------------------------------------------------------------------

    def conditions(self):
        return self.options([b"nx", b"xx", b"gt", b"lt"], 0.2) + self.options([b"foo"], 0.03)

    def row_expire(self):
        return [self.key(), self.relative(False)] + self.conditions()

    def row_pexpire(self):
        return [self.key(), self.relative(True)] + self.conditions()

    def row_expireat(self):
        return [self.key(), self.wall(False)] + self.conditions()

    def row_pexpireat(self):
        return [self.key(), self.wall(True)] + self.conditions()

    def row_rename(self):
        return [self.key(), self.key()]

    row_renamenx = row_rename

    def database(self):
        return self.rng.choice(pools.DATABASES if self.rng.random() < 0.5 else (b"0", b"1", b"2"))

    def seen(self, database):
        if database.isdigit() and len(database) < 3 and int(database) < 16:
            self.databases.add(int(database))
        return database

    def row_copy(self):
        database = lambda: [self.case(b"db"), self.seen(self.database())]
        return [self.key(), self.key()] + self.options([database, b"replace"], 0.3) + self.options([b"foo", b"db"], 0.02)

    def row_move(self):
        return [self.key(), self.seen(self.database())]

    def row_swapdb(self):
        return [self.seen(self.database()), self.seen(self.database())]

    def row_select(self):
        return [self.seen(self.database())]

    def row_keys(self):
        return [self.rng.choice(pools.PATTERNS)]

    def row_scan(self):
        return [self.rng.choice(pools.CURSORS)] + self.scan_options() + self.options([b"match", b"foo", b"count"], 0.02)

    def scan_options(self):
        count = lambda: [self.case(b"count"), self.rng.choice((b"1", b"2", b"7", b"10", b"1000"))]
        match = lambda: [self.case(b"match"), self.rng.choice(pools.PATTERNS)]
        kind = lambda: [self.case(b"type"), self.rng.choice(pools.TYPES)]
        return self.options([match, count, count, kind], 0.3)

    def row_memory_usage(self):
        return [self.key()] + self.options([lambda: [b"samples", self.integer()], b"samples", b"foo"], 0.2)

    # ---- transactions ----------------------------------------------------------------------------

    def row_watch(self):
        return self.keys()

    def transaction(self):
        """WATCH, perhaps a change, MULTI, a few commands, EXEC: whole as a rule, so that many run."""
        commands = []
        if self.rng.random() < 0.4:
            commands.append([b"WATCH"] + self.keys())
            if self.rng.random() < 0.4:
                commands.append(self.command())
        commands.append([self.case(b"multi")])
        for _ in range(self.rng.choice((0, 1, 2, 3, 5, 9))):
            commands.append(self.spoil(self.command()) if self.rng.random() < 0.1 else self.command())
        end = self.pick([b"EXEC"], [b"EXEC"], [b"EXEC"], [b"exec"], [b"DISCARD"], [b"EXEC", b"x"], [b"DISCARD", b"x"])
        return commands + [end]

    def watched(self):
        """What one connection watches another may change, in every way there is."""
        one, other = self.rng.sample(range(self.connections), 2)
        watch = [[b"DISCARD"], [b"WATCH"] + self.keys()]
        change = [self.command() for _ in range(self.rng.randint(1, 3))]
        body = [self.command() for _ in range(self.rng.randint(0, 3))]
        return [["run", one, self.formed(watch)], ["run", other, self.formed([[b"DISCARD"]] + change)],
                ["run", one, self.formed([[b"MULTI"]] + body + [[b"EXEC"]])]]

    def together(self):
        """All connections at once, each in a database of its own, without what reaches into others."""
        couples = []
        for connection in range(self.connections):
            commands = [[b"DISCARD"], [b"UNWATCH"], [b"SELECT", b"%d" % connection]]
            self.databases.add(connection)
            for _ in range(self.rng.randint(5, 30)):
                commands += [words for words in self.some() if words[0].lower() not in pools.REACHES_OUT]
            couples.append([connection, self.formed(commands)])
        return [["together", couples]]

    # ---- groups ----------------------------------------------------------------------------------

    def encoding(self):
        """How a value is kept after what was done to it."""
        key, part = self.key(), self.pick(b"", b"1", b"x")
        commands = [[b"SET", key, self.value()]]
        for _ in range(self.rng.randint(0, 3)):
            commands.append(self.pick(
                [b"APPEND", key, part], [b"SETRANGE", key, b"1", part],
                [b"SETBIT", key, self.pick(b"0", b"1", b"100"), self.pick(b"0", b"1")],
                [b"BITFIELD", key, b"set", b"u8", b"0", b"49"], [b"INCR", key],
                [b"BITFIELD", key, b"get", b"u8", b"0"], [b"PERSIST", key], [b"INCRBYFLOAT", key, part],
                [b"EXPIRE", key, self.relative(False)], [b"GETSET", key, self.value()],
                [b"RENAME", key, self.key()], [b"COPY", self.key(), key, b"REPLACE"], [b"GETEX", key, b"persist"]))
        return commands + [[b"OBJECT", b"ENCODING", key]]

    def bulk(self):
        """So many keys that the table grows."""
        keys = self.rng.sample(range(1000), self.rng.choice((50, 100, 125) if self.native else (100, 300, 500)))
        name, value = self.pick((b"MSET", b"v"), (b"MSET", b""), (b"MSETNX", b"w"), (b"DEL", None), (b"UNLINK", None), (b"MGET", None))
        words = [name]
        for key in keys:
            words += [b"bulk:%d" % key] if value is None else [b"bulk:%d" % key, value]
        return words

    def garbage(self):
        words = [self.pick(b"foo", b"get2", b"", b"object", b"memory", b"x" * 200, b"set\r\n", b"ge", b"client", b"config",
                           b"command", b"\xff\x00", b"get ")]
        return words + [self.value() for _ in range(self.rng.randint(0, 4))]

    def raw(self):
        begin = b"".join(self.rng.choices((b"SET k0 v\r\n", b"PING\r\n", b"GET k0\r\n"), k=self.rng.randint(0, 2)))
        return begin + self.rng.choice(RAW)

    def expiring(self, connection):
        """Keys that are dead by the next step, watched or not, and then asked for in every way."""
        key, other = self.key(), self.key()
        die = self.pick([[b"SET", key, b"v", b"PX", b"60"]], [[b"SET", key, b"v"], [b"PEXPIRE", key, b"60"]],
                        [[b"SETEX", key, b"100", b"v"], [b"PEXPIRE", key, b"60", b"LT"]], [[b"PSETEX", key, b"60", b"v"]],
                        [[b"SET", other, b"v", b"PX", b"60"], [b"RENAME", other, key]],
                        [[b"SET", other, b"v", b"PX", b"60"], [b"COPY", other, key, b"REPLACE"]])
        after = [[b"WATCH", key]] if self.rng.random() < 0.3 else []
        live = [["run", connection, [["resp", [b"DISCARD"]]] + [["resp", words] for words in die + after]], ["wait", 130]]
        ask = self.pick([b"GET", key], [b"TTL", key], [b"EXISTS", key, key], [b"SET", key, b"x", b"NX"], [b"PERSIST", key],
                        [b"SET", key, b"x", b"XX"], [b"SET", key, b"x", b"KEEPTTL"], [b"INCR", key], [b"APPEND", key, b"x"],
                        [b"GETSET", key, b"x"], [b"RENAME", key, b"k1"], [b"RENAMENX", b"k1", key], [b"COPY", key, b"k1"],
                        [b"DEL", key], [b"UNLINK", key], [b"TYPE", key], [b"MSETNX", key, b"1", b"k2", b"2"], [b"GETDEL", key],
                        [b"GETEX", key, b"EX", b"100"], [b"EXPIRE", key, b"100"], [b"SETBIT", key, b"1", b"1"], [b"TOUCH", key],
                        [b"OBJECT", b"ENCODING", key], [b"BITCOUNT", key], [b"STRLEN", key], [b"MGET", key, other], [b"KEYS", b"*"])
        then = [ask, [b"MULTI"], [b"GET", key], [b"EXEC"], [b"EXISTS", key, other]]
        return live + [["run", connection, [["resp", words] for words in then]]]
