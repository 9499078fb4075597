#!/usr/bin/env python3
"""Commands about the server: CONFIG, INFO, COMMAND, MEMORY, SLOWLOG, LATENCY, CLUSTER, DEBUG, SHUTDOWN,
over several shards and in both protocols.

Given by run-e2e.sh: SHOAL, PORT. Ends with "N passed, N failed".
"""

import os
import re
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import traceback

from resp_client import Connection
from started import PORT, serve

SHARDS = 3
OK, QUEUED, NIL = ("+", b"OK"), ("+", b"QUEUED"), ("$", None)
DEADLINE_S = 120

SECTIONS = ["Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Modules",
            "Errorstats", "Cluster", "Keyspace", "Shoal"]

# What tools read: see the client libraries and exporters.
FIELDS = """
redis_version redis_build_id redis_mode os arch_bits process_id run_id tcp_port uptime_in_seconds
uptime_in_days hz configured_hz io_threads_active executable config_file server_name shoal_version
connected_clients maxclients blocked_clients client_recent_max_input_buffer
client_recent_max_output_buffer tracking_clients pubsub_clients
used_memory used_memory_human used_memory_rss used_memory_rss_human used_memory_peak
used_memory_peak_human used_memory_lua used_memory_overhead used_memory_startup used_memory_dataset
total_system_memory total_system_memory_human maxmemory maxmemory_human maxmemory_policy
mem_fragmentation_ratio allocator_allocated allocator_active allocator_resident
allocator_frag_ratio allocator_rss_ratio mem_clients_normal number_of_cached_scripts
lazyfree_pending_objects mem_allocator
ghost_hits miss_ratio miss_ratio_at_1.5x miss_ratio_at_2x
loading loading_eta_seconds rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_save_time
rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec aof_enabled
aof_rewrite_in_progress aof_last_bgrewrite_status aof_last_write_status
total_connections_received total_commands_processed instantaneous_ops_per_sec
total_net_input_bytes total_net_output_bytes instantaneous_input_kbps instantaneous_output_kbps
rejected_connections expired_keys evicted_keys keyspace_hits keyspace_misses expired_stale_perc
pubsub_channels pubsub_patterns latest_fork_usec total_error_replies unexpected_error_replies
total_reads_processed total_writes_processed evicted_clients acl_access_denied_auth
client_query_buffer_limit_disconnections
role connected_slaves master_replid master_repl_offset
used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children used_cpu_sys_main_thread
used_cpu_user_main_thread cluster_enabled
shards cross_shard_commands cross_shard_share io_engine io_features transactions wakeups sleeps
throttled starved ring_overflows buffer_bytes
""".split()

tests = []


def test(function):
    tests.append(function)
    return function


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, wanted):
    check(got == wanted, "got %r instead of %r" % (got, wanted))


def wait_until(is_so, complaint):
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        check(time.monotonic() < end, complaint)
        time.sleep(0.01)


def connect(port=PORT):
    return Connection(port)


def info(c, *sections):
    kind, text = c.run("INFO", *sections)
    check(kind in "$=", (kind, text))
    return (text[4:] if kind == "=" else text).decode()


def fields(text):
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


def field(c, name):
    return fields(info(c, "everything"))[name]


def texts(reply):
    return [value for _, value in reply[1]]


def config(c, name):
    return texts(c.run("CONFIG", "GET", name))[1]


def error(reply, begins):
    check(reply[0] == "-" and reply[1].startswith(begins), "got %r, not %r" % (reply, begins))


# ---- INFO --------------------------------------------------------------------------------------


