#!/usr/bin/env python3
"""
shoal-bench against a server whose delays and faults are known. Ends in "N passed, N failed".

    test_bench.py [NAME...]        only tests whose name contains one of the words

    BENCH   the program under test      build/shoal-bench
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import picture
from fake_server import FakeServer, crc16

HERE = pathlib.Path(__file__).resolve().parent
BENCH = os.environ.get("BENCH", str(HERE.parent.parent / "build" / "shoal-bench"))
SECONDS_MAX = 60


class Skipped(Exception):
    pass


def bench(*arguments, code=0):
    """Runs the program; returns its output. The exit code must be the wanted one."""
    run = subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS_MAX)
    if run.returncode != code:
        raise AssertionError(f"{arguments}: exit {run.returncode}, wanted {code}\n{run.stdout}{run.stderr}")
    return run.stdout + run.stderr


def bench_json(*arguments, code=0):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        bench(*arguments, "--json", file.name, code=code)
        return json.load(file)["results"]


def expect(condition, *values):
    if not condition:
        raise AssertionError(f"got {values}")


def timed(function):
    """A machine that pauses for half a second spoils a figure once; a fault of ours spoils it each time."""
    def attempts():
        for left in (2, 1, 0):
            try:
                return function()
            except AssertionError as error:
                if not left:
                    raise
                print(f"again {function.__name__[5:]}: {str(error)[:100]}")
    return attempts


def lag_ns():
    """The longest that a reply takes while nothing delays it, of a run beside the one that is judged: what a busy
    machine adds."""
    with FakeServer() as server:
        (result,) = bench_json("-p", server.port, "-c", 4, "-t", "get", "--seconds", 0.5)
    return result["runs"][0]["latency_ns"]["max"]


# ---- latency ------------------------------------------------------------------------------------


@timed
def test_closed_loop_measures_a_known_delay():
    lag = lag_ns()
    with FakeServer() as server:
        server.delay_s = 0.1
        (result,) = bench_json("-p", server.port, "-c", 4, "-n", 100, "-t", "get")
    run = result["runs"][0]
    expect(100e6 <= run["latency_ns"]["min"] and run["latency_ns"]["p50"] < 110e6 + lag, run["latency_ns"], lag)
    expect(run["requests"] == 100, run["requests"])
    expect(4e9 / (150e6 + lag) < run["requests_per_s"] <= 40, run["requests_per_s"], lag)


def stalled(*arguments):
    with FakeServer() as server:
        server.stall = (0.3, 0.4)
        (result,) = bench_json("-p", server.port, "-c", 1, "-t", "get", "--seconds", 1, *arguments)
    return result["runs"][0]


@timed
def test_closed_loop_hides_a_stall():
    lag, run = lag_ns(), stalled()
    expect(run["latency_ns"]["max"] > 390e6, run["latency_ns"])
    expect(run["latency_ns"]["p90"] < 50e6 + lag < 390e6, run["latency_ns"], lag)


@timed
def test_open_loop_counts_the_wait():
    """A 0.4 s stall in 1 s at 500/s: four requests in ten wait 0.2 s on average."""
    lag, run = lag_ns(), stalled("--rate", 500)
    expect(run["latency_ns"]["p90"] > 250e6, run["latency_ns"])
    expect(run["latency_ns"]["p75"] > 50e6, run["latency_ns"])
    expect(run["service_ns"]["p90"] < 50e6 + lag < 390e6, run["service_ns"], lag)
    expect(run["service_ns"]["max"] > 390e6, run["service_ns"])


@timed
def test_open_loop_keeps_its_rate():
    """Ten connections at 100/s: each has a tenth of a second for a reply, which a busy machine keeps, too."""
    for rate in ("100", "100:poisson"):
        with FakeServer() as server:
            (result,) = bench_json("-p", server.port, "-c", 10, "-t", "get", "--seconds", 3, "--rate", rate)
        run = result["runs"][0]
        expect(run["sustained"] or rate != "100", rate, run)
        expect(75 < run["requests_per_s"] < 125, rate, run["requests_per_s"])


def test_rate_not_sustained_is_said():
    with FakeServer() as server:
        server.delay_s = 0.01
        output = bench("-p", server.port, "-c", 1, "-t", "get", "--seconds", 1, "--rate", 1000)
    expect("rate not sustained" in output and "offered 1000/s" in output, output)
    line = next(line for line in output.splitlines() if line.startswith("GET"))
    expect(line.split()[-4:] == ["-"] * 4, line)


@timed
def test_find_rate_stops_where_the_server_does():
    with FakeServer() as server:
        server.delay_s = 0.02
        output = bench("-p", server.port, "-c", 4, "-t", "get", "--seconds", 1, "--find-rate", "p50<150ms")
    rate = float(re.search(r"holds up to (\d+)", output).group(1))
    expect(50 < rate <= 205, output)


@timed
def test_warmup_is_not_counted():
    with FakeServer() as server:
        server.stall = (0.1, 0.3)
        (result,) = bench_json("-p", server.port, "-c", 1, "-t", "get", "--seconds", 0.5, "--warmup", 0.6)
    lag = lag_ns()
    expect(result["runs"][0]["latency_ns"]["max"] < min(100e6 + lag, 290e6), result["runs"][0]["latency_ns"], lag)


# ---- verify -------------------------------------------------------------------------------------

VERIFY = ["--verify", "-r", 200, "-c", 5, "-n", 4000, "--ratio", "5:4:1"]


def verify(fault=None, code=0, extra=()):
    with FakeServer() as server:
        if fault:
            server.fault = fault
        output = bench("-p", server.port, *VERIFY, *extra, code=code)
    return list(map(int, re.search(r"(\d+) wrong, (\d+) missing, (\d+) stale", output).groups())), output


def test_verify_is_content_with_a_correct_server():
    for extra in ([], ["-P", 8], ["--threads", 2], ["--value-size", "20:300"], ["--protocol", "native"]):
        counts, output = verify(extra=extra)
        expect(counts == [0, 0, 0], extra, output)


def test_verify_catches_a_wrong_value():
    counts, output = verify(lambda c, k, n: "wrong" if c == "GET" and n % 500 == 0 else None, code=1)
    expect(counts[0] >= 1 and counts[1:] == [0, 0], output)
    expect("wrong: key" in output, output)


def test_verify_catches_a_missing_value():
    counts, output = verify(lambda c, k, n: "missing" if c == "GET" and n in (700, 701, 702) else None,
                            code=1, extra=["--ratio", "5:5"])
    expect(counts[0] == 0 and counts[1] == 3 and counts[2] == 0, output)


def test_verify_catches_a_lost_write():
    counts, output = verify(lambda c, k, n: "ignore" if c == "SET" and n % 100 == 0 and n > 200 else None,
                            code=1, extra=["--ratio", "5:5"])
    expect(counts[0] == 0 and counts[1] == 0 and counts[2] > 0, output)


# ---- exit codes and faults ------------------------------------------------------------------------


def test_expectations_decide_the_exit_code():
    with FakeServer() as server:
        server.delay_s = 0.005
        common = ["-p", server.port, "-c", 2, "-n", 40, "-t", "get"]
        bench(*common, "--expect", "p99<500ms,ops>10")
        output = bench(*common, "--expect", "p99<1ms", code=5)
        expect("not as expected: GET: p99" in output, output)
        bench(*common, "--expect", "ops>1M", code=5)
        bench(*common, "--expect", "p99!1ms", code=2)


def test_usage_errors_end_with_2():
    for arguments in (["--no-such-option"], ["-c", "0"], ["-c", "x"], ["-P", "0"], ["-t", "nonsense"],
                      ["--ratio", "0:0"], ["--rate", "-5"], ["--value-size", "9:1"], ["--verify", "-d", "5"],
                      ["--trace", "/nonexistent.lis"], ["compare"], ["-p", "1"]):
        bench(*arguments, code=2)


def test_a_lost_connection_ends_with_1():
    with FakeServer() as server:
        server.fault = lambda c, k, n: "close" if n == 50 else None
        output = bench("-p", server.port, "-c", 3, "-n", 2000, "-t", "get", code=1)
    expect("1 connections lost" in output, output)


def test_error_replies_are_counted():
    with FakeServer() as server:
        server.fault = lambda c, k, n: "error" if n % 10 == 0 else None
        output = bench("-p", server.port, "-c", 3, "-n", 100, "-t", "get")
    expect("10 errors" in output and "ERR as the test wants it" in output, output)


# ---- load shape -----------------------------------------------------------------------------------


def keys_of(server, command=b"GET"):
    return [words[1] for _, words in server.commands if words[0] == command]


def test_cross_shard_reaches_the_wanted_share():
    for percent in (0, 30, 100):
        with FakeServer() as server:
            server.shards, server.record = 4, True
            bench("-p", server.port, "-c", 8, "-n", 4000, "-t", "get", "--cross-shard", percent)
            crossed = sum((crc16(words[1]) & 16383) * 4 // 16384 != shard for shard, words in server.commands)
        expect(abs(crossed / 40 - percent) < (0.001 if percent in (0, 100) else 4), percent, crossed)


def test_cross_shard_needs_a_server_that_tells():
    with FakeServer() as server:
        bench("-p", server.port, "-n", 10, "-t", "get", "--cross-shard", 0, code=2)  # no shards: in INFO
        output = bench("-p", server.port, "-n", 10, "-t", "get", "--cross-shard", 50, "--shards", 4)
        server.shards = 8
        output = bench("-p", server.port, "-n", 10, "-t", "get", "--cross-shard", 50, "--shards", 2, code=2)
        expect("connection's shard" in output, output)


def test_the_same_seed_draws_the_same_keys():
    def draw(seed):
        with FakeServer() as server:
            server.record = True
            bench("-p", server.port, "-c", 1, "-n", 200, "-t", "get", "--key-dist", "zipf:0.99", "--seed", seed)
            return keys_of(server)

    first = draw(7)
    expect(first == draw(7), "differs")
    expect(first != draw(8), "equal")


def test_ratio_and_command_templates():
    with FakeServer() as server:
        server.record = True
        bench("-p", server.port, "-c", 2, "-n", 3000, "--ratio", "6:3:1", "-d", 10)
        kinds = [words[0] for _, words in server.commands]
        expect(abs(kinds.count(b"GET") - 1800) < 150 and abs(kinds.count(b"DEL") - 300) < 80, len(kinds))
        server.commands.clear()
        bench("-p", server.port, "-n", 10, "-c", 1, "-d", 5, "--command", "EVAL 'a b' x:__key__ __data__ __rand_int__")
        _, words = server.commands[0]
        expect(words[:2] == [b"EVAL", b"a b"] and words[2].startswith(b"x:key:"), words)
        expect(len(words[3]) == 5 and len(words[4]) == 12, words)


def test_redis_benchmark_lines_run():
    with FakeServer() as server:
        output = bench("-h", "127.0.0.1", "-p", server.port, "-c", 10, "-n", 500, "-P", 4, "-d", 64, "-r", 1000,
                       "-t", "set,get", "-q")
        expect(re.search(r"^SET: [\d.]+ requests per second, p50=[\d.]+ msec", output, re.M), output)
        output = bench("-u", f"redis://127.0.0.1:{server.port}", "-n", 100, "-k", "1", "--csv", "-t", "ping")
        expect(output.startswith('"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms"'), output)
        output = bench("-p", server.port, "-n", 100, "-q", "SET", "key:__rand_int__", "value")
        expect(output.startswith("SET: "), output)


# ---- traces ---------------------------------------------------------------------------------------


def replay(path, *arguments):
    with FakeServer() as server:
        output = bench("-p", server.port, "--flush", "--trace", path, *arguments)
    return float(re.search(r"miss ratio ([\d.]+)", output).group(1)), output


def test_traces_count_misses_exactly():
    with tempfile.TemporaryDirectory() as folder:
        lis = pathlib.Path(folder, "small.lis")
        lis.write_text("10 3 0 1\n11 1 0 2\n10 4 0 3\n")  # 10 11 12 | 11 | 10 11 12 13: 4 of 8 miss
        for pipeline in (1, 2, 3, 8, 100):
            expect(replay(lis, "-P", pipeline)[0] == 0.5, pipeline, replay(lis, "-P", pipeline))
        oracle = pathlib.Path(folder, "small.oracleGeneral.bin")
        oracle.write_bytes(b"".join(struct.pack("<IQIq", t, i, 100, -1) for t, i in enumerate([1 << 50, 2, 1 << 50, 3])))
        expect(replay(oracle)[0] == 0.75, replay(oracle))
        if shutil.which("zstd"):
            subprocess.run(["zstd", "-q", str(lis)], check=True)
            expect(replay(f"{lis}.zst")[0] == 0.5, "zst")
        lis.write_text("not a trace\n")
        bench("--trace", lis, code=2)


def sequential(trace, lost=()):
    """The commands of a replay by one request at a time, each key's apart; SETs of `lost` are not kept."""
    kept, commands = set(), {}
    for key in trace:
        commands.setdefault(key, []).append(b"GET")
        if key not in kept:
            commands[key].append(b"SET")
        if key not in lost:
            kept.add(key)
    return commands


