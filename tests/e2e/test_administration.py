"""What an operator asks for while clients are busy: every reactor reads of the others, or changes what they use, at the
same time. Each reply is what it should be; ThreadSanitizer sees the rest."""

import os
import random
import signal
import tempfile
import time

from started import Server, Tests, equal
from wire import PROTOCOLS, Error, Wire, wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SECONDS = float(os.environ.get("SECONDS_STRESS", 3))
SHARDS, CONNECTIONS = 3, 9
KEYS = ["admin:%d" % i for i in range(60)]
ERRORS = {b"ERR", b"WRONGPASS", b"NOPROTO", b"EXECABORT"}  # of those who ask below, there are no others


def is_text(*parts):
    return lambda got: isinstance(got, bytes) and not isinstance(got, Error) and all(part in got for part in parts)


def is_error(code):
    return lambda got: isinstance(got, Error) and got.split()[0] == code


def is_one_of(*values):
    return lambda got: got in values and not isinstance(got, Error)


def is_list(got):
    return isinstance(got, list)


def knows_its_errors(got):
    names = {line.split(b":")[0] for line in got.split(b"\r\n") if line.startswith(b"errorstat_")}
    return names <= {b"errorstat_" + code for code in ERRORS}


def requests(rng):
    """[(words, what the reply must be)], those of one moment."""
    key, is_ok = rng.choice(KEYS), is_one_of(b"OK")
    return rng.choice((
        # clients
        [(("SET", key, "v"), is_ok), (("GET", key), is_one_of(b"v", b"w", None))],
        [(("MSET", *(word for name in KEYS[::7] for word in (name, "w"))), is_ok), (("MGET", *KEYS[:20]), is_list)],
        [(("DEL", *KEYS[:9]), lambda got: got in range(10))],
        # errors, each counted by its name where it is made
        [(("NOSUCHCOMMAND",), is_error(b"ERR"))],
        [(("SET", key), is_error(b"ERR"))],
        [(("AUTH", "nobody", "wrong"), is_error(b"WRONGPASS"))],
        [(("HELLO", "9"), is_error(b"NOPROTO"))],
        [(("MULTI",), is_ok), (("GET",), is_error(b"ERR")), (("EXEC",), is_error(b"EXECABORT"))],
        # figures of all reactors
        [(("INFO", "everything"), is_text(b"connected_clients:", b"# Errorstats"))] * 2,
        [(("INFO", "errorstats"), knows_its_errors)] * 3,
        [(("CONFIG", "RESETSTAT"), is_ok)],
        [(("LATENCY", "HISTOGRAM"), is_list), (("LATENCY", "LATEST"), is_list)],
        [(("MEMORY", "STATS"), is_list), (("DBSIZE",), lambda got: 0 <= got <= len(KEYS))],
        [(("CLIENT", "LIST"), lambda got: got.count(b"\n") == CONNECTIONS)],
        [(("CLIENT", "KILL", "ID", "1000000"), is_one_of(0)), (("CLIENT", "SETNAME", "n"), is_ok)],
        [(("SLOWLOG", "GET", "20"), is_list), (("SLOWLOG", "LEN"), lambda got: got >= 0)],
        [(("SLOWLOG", "RESET"), is_ok)],
        # what the others use
        [(("CONFIG", "SET", "slowlog-log-slower-than", rng.choice((0, 50, 10000))), is_ok)],
        [(("CONFIG", "SET", "maxmemory", rng.choice(("0", "64mb")), "timeout", rng.choice((0, 1000))), is_ok)],
        [(("CONFIG", "GET", "*"), is_list)],
        [(("CLIENT", "PAUSE", "3", rng.choice(("ALL", "WRITE"))), is_ok)],
        [(("CLIENT", "UNPAUSE"), is_ok)],
        [(("SCAN", "0", "COUNT", "30"), is_list), (("KEYS", "admin:*"), is_list)],
        [(("FLUSHALL", rng.choice(("SYNC", "ASYNC"))), is_ok)],
    ))


def reload(server, config, rng):
    """Whole under its name at any moment: the server may still read the one before."""
    with open(config + ".new", "w") as out:
        wanted = rng.randrange(1, 100)
        out.write("slowlog-max-len %d\n" % wanted)
    os.rename(config + ".new", config)
    server.process.send_signal(signal.SIGHUP)
    return [b"slowlog-max-len", b"%d" % wanted]


def all_at_once(server, config):
    rng = random.Random(SEED)
    # In RESP2 and the native protocol a map is a list.
    wires = [Wire(server.port, PROTOCOLS[i % 2]) for i in range(CONNECTIONS)]
    for wire in wires:  # each has arrived at its reactor, so that CLIENT LIST has them all
        equal(wire.run("DBSIZE"), 0)
    equal(wires[0].run("NOSUCHCOMMAND").split()[0], b"ERR")
    wanted = reload(server, config, rng)
    rounds, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        asked = []
        if rng.random() < 0.2:
            wanted = reload(server, config, rng)
        for wire in wires:
            asked.append([one for _ in range(rng.randrange(1, 8)) for one in requests(rng)])
            wire.send(b"".join(wire.proto.request(*words) for words, _ in asked[-1]))
        for wire, pipeline in zip(wires, asked):
            for words, is_right in pipeline:
                got = wire.read()
                assert is_right(got), "%s: %.500r" % (" ".join(map(str, words)), got)
        rounds += 1
    print("%d rounds" % rounds)
    wait_until("the last file is used", lambda: wires[0].run("CONFIG", "GET", "slowlog-max-len") == wanted)
    for wire in wires:
        wire.close()


tests = Tests()
print("seed %d" % SEED)
with tempfile.TemporaryDirectory() as folder:
    config_file = os.path.join(folder, "shoal.conf")
    open(config_file, "w").close()
    with Server(SHARDS, "--config", config_file) as started:
        tests.run("all at once", all_at_once, started, config_file)
        tests.run("the server ends well", started.ends_well)
tests.finish()