@test
def info_has_every_section_and_field():
    c = connect()
    text = info(c)
    equal(re.findall(r"^# (\w+)\r$", text, re.M), SECTIONS)
    got = fields(text)
    equal([name for name in FIELDS if name not in got], [])
    check(text.endswith("\r\n"), text[-40:])
    equal(got["redis_version"], "7.4.0")
    equal(got["redis_mode"], "standalone")
    equal(got["loading"], "0")
    equal(got["cluster_enabled"], "0")
    equal(got["tcp_port"], str(PORT))
    equal(int(got["shards"]), SHARDS)
    check(re.fullmatch("[0-9a-f]{40}", got["run_id"]), got["run_id"])
    check(int(got["used_memory"]) > 0 and int(got["used_memory_rss"]) > 0, got)
    check(int(got["used_memory_peak"]) >= int(got["used_memory"]), got)


@test
def info_gives_the_sections_asked_for():
    c = connect()
    equal(info(c, "nosuch"), "")
    equal(re.findall("# (.*)\r", info(c, "CPU", "server", "cpu")), ["Server", "CPU"])
    everything = info(c, "everything")
    equal(sorted(set(re.findall("^# (.*)\r", everything, re.M)) - set(SECTIONS)),
          ["Commandstats", "Latencystats", "Shards"])
    equal(len(re.findall(r"^shard\d+:keys=", everything, re.M)), SHARDS)
    check("# Shards" not in info(c, "all"), "all has no shards")
    equal(re.findall("# (.*)\r", info(c, "shards")), ["Shards"])


@test
def info_is_verbatim_in_resp3():
    c = connect()
    c.run("HELLO", "3")
    kind, text = c.run("INFO", "cluster")
    equal(kind, "=")
    check(text.startswith(b"txt:# Cluster\r\n"), text)


@test
def info_counts_what_its_client_has_done():
    c = connect()
    c.run("FLUSHALL")
    c.run("CONFIG", "RESETSTAT")
    for round_number in range(1, 30):
        for i in range(10):
            equal(c.run("SET", "k%d:%d" % (round_number, i), "v", "EX", 1000), OK)
            c.run("GET", "k%d:%d" % (round_number, i))
        c.run("GET", "absent")
        got = fields(info(c))
        equal(got["keyspace_hits"], str(10 * round_number))
        equal(got["keyspace_misses"], str(round_number))
        check(got["db0"].startswith("keys=%d,expires=%d," % ((10 * round_number,) * 2)), got["db0"])
    c.run("FLUSHALL")
    check("db0" not in fields(info(c, "keyspace")), "an empty database has a line")


@test
def info_counts_errors_by_name():
    c = connect()
    c.run("CONFIG", "RESETSTAT")
    c.run("SET", "text", "abc")
    for _ in range(3):
        error(c.run("INCR", "text"), b"ERR value is not")
    error(c.run("EXEC"), b"ERR")
    c.run("MULTI")
    c.run("NOSUCH")
    error(c.run("EXEC"), b"EXECABORT")
    text = info(c, "errorstats", "commandstats", "stats")
    got = fields(text)
    equal(got["errorstat_ERR"], "count=5")
    equal(got["errorstat_EXECABORT"], "count=1")
    equal(got["total_error_replies"], "6")
    check(re.search(r"^cmdstat_incr:calls=3,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,"
                    r"failed_calls=3\r$", text, re.M), text)


@test
def info_shows_percentiles_as_configured():
    c = connect()
    c.run("CONFIG", "RESETSTAT")
    c.run("SET", "a", "b")
    pattern = r"^latency_percentiles_usec_set:p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}\r$"
    check(re.search(pattern, info(c, "latencystats"), re.M), info(c, "latencystats"))
    equal(c.run("CONFIG", "SET", "latency-tracking-info-percentiles", "0 100"), OK)
    check(re.search(r"^latency_percentiles_usec_set:p0=[\d.]+,p100=[\d.]+\r$",
                    info(c, "latencystats"), re.M), info(c, "latencystats"))
    equal(c.run("CONFIG", "SET", "latency-tracking", "no"), OK)
    equal(info(c, "latencystats"), "# Latencystats\r\n")
    equal(c.run("LATENCY", "HISTOGRAM"), ("*", []))
    equal(c.run("CONFIG", "SET", "latency-tracking", "yes",
                "latency-tracking-info-percentiles", "50 99 99.9"), OK)


