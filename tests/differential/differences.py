"""What differs on purpose: from redis-server 7.0.15, or between numbers of shards. The ONE list.

A rule is asked only where two replies differ, and says whether it explains how. It is given the words
of the command (the name in lower case) and both replies, taken apart as in servers.parse_resp(). A rule
that matches nothing in a long run is reported, so that the list cannot rot.
"""

import re

import pools

SECOND_TOLERANCE = 5
ABSOLUTE = {int(time) for time in pools.WALL_S + pools.WALL_MS}

# Commands that are not generated, and why.
NOT_GENERATED = {
    "quit": "it is in raw steps, which read up to the end",
    "client|reply": "its replies cannot be counted: it is in raw steps",
    "config|rewrite": "there is no config file",
}

# Flags of COMMAND INFO whose commands are not generated, and why.
FLAGS_NOT_GENERATED = {
    "pubsub": "one request may have several replies, and others come unasked",
    "blocking": "the reply waits for another client",
}

TESTS_OWN = "debug"  # what is there for the end-to-end tests alone begins with this

# Commands with a few words of their own only (pools.FIXED), and why.
FIXED_WORDS = {
    "shutdown": "it ends the server: what is refused",
    "debug": "it is about the inside of a server: what changes nothing",
    "client|kill": "it ends connections: what is refused, or matches none",
    "client|pause": "it holds every client: what is refused, or is over at once",
    "config|set": "the settings are others: what is refused, and a few that change no reply",
    "auth": "there is no password",
}

# Rows of COMMAND INFO that are not Redis's, and why.
OTHER_ROWS = {
    "spublish": "a channel is no key: nothing is routed by it", "ssubscribe": "likewise", "sunsubscribe": "likewise",
}

# Options that only programs without redis-server have, and why.
ONLY_BETWEEN_SHARDS = {
    ("set", b"IFEQ"): "it is Valkey's, and Redis refuses it",
}



def saturated_least(words):
    return words[0].lower() == b"bitfield" and b"-9223372036854775808" in words


def soon_over(words):
    """A relative time of less than 100 s."""
    name = words[0].lower()
    if name in (b"setex", b"expire", b"psetex", b"pexpire"):
        times = [(words[2], name[:1] == b"p")] if len(words) > 2 else []
    elif name in (b"set", b"getex"):
        times = [(words[at + 1], words[at].lower() == b"px") for at in range(2, len(words) - 1)
                 if words[at].lower() in (b"ex", b"px")]
    else:
        return False
    return any(time.isdigit() and 0 < int(time) < (100_000 if milli else 100) for time, milli in times)


# Commands that programs do not have, since the keys would differ from there on; where redis-server is
# among the servers, or anywhere.
AVOIDED = [
    (saturated_least, True, "Redis overflows where BITFIELD SETs the least number under OVERFLOW SAT: it sets the greatest"),
    (soon_over, False, "the key might be gone on a slow server only; there are steps of their own for keys that run out"),
]


def may_fail_to_set(words):
    return words[0].lower() == b"bitfield" and b"fail" in [word.lower() for word in words]


def watches(words):
    return words[0].lower() == b"watch"


# Of these a program with redis-server has the one or the other.
NOT_TOGETHER = [
    (may_fail_to_set, watches, "where BITFIELD grows a string and then sets nothing, WATCH sees that it has grown; not in Redis"),
]


def is_avoided(words, alone):
    return any(avoided(words) for avoided, with_redis, _ in AVOIDED if not (alone and with_redis))


BETWEEN_SHARDS, FROM_REDIS = "between numbers of shards", "from Redis"
RULES = []


class Rule:
    def __init__(self, explains, where, reason, parts, rare):
        self.name, self.explains = explains.__name__, explains
        self.where, self.reason, self.parts, self.rare, self.count = where, reason, parts, rare, 0


def rule(where, reason, parts=False, rare=False):
    """The function below is a rule; `where`: BETWEEN_SHARDS holds for both kinds of comparison.
    `parts`: the servers' states part there, so that the program ends without a failure. `rare`: a long
    run may do without it."""
    def keep(function):
        RULES.append(Rule(function, where, reason, parts, rare))
        return function
    return keep


def explanation(words, reference, got, between_shards):
    """The rule that explains how the replies differ, or None."""
    name = full_name(words)
    for one in RULES:
        if (not between_shards or one.where == BETWEEN_SHARDS) and one.explains(name, words, reference, got):
            one.count += 1
            return one
    return None


CONTAINERS = {"object", "memory", "client", "config", "command", "cluster", "slowlog", "latency", "function", "script",
              "acl", "module", "pubsub", "xinfo", "xgroup"}


def full_name(words):
    first = words[0].decode("latin-1").lower()
    if first in CONTAINERS and len(words) > 1:
        return first + "|" + words[1].decode("latin-1").lower()
    return first


def is_error(reply):
    return reply[0] in "-!"


def error(reply, text):
    return reply[0] == "-" and reply[1].startswith(text)


