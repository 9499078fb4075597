"""The words that programs are made of: keys, values and numbers, the awkward ones first of all.

No number here, as an offset of bytes or bits, makes a string of more than 20 MB: what lies between is
left out, and what is larger is refused.
"""

KEYS = [b"k%d" % i for i in range(7)] + [b"", b"{t}a", b"{t}b", b"\x00\xff\r\n \x80", b"key:" + b"x" * 60]
RARE_KEYS = [b"no such key", b"{}x", b"{t", b"K1", b"l" * 5000, b"*", b"\\", b"k0 "]
SMALL = [b"0", b"1", b"-1", b"2", b"3", b"5", b"10", b"-2", b"-10", b"100"]
LARGE = [b"9223372036854775807", b"-9223372036854775808", b"9223372036854775806", b"9223372036854775808",
         b"-9223372036854775809", b"4294967296", b"18446744073709551615", b"18446744073709551616",
         b"-9223372036854775807", b"4611686018427387904"]
INTEGERS = SMALL + LARGE
NOT_INTEGERS = [b"", b" 1", b"1 ", b"+1", b"01", b"-0", b"--1", b"1.0", b"1e3", b"0x10", b"x", b"1\n",
                b"1\x00", b"-", b"\xd9\xa1", b"99999999999999999999999999999"]
FLOATS = [b"0.1", b"-0.1", b"1.5", b"3.0", b"1e10", b"1e-17", b"1e-18", b"5.0e3", b".5", b"5.", b"+1.5",
          b"1e400", b"1e5000", b"inf", b"-inf", b"nan", b"0x1p3", b"1.7976931348623157e308",
          b"0.30000000000000004", b"1e-400", b"-0.0", b"1e", b"infinity", b" 1.5", b"1.5 ", b"1,5",
          b"123456789.987654321", b"99999999999999999.5", b"1e17", b"1e21", b"0." + b"1" * 300]
TEXTS = [b"hello", b"x" * 44, b"x" * 45, b"y" * 1000, b"z" * 20000, b"\x00\x01\xfe\r\n", b"OK", b"-ERR",
         b"a" * 16384, b"b" * 16383, b"\xff" * 20, b"foobar", b"ohmytext", b"mynewtext"]
VALUES = INTEGERS + NOT_INTEGERS + FLOATS + TEXTS
OFFSETS = [b"0", b"1", b"2", b"5", b"-1", b"-2", b"-5", b"-100", b"100", b"44", b"45", b"20000", b"-20001",
           b"9223372036854775807", b"-9223372036854775808", b"x", b"", b"1.5", b"-9223372036854775807"]
WRITE_OFFSETS = OFFSETS + [b"536870912", b"536870911999", b"9223372036854775800"]
BIT_OFFSETS = [b"0", b"1", b"6", b"7", b"8", b"9", b"63", b"64", b"100", b"353", b"1023", b"160007",
               b"4294967296", b"-1", b"x", b"", b"1.5", b"9223372036854775807", b"9223372036854775808"]
BIT_RANGE = [b"0", b"1", b"3", b"7", b"8", b"15", b"44", b"63", b"64", b"70", b"-1", b"-2", b"-8", b"-9",
             b"-70", b"7999", b"160000", b"-160001", b"9223372036854775807", b"-9223372036854775808", b"x", b""]
BITMAPS = [b"\xff" * 3, b"\x00" * 9, b"\xff" * 70, b"\x00" * 69 + b"\x10", b"\x7f", b"\x80\x01",
           b"\xff" * 40 + b"\xf7" + b"\xff" * 9, b""]
FIELD_TYPES = [b"u1", b"u2", b"u8", b"u31", b"u63", b"i1", b"i5", b"i8", b"i16", b"i63", b"i64"]
BAD_FIELD_TYPES = [b"u64", b"i65", b"u0", b"i", b"", b"8", b"s8", b"u08", b"u-1", b"U8",
                   b"i9223372036854775808"]
FIELD_OFFSETS = [b"0", b"1", b"5", b"8", b"100", b"360", b"#0", b"#1", b"#3", b"#10"]
BAD_FIELD_OFFSETS = [b"-1", b"x", b"", b"#", b"#-1", b"#x", b"4294967296", b"#4294967296", b"##1",
                     b"9223372036854775807", b"#9223372036854775807"]
FIELD_VALUES = [b"0", b"1", b"-1", b"2", b"5", b"-7", b"100", b"127", b"128", b"255", b"256", b"-128",
                b"-129", b"9223372036854775807", b"-9223372036854775808"]
BAD_TIMES = [b"0", b"-1", b"x", b"", b"1.5", b"9223372036854775807", b"9223372036854775",
             b"9223372036854776", b"-9223372036854775808", b"-9223372036854775", b"9223372036854775808", b"+5"]