# ---- CONFIG ------------------------------------------------------------------------------------


@test
def config_get_takes_several_patterns_without_repeating():
    c = connect()
    words = texts(c.run("CONFIG", "GET", "maxmemory", "MAXMEMORY*", "port"))
    names = words[::2]
    equal(len(names), len(set(names)))
    check({b"maxmemory", b"maxmemory-policy", b"port"} <= set(names), names)
    equal(c.run("CONFIG", "GET", "nosuch"), ("*", []))
    c.run("HELLO", "3")
    equal(c.run("CONFIG", "GET", "port")[0], "%")


@test
def config_set_counts_on_every_shard_once_answered():
    connections = [connect() for _ in range(2 * SHARDS)]
    c = connections[0]
    for _ in range(20):
        equal(c.run("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction"), OK)
        for i, other in enumerate(connections):
            for k in range(SHARDS * 4):
                error(other.run("SET", "k%d:%d" % (i, k), "v"), b"OOM ")
        equal(connections[-1].run("CONFIG", "SET", "maxmemory", "0"), OK)
        for i, other in enumerate(connections):
            for k in range(SHARDS * 4):
                equal(other.run("SET", "k%d:%d" % (i, k), "v"), OK)
    c.run("FLUSHALL")


@test
def config_set_is_all_or_nothing():
    c = connect()
    before = config(c, "timeout"), config(c, "slowlog-max-len")
    error(c.run("CONFIG", "SET", "timeout", "77", "slowlog-max-len", "many"),
          b"ERR CONFIG SET failed (possibly related to argument 'slowlog-max-len') - ")
    error(c.run("CONFIG", "SET", "timeout", "77", "nosuch", "1"),
          b"ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'")
    error(c.run("CONFIG", "SET", "timeout", "77", "timeout", "78"), b"ERR CONFIG SET failed")
    error(c.run("CONFIG", "SET", "timeout", "77", "port", "1"), b"ERR CONFIG SET failed")
    error(c.run("CONFIG", "SET", "timeout", "77", "slowlog-max-len"), b"ERR syntax error")
    error(c.run("CONFIG", "SET", "timeout"), b"ERR wrong number of arguments for 'config|set'")
    equal((config(c, "timeout"), config(c, "slowlog-max-len")), before)
    equal(c.run("CONFIG", "SET", "timeout", "77", "slowlog-max-len", "99"), OK)
    equal((config(c, "timeout"), config(c, "slowlog-max-len")), (b"77", b"99"))
    equal(c.run("CONFIG", "SET", "timeout", before[0], "slowlog-max-len", before[1]), OK)


@test
def config_set_by_many_at_once_loses_nothing():
    options = ["hash-max-listpack-entries", "list-compress-depth", "lfu-decay-time",
               "repl-timeout", "stream-node-max-entries", "cluster-node-timeout"]
    failures = []

    def set_often(option):
        c = connect()
        for i in range(1, 101):
            if c.run("CONFIG", "SET", option, str(i)) != OK or config(c, option) != b"%d" % i:
                failures.append((option, i))

    threads = [threading.Thread(target=set_often, args=(option,)) for option in options]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [])
    c = connect()
    equal([config(c, option) for option in options], [b"100"] * len(options))


@test
def config_set_works_inside_multi():
    c = connect()
    equal(c.run("MULTI"), OK)
    for words in [("CONFIG", "SET", "timeout", "5"), ("CONFIG", "GET", "timeout"),
                  ("CONFIG", "SET", "timeout", "x"), ("INFO", "cluster"), ("SLOWLOG", "LEN")]:
        equal(c.run(*words), QUEUED)
    kind, values = c.run("EXEC")
    equal(values[0], OK)
    equal(values[1][0], "*")
    error(values[2], b"ERR CONFIG SET failed")
    equal(values[3], ("$", b"# Cluster\r\ncluster_enabled:0\r\n"))
    equal(values[4][0], ":")
    equal(config(c, "timeout"), b"5")
    equal(c.run("CONFIG", "SET", "timeout", "0"), OK)