def test_a_replay_keeps_the_order_of_each_key():
    """Whatever is under way, a key is not asked for again before it is known whether a SET comes between."""
    rng = random.Random(5)
    ids = [int(30 * rng.random() ** 2) for _ in range(1000)]
    number = {}
    for key in ids:
        number.setdefault(key, len(number))
    trace = [b"key:%012d" % number[key] for key in ids]
    lost = {trace[0], trace[10]}
    with tempfile.TemporaryDirectory() as folder:
        lis = pathlib.Path(folder, "keys.lis")
        lis.write_text("".join("%d 1 0 0\n" % key for key in ids))
        for pipeline in (1, 8, 64):
            with FakeServer() as server:
                server.record = True
                server.fault = lambda c, k, n: "ignore" if c == "SET" and k in lost else None
                bench("-p", server.port, "-P", pipeline, "--trace", lis)
            got = {}
            for _, words in server.commands:
                got.setdefault(words[1], []).append(words[0])
            expect(got == sequential(trace, lost), pipeline)
            expect(keys_of(server) == trace, pipeline, "GETs are not in the order of the trace")
            kept, missed = set(), []
            for key in trace:
                if key not in kept:
                    missed.append(key)
                kept |= {key} - lost
            expect(keys_of(server, b"SET") == missed, pipeline, "SETs are not in the order of the misses")