# ---- what no two servers answer alike ------------------------------------------------------------


@rule(BETWEEN_SHARDS, "time passes between two servers; absolute times have to be equal all the same")
def time_left(name, words, reference, got):
    if name not in ("ttl", "pttl", "expiretime", "pexpiretime"):
        return False
    if reference[0] != ":" or got[0] != ":" or reference[1] < 0 or got[1] < 0:
        return False
    unit = 1000 if name[0] == "p" else 1
    if "expiretime" in name and (reference[1] in ABSOLUTE or reference[1] // 1000 in ABSOLUTE):
        return False
    return abs(reference[1] - got[1]) <= SECOND_TOLERANCE * unit


@rule(BETWEEN_SHARDS, "keys come in the order of the table")
def order_of_keys(name, words, reference, got):
    if name != "keys" or reference[0] != "*" or got[0] != "*":
        return False
    return sorted(reference[1]) == sorted(got[1])


@rule(BETWEEN_SHARDS, "any key will do, but none only where there is none")
def random_key(name, words, reference, got):
    return name == "randomkey" and reference[0] == got[0] == "$" and None not in (reference[1], got[1])


@rule(BETWEEN_SHARDS, "cursors and what one call returns are the table's; whole iterations are compared as sets")
def one_scan(name, words, reference, got):
    if name != "scan" or is_error(reference) or is_error(got):
        return False
    return all(r[0] == "*" and len(r[1]) == 2 and r[1][0][1].isdigit() and r[1][1][0] == "*" for r in (reference, got))


ABOUT_THE_SERVER = {
    "info", "time", "lolwut", "client|list", "client|info", "client|id", "command", "command|count", "command|list", "command|info",
    "command|docs", "config|get", "memory|stats", "memory|doctor", "memory|malloc-stats", "memory|usage", "slowlog|get", "slowlog|len",
    "latency|doctor", "latency|histogram", "latency|latest", "latency|history", "latency|reset", "hello", "cluster|myid",
    "cluster|nodes", "cluster|shards", "cluster|slots",
}


@rule(BETWEEN_SHARDS, "the reply describes the server or the moment: both are of one kind")
def about_the_server(name, words, reference, got):
    if name not in ABOUT_THE_SERVER or is_error(reference) or is_error(got):
        return False
    return reference[0] == got[0] and (reference[1] is None) == (got[1] is None)


# ---- what is otherwise than in Redis -------------------------------------------------------------


@rule(FROM_REDIS, "HELP names the sub-commands and options that are offered here")
def help_text(name, words, reference, got):
    return name.endswith("|help") and reference[0] == got[0] == "*"


@rule(FROM_REDIS, "the server answers as a cluster of one node; the redis-server it is compared with is none")
def cluster_of_one(name, words, reference, got):
    return (name.startswith("cluster|") or name in ("asking", "readonly", "readwrite")) \
        and reference == ("-", b"ERR This instance has cluster support disabled")


@rule(FROM_REDIS, "no engine of functions is offered yet: the one for LUA is missing from the list")
def engines(name, words, reference, got):
    if name != "function|stats" or reference[0] != got[0] or reference[1][:3] != got[1][:3]:
        return False
    return reference[1][3][1][:1] == [("$", b"LUA")] and got[1][3][1] == []


@rule(FROM_REDIS, "a cursor is decimal digits as SCAN returns them; Redis takes what strtoul() takes")
def cursor_digits(name, words, reference, got):
    if name != "scan" or got != ("-", b"ERR invalid cursor"):
        return False
    return not words[1].isdigit() or words[1] != b"%d" % int(words[1])


@rule(FROM_REDIS, "when a key was used last is known by the rounds of eviction, and not where nothing is evicted")
def idle_time(name, words, reference, got):
    return name == "object|idletime" and reference[0] == ":" and error(got, b"ERR idle time is not tracked under")


@rule(FROM_REDIS, "an error repeats 128 bytes of a client's word", rare=True)
def cut_error(name, words, reference, got):
    if reference[0] != "-" or got[0] != "-" or len(got[1]) < 128:
        return False
    return len(reference[1]) > len(got[1]) and reference[1].startswith(got[1][:-1].rstrip(b"'."))


@rule(FROM_REDIS, "HELLO does nothing unless all of it is right; Redis looks at the password before it reads on")
def hello_as_a_whole(name, words, reference, got):
    return name == "hello" and error(reference, b"WRONGPASS ") and is_error(got)


@rule(FROM_REDIS, "LOLWUT has one picture, and does not read what is behind the version", rare=True)
def one_picture(name, words, reference, got):
    return name == "lolwut" and len(words) > 3 and reference == ("-", b"ERR value is not an integer or out of range")


@rule(FROM_REDIS, "maxmemory may be a share of the machine's memory, and the error says so")
def percent_of_memory(name, words, reference, got):
    return name == "config|set" and reference[0] == "-" \
        and got == ("-", reference[1].replace(b"must be a memory value", b"must be a memory or percent value"))


@rule(FROM_REDIS, "a whole number is kept as an integer, whatever wrote it; INCRBYFLOAT leaves a text there")
def integer_of_float(name, words, reference, got):
    return name == "object|encoding" and (reference, got) == (("$", b"embstr"), ("$", b"int"))


@rule(FROM_REDIS, "a pattern of stars matches the empty key, too; there only a single star does")
def stars_match_nothing(name, words, reference, got):
    if name == "keys":
        pattern = words[1]
    elif name == "whole scan":
        pattern = option(words, b"match")
    else:
        return False
    if len(pattern) < 2 or pattern.strip(b"*") or reference[0] != got[0] or reference[0] not in ("*", "keys"):
        return False
    empty = [key for key in got[1] if key not in reference[1]]
    return empty in ([b""], [("$", b"")]) and sorted(reference[1] + empty) == sorted(got[1])


def option(words, name):
    """The last argument that is behind this word."""
    found = b""
    for at in range(1, len(words) - 1):
        if words[at].lower() == name:
            found = words[at + 1]
    return found


@rule(FROM_REDIS, "the protocol cannot change in the middle of EXEC's reply", parts=True)
def hello_in_multi(name, words, reference, got):
    return name == "hello" and reference == ("+", b"QUEUED") and got == ("-", b"ERR Command not allowed inside a transaction")


@rule(FROM_REDIS, "pairs that are not whole are refused when they are queued: nothing of the transaction runs", parts=True)
def odd_pairs_in_multi(name, words, reference, got):
    return name in ("mset", "msetnx") and len(words) % 2 == 0 and reference == ("+", b"QUEUED") \
        and error(got, b"ERR wrong number of arguments for '%s' command" % name.encode())


@rule(FROM_REDIS, "the name of a connection has at most 256 bytes", parts=True)
def long_name(name, words, reference, got):
    return name in ("client|setname", "hello") and max(map(len, words)) > 256 \
        and error(got, b"ERR Client names cannot be longer than")


@rule(BETWEEN_SHARDS, "a value that goes to another shard is stored as by SET: digits that APPEND or SETBIT had made become an integer",
      rare=True)
def encoding_of_move(name, words, reference, got):
    return name == "object|encoding" and reference == ("$", b"raw") and got == ("$", b"int")


@rule(BETWEEN_SHARDS, "two times to live of 292,000 years that differ by 1 ms end at the same moment, or not, as the clock has it",
      parts=True, rare=True)
def longest_lives(name, words, reference, got):
    return name in ("expire", "pexpire") and len(words) == 4 and words[3].lower() in (b"gt", b"lt") \
        and len(words[2]) >= 16 and words[2].isdigit() and {reference, got} == {(":", 0), (":", 1)}


@rule(FROM_REDIS, "LCS of long values is refused for the time it would take, not for its memory")
def long_lcs(name, words, reference, got):
    return name == "lcs" and error(reference, b"ERR Insufficient memory, transient memory for LCS exceeds") \
        and error(got, b"ERR LCS of values of ") and b"would take too long" in got[1]


@rule(BETWEEN_SHARDS, "integers up to 9999 count as shared, all else as kept once; Redis shares what it happens to, and what goes "
      "to another shard may become an integer")
def references(name, words, reference, got):
    return name == "object|refcount" and reference[0] == ":" and got[0] == ":" and got[1] in (1, 2147483647)


# ---- raw bytes -----------------------------------------------------------------------------------


HELLO_FIELDS = re.compile(rb"(\$7\r\nversion\r\n)\$\d+\r\n[\d.]+|(\$2\r\nid\r\n):\d+")


@rule(BETWEEN_SHARDS, "HELLO says the version and the connection's id: all else is equal")
def raw_hello(name, words, reference, got):
    return name == "raw" and HELLO_FIELDS.sub(b"", reference[1]) == HELLO_FIELDS.sub(b"", got[1])


@rule(FROM_REDIS, "a request has at most 1,048,576 arguments")
def raw_arguments(name, words, reference, got):
    return name == "raw" and b"*1048577\r\n" in words[1] and got[1].endswith(b"-ERR Protocol error: invalid multibulk length\r\n")


@rule(FROM_REDIS, "a string that is not followed by CRLF is refused; Redis does not look at these two bytes")
def raw_crlf(name, words, reference, got):
    return name == "raw" and got[1].endswith(b"-ERR Protocol error: bulk string is not followed by CRLF\r\n")


@rule(FROM_REDIS, "CLIENT REPLY is refused in MULTI; Redis then begins EXEC's reply and does not end it")
def raw_reply_in_multi(name, words, reference, got):
    return name == "raw" and b"MULTI\r\nCLIENT REPLY" in words[1] and reference[1].endswith(b"*2\r\n")


@rule(FROM_REDIS, "a zero byte is one like others in an inline command; Redis takes the line to end there")
def raw_zero(name, words, reference, got):
    return name == "raw" and b"\x00" in words[1]