@test
def config_set_maxclients_and_password_count_for_new_connections():
    server = serve(SHARDS, offset=1)
    try:
        c = connect(PORT + 1)
        equal(c.run("CONFIG", "SET", "maxclients", "1"), OK)
        kind, text = connect(PORT + 1).read()
        equal((kind, text), ("-", b"ERR max number of clients reached"))
        equal(c.run("CONFIG", "SET", "maxclients", "500", "requirepass", "s3cret"), OK)
        equal(c.run("PING"), ("+", b"PONG"))
        other = connect(PORT + 1)
        error(other.run("GET", "k"), b"NOAUTH")
        equal(other.run("AUTH", "s3cret"), OK)
        equal(fields(info(other))["maxclients"], "500")
    finally:
        server.ends_well()


@test
def resetstat_begins_at_zero():
    c = connect()
    c.run("GET", "absent")
    error(c.run("EXEC"), b"ERR")
    equal(c.run("CONFIG", "RESETSTAT"), OK)
    got = fields(info(c, "everything"))
    equal(got["keyspace_misses"], "0")
    equal(got["total_error_replies"], "0")
    check("cmdstat_get" not in got and "errorstat_ERR" not in got, got)
    check(int(got["total_commands_processed"]) <= 2, got["total_commands_processed"])
    check(int(got["connected_clients"]) >= 1, got)


@test
def config_rewrite_writes_nothing():
    error(connect().run("CONFIG", "REWRITE"), b"ERR The server is running without a config file")


@test
def sighup_reads_the_file_again():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shoal.conf")

        def write(text):
            with open(path, "w") as out:
                out.write(text)

        write("timeout 11\nmaxmemory 100mb\n")
        server = serve(SHARDS, "--config", path, "--slowlog-max-len", "5", offset=2)
        try:
            c = connect(PORT + 2)
            equal(config(c, "timeout"), b"11")
            write("timeout 12\nslowlog-max-len 6\nport 1\n")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: config(c, "timeout") == b"12", "SIGHUP changed nothing")
            equal(config(c, "slowlog-max-len"), b"5")
            equal(config(c, "port"), b"%d" % (PORT + 2))
            check(config(c, "maxmemory") != b"104857600", "it has left the file")
            write("timeout 13\nnosuch 1\n")
            server.process.send_signal(signal.SIGHUP)
            write_again = time.monotonic() + 0.3
            while time.monotonic() < write_again:
                equal(config(c, "timeout"), b"12")
            error(c.run("CONFIG", "REWRITE"), b"ERR CONFIG REWRITE is not available")
        finally:
            server.ends_well()


# ---- COMMAND -----------------------------------------------------------------------------------


@test
def command_tells_of_every_command():
    c = connect()
    count = c.run("COMMAND", "COUNT")[1]
    every = c.run("COMMAND")[1]
    equal(len(every), count)
    names = [entry[1][0][1] for entry in every]
    equal(len(set(names)), count)
    infos = c.run("COMMAND", "INFO", *names)[1]
    equal(infos, every)
    docs = c.run("COMMAND", "DOCS")[1]
    equal([value for _, value in docs[::2]], names)
    listed = texts(c.run("COMMAND", "LIST"))
    check(set(names) <= set(listed) and b"config|set" in listed, listed)
    # redis-cli asks for hints by these
    equal(len(c.run("COMMAND", "DOCS", "get", "config|get", "nosuch")[1]), 4)


@test
def command_info_of_what_is_not_there():
    c = connect()
    equal(c.run("COMMAND", "INFO", "nosuch", "get|key", "config|get|key", "config|"),
          ("*", [("$", None)] * 4))


