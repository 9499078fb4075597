#!/usr/bin/env python3
"""
Runs Redis's own test suite against a started server, one fresh server per unit; units whose tests
start servers themselves get ours in the place of theirs.

    tests/conformance/run.py [--try] [UNIT...]

--try runs the tests that are left out as well and names those that pass.

    SHOAL    the server's binary                     build/shoal
    SERVER   the whole command line, with {port}     $SHOAL --port {port} --shards 2 --maxmemory-policy
                                                      noeviction, Redis's default, which the suite
                                                      counts on, and --enable-debug-command yes
    PORT     first of three ports to use             27100
    TIMEOUT  seconds a unit may take                 120
    SHOAL_IO_ENGINE  uring or epoll: the server reads it itself, and must use that one

left-out.txt names every test that is left out and why; a test that fails, a row that matches no
test, a server that dies and a unit that does not end are failures.
"""

import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LOGS = ROOT / "build" / "conformance"

UNITS = [
    "type/string", "type/incr", "expire", "keyspace", "scan", "protocol", "info-command",
    "multi", "other", "quit", "introspection", "bitops", "bitfield", "slowlog", "latency-monitor",
    "pubsub", "pause",
]
# These start their servers: settings that only a start can make, limits, memory, buffers.
SPAWNING = ["maxmemory", "querybuf", "auth", "limits", "info"]
# What the suite may not ask for: replicas, files on disk, and minutes.
DENIED_TAGS = "-slow -needs:repl -needs:save"
DENIED_WHERE_SPAWNING = "-needs:repl -needs:save"

PORT = int(os.environ.get("PORT", "27100"))
TIMEOUT = float(os.environ.get("TIMEOUT", "120"))
ENGINE = os.environ.get("SHOAL_IO_ENGINE", "auto")
SHOAL = os.environ.get("SHOAL", str(ROOT / "build" / "shoal"))
SERVER = os.environ.get("SERVER", shlex.quote(SHOAL) +
                        " --port {port} --shards 2 --maxmemory-policy noeviction"
                        " --enable-debug-command yes")

TRY = "--try" in sys.argv[1:]

ANSI = re.compile(r"\x1b\[[0-9;]*m")
STATUS = re.compile(r"^\[(ok|err|exception|skip|ignore|TIMEOUT)\]: (.*)$")


class Server:
    """A server of its own for one unit."""

    def __init__(self, log):
        self.log = log
        command = shlex.split(SERVER.format(port=PORT))
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait_until_ready(self, seconds=30):
        """PING until it answers: connecting is not enough."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return f"ended with status {self.process.returncode} at start"
            try:
                with socket.create_connection(("127.0.0.1", PORT), 1) as s:
                    s.sendall(b"PING\r\n")
                    if s.recv(64).startswith(b"+PONG"):
                        return self.uses_another_engine()
            except OSError:
                time.sleep(0.02)
        return f"did not answer PING within {seconds} s"

    def uses_another_engine(self):
        """What is wrong where one was asked for, or None."""
        shown = {"uring": " io: io_uring, ", "epoll": " io: epoll, "}.get(ENGINE)
        if shown and shown not in pathlib.Path(self.log).read_text(errors="replace"):
            return f"does not use {ENGINE}, see {self.log}"
        return None

    def stop(self):
        """Ends it as an operator would; what went wrong, or None."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return "did not end within 15 s of SIGTERM"
        if self.process.returncode:
            return f"ended with status {self.process.returncode}, see {self.log}"
        return None


# In the place of redis-server: the suite looks for the line with PID. A start without a policy or a
# limit has Redis's here too, and the suite's pid file is one for all. Leaks are not looked for: the
# suite sends SIGCONT just behind SIGTERM, which takes back the SIGSTOP by which LeakSanitizer holds a
# process that ends, and it would wait for ever.
STAND_IN = """#!/bin/sh
echo "stand-in for redis-server, PID: $$"
config=$1.shoal
printf 'maxmemory 0\\nmaxmemory-policy noeviction\\nmaxmemory-clients 0\\nshards 2\\n' > "$config"
printf 'include "%s"\\npidfile ""\\n' "${{1##*/}}" >> "$config"
shift
export ASAN_OPTIONS="${{ASAN_OPTIONS:+$ASAN_OPTIONS:}}detect_leaks=0"
exec {shoal} "$config" "$@"
"""


def stage(suite):
    """A folder from which the suite starts our server."""
    folder = LOGS / "spawning"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    for name, target in (("tests", pathlib.Path(suite) / "tests"), ("src/redis-cli", shutil.which("redis-cli")),
                         ("src/redis-benchmark", shutil.which("redis-benchmark"))):
        link = folder / name
        link.unlink(missing_ok=True)
        if target:
            link.symlink_to(target)
    stand_in = folder / "src" / "redis-server"
    stand_in.write_text(STAND_IN.format(shoal=shlex.quote(str(pathlib.Path(SHOAL).resolve()))))
    stand_in.chmod(0o755)
    return folder