def test_a_replay_has_several_keys_under_way():
    with tempfile.TemporaryDirectory() as folder:
        lis = pathlib.Path(folder, "keys.lis")
        lis.write_text("0 16 0 0\n0 16 0 0\n3 1 0 0\n3 1 0 0\n")
        with FakeServer() as server:
            server.record = True
            bench("-p", server.port, "-P", 16, "--trace", lis)
        # All are asked for and set; asked for again; the last two one by one.
        expect(server.batches == [16, 16, 16, 1, 1], server.batches)


def test_made_up_traces():
    def shape(spec, *arguments):
        ratio, output = replay(spec, "-n", 4000, "-r", 500, "-P", 100, *arguments)
        requests, unique = map(int, re.search(r"trace: (\d+) requests, (\d+) unique", output).groups())
        expect(requests == 4000 and abs(ratio - unique / 4000) < 1e-4, output)
        return unique

    zipf = shape("zipf:0.99")
    expect(zipf == shape("zipf:0.99") != shape("zipf:0.99", "--seed", 9) and 350 < zipf <= 500, zipf)
    once = shape("churn:0.99:0:0.5")  # half of them are for a key of its own
    expect(abs(once - 2000 - zipf) < 200, once)
    drift = shape("churn:0.99:1:0")  # every place changes hands once in 500 requests
    expect(zipf + 400 < drift < 3500, drift)