@test
def command_list_filters():
    c = connect()
    equal(texts(c.run("COMMAND", "LIST", "FILTERBY", "PATTERN", "GE[T]")), [b"get"])
    resets = texts(c.run("COMMAND", "LIST", "FILTERBY", "PATTERN", "config|*re*"))
    equal(sorted(resets), [b"config|resetstat", b"config|rewrite"])
    strings = texts(c.run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "string"))
    check(b"set" in strings and b"del" not in strings, strings)
    equal(c.run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "nosuch"), ("*", []))
    equal(c.run("COMMAND", "LIST", "FILTERBY", "MODULE", "nosuch"), ("*", []))
    for words in [("bad",), ("FILTERBY", "bad"), ("FILTERBY", "bad", "bad"),
                  ("FILTERBY", "PATTERN", "a", "b")]:
        error(c.run("COMMAND", "LIST", *words), b"ERR syntax error")


@test
def command_getkeys():
    c = connect()
    equal(texts(c.run("COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2")), [b"a", b"b"])
    equal(texts(c.run("COMMAND", "GETKEYS", "memory", "usage", "k")), [b"k"])
    equal(texts(c.run("COMMAND", "GETKEYS", "DEL", "a", "b", "c")), [b"a", b"b", b"c"])
    error(c.run("COMMAND", "GETKEYS", "PING", "x"), b"ERR The command has no key arguments")
    error(c.run("COMMAND", "GETKEYS", "NOSUCH", "k"), b"ERR Invalid command specified")
    error(c.run("COMMAND", "GETKEYS", "GET"), b"ERR wrong number of arguments")
    error(c.run("COMMAND", "GETKEYS", "MSET", "a"), b"ERR Invalid number of arguments")
    error(c.run("COMMAND", "GETKEYS", "MSET", "a", "1", "b"), b"ERR Invalid number of arguments")
    error(c.run("COMMAND", "GETKEYS"), b"ERR wrong number of arguments")


@test
def every_container_has_help_and_refuses_what_it_has_not():
    c = connect()
    for name in ["CLIENT", "CLUSTER", "COMMAND", "CONFIG", "FUNCTION", "LATENCY", "MEMORY",
                 "OBJECT", "SCRIPT", "SLOWLOG"]:
        kind, lines = c.run(name, "HELP")
        check(kind == "*" and len(lines) > 2, (name, lines))
        equal(c.run(name, "NoSuch"),
              ("-", b"ERR unknown subcommand 'NoSuch'. Try %s HELP." % name.encode()))


# ---- SLOWLOG, LATENCY --------------------------------------------------------------------------


@test
def slowlog_is_one_over_all_shards():
    server = serve(SHARDS, "--slowlog-log-slower-than", "0", "--slowlog-max-len", "50", offset=1)
    try:
        connections = [connect(PORT + 1) for _ in range(2 * SHARDS)]
        c = connections[0]
        c.run("CLIENT", "SETNAME", "me")
        for i in range(100):
            connections[i % len(connections)].run("ECHO", "k%d" % i)
        equal(c.run("SLOWLOG", "LEN"), (":", 50))
        entries = c.run("SLOWLOG", "GET", "-1")[1]
        equal(len(entries), 50)
        ids = [entry[1][0][1] for entry in entries]
        equal(ids, sorted(set(ids), reverse=True))
        echoes = [texts(entry[1][3]) for entry in entries if entry[1][3][1][0][1] == b"ECHO"]
        equal([words[1] for words in echoes],
              [b"k%d" % i for i in range(99, 99 - len(echoes), -1)])
        check(len(echoes) >= 45, len(echoes))
        check(all(entry[1][4][1].startswith(b"127.0.0.1:") for entry in entries), entries)
        equal(len(c.run("SLOWLOG", "GET")[1]), 10)
        equal(c.run("SLOWLOG", "GET", "0"), ("*", []))
        for count in ["-2", "x", ""]:
            error(c.run("SLOWLOG", "GET", count), b"ERR count should be greater than or equal to -1")
        equal(c.run("CONFIG", "SET", "requirepass", "s3cret"), OK)
        check(b"s3cret" not in repr(c.run("SLOWLOG", "GET", "-1")).encode(), "a password is shown")
        equal(c.run("CONFIG", "SET", "slowlog-log-slower-than", "-1", "requirepass", ""), OK)
        equal(c.run("SLOWLOG", "RESET"), OK)
        equal(c.run("SLOWLOG", "LEN"), (":", 0))
    finally:
        server.ends_well()