class Unit:
    """One unit's run and what came of it."""

    def __init__(self, name, left_out):
        self.name = name
        self.left_out = left_out
        self.ended = False
        self.passed, self.skipped, self.failures = [], [], []

    def run(self, suite):
        stem = self.name.replace("/", "-")
        if self.name in SPAWNING:
            self.judge(stage(suite), LOGS / (stem + ".log"), [], DENIED_WHERE_SPAWNING)
            self.look_at_left_out()
            return
        server = Server(LOGS / (stem + ".server.log"))
        try:
            trouble = server.wait_until_ready()
            if not trouble:
                self.judge(suite, LOGS / (stem + ".log"), ["--host", "127.0.0.1", "--port", str(PORT), "--singledb"],
                           DENIED_TAGS)
        finally:
            stopped = server.stop()
            trouble = trouble or stopped
        if trouble:
            self.failures.append("the server " + trouble)
        self.look_at_left_out()

    def look_at_left_out(self):
        for test in self.left_out:
            if TRY:
                if test in self.passed:
                    print(f"    passes though left out: {test}")
            elif self.ended and test not in self.skipped:
                self.failures.append(f"left-out.txt names a test the suite did not come to: {test}")

    def judge(self, suite, log, server, denied):
        skipfile = LOGS / (self.name.replace("/", "-") + ".skip")
        skipfile.write_text("" if TRY else "\n".join(self.left_out) + "\n")
        command = ["tclsh", "tests/test_helper.tcl", *server, "--baseport", str(PORT + 34), "--portcount", "40",
                   "--single", "unit/" + self.name, "--durable", "--ignore-encoding", "--ignore-digest",
                   "--tags", denied, "--skipfile", str(skipfile)]
        # In a session of its own, so that the harness's children end with it.
        with open(log, "wb") as out:
            suite_process = subprocess.Popen(command, cwd=suite, stdout=out, stderr=out,
                                             stdin=subprocess.DEVNULL, start_new_session=True)
            try:
                suite_process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self.failures.append(f"did not end within {TIMEOUT:.0f} s, see {log}")
            finally:
                try:
                    os.killpg(suite_process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                suite_process.wait()
        self.read(log)

    def read(self, log):
        text = ANSI.sub("", log.read_text(errors="replace"))
        results, _, _ = text.partition("The following tests failed:")  # says [err] a second time
        lines = results.splitlines()
        for number, line in enumerate(lines):
            match = STATUS.match(line)
            if not match:
                continue
            status, what = match.groups()
            if status == "ok":
                self.passed.append(re.sub(r" \(\d+ ms\)$", "", what))
            elif status == "skip":
                self.skipped.append(what)
            elif status != "ignore":
                detail = " | ".join(l.strip() for l in lines[number + 1:number + 4])
                self.failures.append(f"{status}: {what}: {detail}")
        self.ended = f"[1/1 done]: unit/{self.name}" in text
        if not self.ended and not self.failures:
            self.failures.append(f"stopped before its end, see {log}")


def left_out_by_unit():
    """Rows `unit: test # reason`; a name may contain ` # `, a reason may not."""
    rows, bad = {}, []
    path = HERE / "left-out.txt"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        row, mark, reason = line.rpartition(" # ")
        unit, colon, test = row.partition(": ")
        if not mark or not colon or not reason.strip() or unit not in UNITS + SPAWNING:
            bad.append(f"left-out.txt:{number}: not `unit: test # reason`: {line}")
        elif test.strip() in rows.get(unit, []):
            bad.append(f"left-out.txt:{number}: twice: {test.strip()}")
        else:
            rows.setdefault(unit, []).append(test.strip())
    return rows, bad


def main():
    names = [name for name in sys.argv[1:] if name != "--try"] or UNITS + SPAWNING
    LOGS.mkdir(parents=True, exist_ok=True)
    left_out, bad = left_out_by_unit()
    for line in bad:
        print(line)
    fetched = subprocess.run([HERE / "fetch.sh"], stdout=subprocess.PIPE, text=True)
    if fetched.returncode:
        print("the suite could not be fetched")
        print("0 passed, 1 failed")
        return 1
    passed = skipped = 0
    failed = len(bad)
    for name in names:
        unit = Unit(name, left_out.get(name, []))
        began = time.monotonic()
        unit.run(fetched.stdout.strip())
        passed += len(unit.passed)
        skipped += len(unit.skipped)
        failed += len(unit.failures)
        print(f"{name:<14} {len(unit.passed):4} passed {len(unit.skipped):4} left out "
              f"{len(unit.failures):4} failed {time.monotonic() - began:7.1f} s", flush=True)
        for failure in unit.failures:
            print("    " + failure)
    print(f"{passed} passed, {skipped} left out, {failed} failed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