# Relative times are unique and 100 s apart, absolute ones later than any of them: see differences.py.
WALL_S = [b"4102444800", b"4102444801", b"9999999999", b"4611686018427387"]
WALL_MS = [b"4102444800000", b"4102444800499", b"4102444800500", b"9223372036854775807", b"4102444800999"]
PATTERNS = [b"*", b"k*", b"k?", b"k[0-3]", b"[^k]*", b"k\\0", b"[", b"k[", b"k[1", b"", b"*1", b"k[3-0]", b"K1",
            b"\\", b"k\\", b"?", b"k[^0]", b"k[\\0]", b"{t}?", b"*\x80*", b"k**?", b"***", b"k[]", b"[k-]0",
            b"key:x*x", b"\\*", b"[a-z][0-9]"]
DATABASES = [b"0", b"1", b"2", b"9", b"15", b"16", b"-1", b"x", b"", b"9223372036854775807", b"1.5", b" 1", b"01"]
CURSORS = [b"0", b"1", b"x", b"1x", b" 1", b"-1", b"", b"18446744073709551615", b"18446744073709551616",
           b"99999999999999999999999", b"12345"]
TYPES = [b"string", b"STRING", b"list", b"set", b"hash", b"zset", b"stream", b"foo", b""]
FIXED = {
    "shutdown": [
        [b"foo"], [b"SAVE", b"NOSAVE"], [b"ABORT"], [b"abort", b"now"], [b"NOW", b"x"], [b""],
    ],
    "debug": [
        [b"sleep", b"0"], [b"SLEEP", b"0"], [b"nosuch"], [b"nosuch", b"x"], [b""], [b"sleep"],
    ],
    "client|kill": [
        [b"ID", b"0"], [b"id", b"x"], [b"ID", b"-1"], [b"TYPE", b"foo"], [b"ADDR", b"1.2.3.4:5"],
        [b"1.2.3.4:5"], [b"nosuch"], [b"LADDR", b"x"], [b"SKIPME", b"foo"],
        [b"skipme", b"yes", b"ID", b"99999999999"], [b"USER", b"nosuch"], [b"foo", b"bar"], [b"ID"],
        [b"ID", b"99999999999", b"TYPE"], [b"addr", b""], [b"ID", b"9223372036854775808"], [b"ID", b""],
        [b"ID", b"1.5"], [b"TYPE", b"replica"], [b"TYPE", b"PUBSUB"], [b"type", b"master", b"type", b"slave"],
        [b"user", b"default", b"id", b"99999999999"],
    ],
    "client|pause": [
        [b"0"], [b"0", b"WRITE"], [b"0", b"all"], [b"0", b"foo"], [b"x"], [b"-1"], [b""], [b"1.5"],
        [b"9223372036854775808"], [b"0", b"all", b"x"], [b" 0"], [b"00"],
    ],
    "config|set": [
        [b"nosuch", b"x"], [b"slowlog-max-len", b"128"], [b"slowlog-max-len", b"x"],
        [b"SLOWLOG-MAX-LEN", b"1.5"], [b"slowlog-max-len"],
        [b"slowlog-max-len", b"128", b"slowlog-max-len", b"100"], [b"timeout", b"0"], [b"timeout", b"x"],
        [b"timeout", b"-1"], [b"timeout", b""], [b"nosuch", b"1", b"timeout", b"x"],
        [b"timeout", b"0", b"nosuch", b"1"], [b"timeout", b"0", b"maxmemory-samples"],
        [b"maxmemory-samples", b"0"], [b"maxmemory-samples", b"x"], [b"maxmemory-samples", b"5"], [b"maxmemory", b"x"],
        [b"maxmemory", b"-1"], [b"maxmemory", b"1zb"], [b"hz", b"10"], [b"latency-monitor-threshold", b"0"],
        [b"slowlog-log-slower-than", b"x"], [b"", b""],
        [b"tcp-keepalive", b"x"], [b"lazyfree-lazy-user-del", b"maybe"], [b"databases", b"5"],
        [b"proto-max-bulk-len", b"1"], [b"client-query-buffer-limit", b"1"], [b"activedefrag", b"x"],
    ],
    "hello": [
        [b"3", b"AUTH", b"x", b"y", b"z"], [b"2", b"auth", b"nosuch", b"x", b"setname", b"a b"], [b"3", b"AUTH", b"x"],
        [b"2", b"SETNAME", b"x", b"AUTH", b"nosuch", b""], [b"3", b"setname", b"a b"], [b"3", b"SETNAME"], [b"3", b"setname", b""],
    ],
    "auth": [
        [b"x"], [b""], [b"default", b"x"], [b"nosuch", b"x"], [b"a", b"b", b"c"], [b"default", b""],
    ],
}
# What changes more than the database of its connection, or which one that is.
REACHES_OUT = {b"flushall", b"select", b"swapdb", b"move", b"copy", b"reset", b"quit", b"debug"}
ANY = KEYS + VALUES + OFFSETS + FIELD_TYPES + BAD_TIMES + PATTERNS