@test
def slowlog_has_what_a_transaction_runs():
    """Every command of it by itself, as Redis does, wherever it runs; not EXEC, and no passwords."""
    server = serve(SHARDS, "--slowlog-log-slower-than", "-1", offset=1)
    try:
        c = connect(PORT + 1)
        c.run("CONFIG", "SET", "slowlog-log-slower-than", "0")
        queued = [("SET", "a", "1"), ("MGET", "a", "b", "c", "d"), ("MSET", "b", "2", "c", "3"),
                  ("ECHO", "home"), ("DBSIZE",), ("CLIENT", "LIST"), ("CONFIG", "SET", "requirepass", "s3cret")]
        c.run("SLOWLOG", "RESET")
        c.run("MULTI")
        for words in queued:
            equal(c.run(*words), QUEUED)
        equal(c.run("SLOWLOG", "LEN"), QUEUED)
        c.run("EXEC")
        entries = c.run("SLOWLOG", "GET", "-1")[1]
        logged = [texts(entry[1][3]) for entry in reversed(entries)]
        wanted = [[word.encode() for word in words] for words in queued[:-1]]
        equal([words for words in logged if words in wanted], wanted)
        check(all(words[0] != b"EXEC" and b"s3cret" not in words for words in logged), logged)
        c.run("CONFIG", "SET", "requirepass", "", "slowlog-log-slower-than", "-1")
    finally:
        server.ends_well()


@test
def latency_histogram_counts_calls():
    c = connect()
    c.run("CONFIG", "RESETSTAT")
    for i in range(50):
        c.run("SET", "k%d" % i, "v")
    c.run("CLIENT", "ID")
    reply = c.run("LATENCY", "HISTOGRAM", "set", "client", "nosuch")[1]
    names = [value for _, value in reply[::2]]
    equal(sorted(names), [b"client|id", b"set"])
    histogram = dict(zip(names, [value for _, value in reply[1::2]]))[b"set"]
    equal(histogram[0:2], [("$", b"calls"), (":", 50)])
    numbers = [value for _, value in histogram[3][1]]
    bounds, counts = numbers[::2], numbers[1::2]
    equal(bounds, sorted(set(bounds)))
    equal(counts, sorted(set(counts)))
    equal(counts[-1], 50)
    check(all(bound & (bound - 1) == 0 for bound in bounds), bounds)
    equal(c.run("LATENCY", "LATEST"), ("*", []))
    equal(c.run("LATENCY", "HISTORY", "command"), ("*", []))
    equal(c.run("LATENCY", "RESET"), (":", 0))


# ---- MEMORY, CLUSTER, the rest -----------------------------------------------------------------