def test_what_a_trace_does_not_go_with():
    with FakeServer() as server:
        for arguments, reason in (
            (["zipf:1", "-c", 2], "one connection"),
            (["zipf:1", "--rate", 9], "goes without"),
            (["zipf:1", "--verify"], "goes without"),
            (["churn:1:2:0"], "churn:1:2:0: No such file"),  # a part is at most 1
            (["zipf:0"], "zipf:0: No such file"),
            (["zipf:1", "--key-size", 2], "--key-size"),
        ):
            output = bench("-p", server.port, "--trace", *arguments, code=2)
            expect(reason in output, arguments, output)
    output = bench("compare", "--server", FAKE, "--trace", "zipf:1", code=2)
    expect("one server" in output, output)


# ---- comparison -----------------------------------------------------------------------------------

FAKE = f"fake=python3 {HERE}/fake_server.py {{port}}"
OTHER = f"other:native=python3 {HERE}/fake_server.py {{port}}"


def servers_running():
    found = subprocess.run(["pgrep", "-f", f"^python3 {HERE}/fake_server.py"], capture_output=True, text=True)
    return found.stdout.split()


def test_compare_interleaves_and_stops_its_servers():
    output = bench("compare", "--server", FAKE, "--server", OTHER, "--pipelines", "1,4", "--runs", 2,
                   "--seconds", 0.2, "-t", "get", "-r", 100, "-c", 4)
    rows = [line for line in output.splitlines() if line.startswith("GET")]
    expect(len(rows) == 4, output)  # CPU and throughput at two pipelines
    expect(all(re.search(r"(fake|other|none: ranges overlap)$", row) for row in rows), rows)
    expect(not servers_running(), servers_running())