@test
def memory_stats_add_up():
    c = connect()
    c.run("FLUSHALL")
    for i in range(100):
        c.run("SET", "k%d" % i, "v" * 100)
    c.run("INFO")
    words = c.run("MEMORY", "STATS")[1]
    stats = dict(zip([name for _, name in words[::2]], [value for _, value in words[1::2]]))
    equal(stats[b"keys.count"], 100)
    equal(stats[b"total.allocated"], stats[b"overhead.total"] + stats[b"dataset.bytes"])
    check(stats[b"dataset.bytes"] >= 100 * 100, stats)
    check(stats[b"peak.allocated"] >= stats[b"total.allocated"], stats)
    check(c.run("MEMORY", "USAGE", "k1")[1] >= 100, "usage")
    equal(c.run("MEMORY", "USAGE", "absent"), NIL)
    equal(c.run("MEMORY", "PURGE"), OK)
    equal(c.run("MEMORY", "DOCTOR")[0], "$")
    equal(c.run("MEMORY", "MALLOC-STATS")[0], "$")
    c.run("FLUSHALL")


@test
def cluster_is_this_one_node():
    c = connect()
    myid = c.run("CLUSTER", "MYID")[1]
    equal(len(myid), 40)
    node = ("*", [("$", b"127.0.0.1"), (":", PORT), ("$", myid), ("*", [])])
    equal(c.run("CLUSTER", "SLOTS"), ("*", [("*", [(":", 0), (":", 16383), node])]))
    equal(c.run("CLUSTER", "NODES")[1],
          b"%s 127.0.0.1:%d@0 myself,master - 0 0 0 connected 0-16383\n" % (myid, PORT))
    text = c.run("CLUSTER", "INFO")[1].decode()
    check("cluster_state:ok\r\n" in text and "cluster_slots_assigned:16384\r\n" in text, text)
    shard = c.run("CLUSTER", "SHARDS")[1][0][1]
    equal(shard[:2], [("$", b"slots"), ("*", [(":", 0), (":", 16383)])])
    equal(c.run("CLUSTER", "KEYSLOT", "foo"), (":", 12182))
    equal(c.run("CLUSTER", "KEYSLOT", "{user1000}.following"), (":", 3443))
    c.run("FLUSHALL")
    for i in range(20):
        c.run("SET", "{user1000}:%d" % i, "v")
        c.run("SET", "other:%d" % i, "v")
    equal(c.run("CLUSTER", "COUNTKEYSINSLOT", "3443"), (":", 20))
    equal(c.run("CLUSTER", "COUNTKEYSINSLOT", "12182"), (":", 0))
    error(c.run("CLUSTER", "COUNTKEYSINSLOT", "16384"), b"ERR Invalid slot")
    error(c.run("CLUSTER", "COUNTKEYSINSLOT", "x"), b"ERR value is not an integer")


@test
def time_and_role():
    c = connect()
    seconds, micros = texts(c.run("TIME"))
    check(abs(int(seconds) - time.time()) < 5 and 0 <= int(micros) < 1000000, (seconds, micros))
    equal(c.run("ROLE"), ("*", [("$", b"master"), (":", 0), ("*", [])]))