def compared_with_memcached(version, folder, *arguments):
    """Everything that shows a comparison: standard output, page, picture, JSON and CSV."""
    files = [pathlib.Path(folder, name) for name in ("page.html", "picture.svg", "figures.json")]
    common = ("compare", "--server", FAKE, "--server", f"{FAKE} memcached {version}".replace("fake=", "old="),
              "--runs", 1, "--seconds", 0.1, "-r", 10, "-c", 2, *arguments)
    output = bench(*common, "--report", files[0], "--svg", files[1], "--json", files[2])
    return [output, *(file.read_text() for file in files), bench(*common, "--csv")]


def test_an_old_memcached_is_told_apart():
    """Its pipelined GETs cost it more than they need to: the reader is told, wherever they are shown."""
    caveat = "it cost 1.6.45"
    with tempfile.TemporaryDirectory() as folder:
        for text in compared_with_memcached("1.6.18", folder, "--pipelines", "1,2", "-t", "set,get"):
            expect("old 1.6.18" in text or '"version":"1.6.18"' in text, text)
            expect(caveat in text, text)
        for version, arguments in (("1.6.45", ("--pipelines", "2", "-t", "get")), ("2.0.0", ("--pipelines", "2")),
                                   ("1.6.18", ("--pipelines", "1", "-t", "get")),
                                   ("1.6.18", ("--pipelines", "2", "-t", "set"))):
            for text in compared_with_memcached(version, folder, *arguments):
                expect(f"old {version}" in text or f'"version":"{version}"' in text, text)
                expect(caveat not in text, text)


def test_the_version_of_a_single_memcached():
    with FakeServer() as server:
        server.memcached = "1.5.22"
        arguments = ["--protocol", "memcached", "-p", server.port, "-n", 100, "-P", 4]
        expect("memcached here is 1.5.22" in bench(*arguments, "-t", "get"), "GET")
        expect("memcached here" not in bench(*arguments, "-t", "set"), "SET")


def test_compare_begins_with_set():
    output = bench("compare", "--server", FAKE, "--pipelines", "1", "--runs", 1, "--seconds", 0.1, "-r", 10, "-c", 2)
    expect([line.split()[0] for line in output.splitlines() if line[:3] in ("GET", "SET")] == ["SET", "GET"] * 2, output)


def test_sweep_fills_in_the_shards():
    output = bench("sweep", "--server", FAKE + " {shards}", "--shards", "1,2", "--pipelines", "3", "--runs", 2,
                   "--seconds", 0.2, "-t", "get,set", "-r", 100, "-c", 4)
    expect(re.search(r"^fake x1 GET .*^fake x2 GET .*^fake x1 SET .*^fake x2 SET", output, re.M | re.S), output)
    expect(not servers_running(), servers_running())


def test_compare_stops_its_servers_on_interrupt():
    child = subprocess.Popen([BENCH, "compare", "--server", FAKE, "--server", OTHER, "--seconds", "5", "-r", "100"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 20
        while len(servers_running()) < 2 and time.monotonic() < until:
            time.sleep(0.05)  # waits for a process that has no other way to tell
        expect(len(servers_running()) == 2, servers_running())
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
    expect(not servers_running(), servers_running())


def test_a_server_that_does_not_start_is_said():
    output = bench("compare", "--server", "bad=/bin/false {port}", code=2)
    expect("bad ended at once" in output, output)
    shutil.rmtree(re.search(r"see (/tmp/shoal-bench[^/]+)", output).group(1))  # its log is kept on purpose


# ---- reports --------------------------------------------------------------------------------------


def report(folder):
    page = pathlib.Path(folder, "report.html")
    with FakeServer() as server:
        bench("-p", server.port, "-n", 4000, "-c", 10, "--runs", 3, "-t", "set,get", "--server-pid", os.getpid(),
              "--report", page, "--title", "A <b>test</b>")
    return page


def test_report_is_one_file():
    with tempfile.TemporaryDirectory() as folder:
        text = report(folder).read_text()
    expect(not re.search(r"(src|href)\s*=|url\(|@import|<script", text), "asks for something else")
    expect("A &lt;b&gt;test&lt;/b&gt;" in text, "title not escaped")
    expect(text.count("<svg") == text.count("</svg>") >= 4, text.count("<svg"))
    expect("nan" not in text and "inf" not in re.sub(r"[a-z]*info|-info", "", text), "not a number")


def test_report_renders_in_light_and_dark():
    if not shutil.which("chromium"):
        raise Skipped("no chromium")
    with tempfile.TemporaryDirectory() as folder:
        page = report(folder)
        light = picture.render(page, dark=False)
        dark = picture.render(page, dark=True)
    expect(light.share("#ffffff") > 0.2 and light.share("#2463c9") > 0.002, light.common())
    expect(dark.share("#12151b") > 0.2 and dark.share("#6fa3ff") > 0.002, dark.common())


def npm_gives(modules, package):
    """False without npm, or without a registry in reach."""
    modules.mkdir(parents=True, exist_ok=True)
    try:
        return subprocess.run(["npm", "install", "--silent", "--no-fund", "--fetch-retries=1", "--prefix", str(modules),
                               package], capture_output=True, timeout=SECONDS_MAX).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def test_hgrm_agrees_with_hdr_histogram_js():
    modules = HERE.parent.parent / "build" / "cache" / "bench-js"
    if not (modules / "node_modules" / "hdr-histogram-js").exists():
        if not npm_gives(modules, "hdr-histogram-js@3.0.1"):
            raise Skipped("npm does not give hdr-histogram-js")
    sample = os.environ.get("HGRM_SAMPLE")
    if not sample:
        raise Skipped("HGRM_SAMPLE is not built (run.sh does that)")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sample, f"{folder}/values", f"{folder}/hgrm"], check=True)
        subprocess.run(["node", str(HERE / "hgrm_check.js"), f"{folder}/values", f"{folder}/hgrm"], check=True,
                       env={**os.environ, "NODE_PATH": str(modules / "node_modules")})


# ---- running --------------------------------------------------------------------------------------


def run_one(name, function):
    try:
        function()
    except Skipped as reason:
        print(f"skip  {name}: {reason}")
        return "skipped"
    except Exception:  # a failing test must not stop the others
        print(f"FAIL  {name}\n{traceback.format_exc()}")
        return "failed"
    print(f"ok    {name}")
    return "passed"


def main():
    words = sys.argv[1:]
    tests = {name[5:]: value for name, value in globals().items() if name.startswith("test_")}
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, function in tests.items():
        if not words or any(word in name for word in words):
            counts[run_one(name, function)] += 1
            sys.stdout.flush()
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(counts["failed"] > 0)


if __name__ == "__main__":
    main()