@test
def there_are_no_scripts():
    c = connect()
    equal(c.run("FUNCTION", "FLUSH"), OK)
    equal(c.run("FUNCTION", "LIST"), ("*", []))
    equal(c.run("SCRIPT", "FLUSH", "ASYNC"), OK)
    equal(c.run("SCRIPT", "EXISTS", "a", "b"), ("*", [(":", 0), (":", 0)]))
    error(c.run("SCRIPT", "FLUSH", "LATER"), b"ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    error(c.run("SCRIPT", "LOAD", "return 1"), b"ERR unknown subcommand 'LOAD'. Try SCRIPT HELP.")


@test
def debug_is_off_unless_allowed():
    error(connect().run("DEBUG", "SLEEP", "0"), b"ERR DEBUG command not allowed.")
    server = serve(SHARDS, "--enable-debug-command", "local", offset=1)
    try:
        c = connect(PORT + 1)
        equal(c.run("DEBUG", "SLEEP", "0.001"), OK)
        error(c.run("DEBUG", "SLEEP", "x"), b"ERR value is not a valid float")
        error(c.run("DEBUG", "SLEEP"), b"ERR unknown subcommand or wrong number of arguments")
        equal(c.run("DEBUG", "ERROR", "CODE a\r\n+b"), ("-", b"CODE a  +b"))
        c.run("HELLO", "3")
        equal(c.run("DEBUG", "PROTOCOL", "double"), (",", b"3.141"))
        equal(c.run("DEBUG", "PROTOCOL", "set"), ("~", [(":", 0), (":", 1), (":", 2)]))
    finally:
        server.ends_well()


@test
def shutdown_ends_the_process_without_a_word():
    server = serve(SHARDS, offset=1)
    c, other = connect(PORT + 1), connect(PORT + 1)
    error(c.run("SHUTDOWN", "SAVE"), b"ERR ")
    error(c.run("SHUTDOWN", "ABORT"), b"ERR No shutdown in progress.")
    error(c.run("SHUTDOWN", "SAVE", "NOSAVE"), b"ERR syntax error")
    error(c.run("SHUTDOWN", "LATER"), b"ERR syntax error")
    c.run("MULTI")
    error(c.run("SHUTDOWN"), b"ERR Command not allowed inside a transaction")
    c.run("DISCARD")
    other.run("SET", "k", "v")
    c.send([("PING",), ("SHUTDOWN", "NOSAVE")])
    equal(c.read(), ("+", b"PONG"))
    equal(c.file.read(), b"")
    equal(other.file.read(), b"")
    equal(server.process.wait(DEADLINE_S), 0)


# ---- the native protocol -----------------------------------------------------------------------


class Native:
    def __init__(self, port):
        self.file = socket.create_connection(("127.0.0.1", port), DEADLINE_S).makefile("rwb")

    def run(self, *words):
        words = [word.encode() for word in words]
        body = bytes([len(words)]) + b"".join(struct.pack("<I", len(w)) + w for w in words)
        self.file.write(struct.pack("<I", len(body)) + body)
        self.file.flush()
        frame = self.file.read(struct.unpack("<I", self.file.read(4))[0])
        value, end = self.value(frame, 0)
        equal(end, len(frame))
        return value

    def value(self, frame, at):
        kind, at = frame[at], at + 1
        if kind == 0:
            return None, at
        if kind == 3:
            return struct.unpack_from("<q", frame, at)[0], at + 8
        size, at = struct.unpack_from("<I", frame, at)[0], at + 4
        if kind in (1, 2):
            return frame[at:at + size], at + size
        values = []
        for _ in range(size):
            value, at = self.value(frame, at)
            values.append(value)
        return values, at


@test
def native_clients_can_ask_too():
    server = serve(SHARDS, "--slowlog-log-slower-than", "0", offset=1)
    try:
        c = Native(PORT + 1)
        equal(c.run("CONFIG", "SET", "timeout", "9"), b"OK")
        equal(c.run("CONFIG", "GET", "timeout"), [b"timeout", b"9"])
        check(c.run("INFO", "cluster") == b"# Cluster\r\ncluster_enabled:0\r\n", "INFO")
        others = [Native(PORT + 1) for _ in range(SHARDS)]
        for i, other in enumerate(others):
            other.run("ECHO", "k%d" % i)
        entries = c.run("SLOWLOG", "GET", "-1")
        ids = [entry[0] for entry in entries]
        equal(ids, sorted(set(ids), reverse=True))
        check(len(ids) >= SHARDS, ids)
        equal(c.run("CLUSTER", "KEYSLOT", "foo"), 12182)
        check(c.run("MEMORY", "STATS")[0] == b"peak.allocated", "MEMORY STATS")
    finally:
        server.ends_well()


def main():
    passed = failed = 0
    server = serve(SHARDS)
    for function in tests:
        try:
            function()
            passed += 1
        except Exception:
            failed += 1
            print("%s:" % function.__name__)
            traceback.print_exc(file=sys.stdout)
    try:
        server.ends_well()
    except Exception:
        failed += 1
        traceback.print_exc(file=sys.stdout)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
