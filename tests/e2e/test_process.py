"""The process as its host sees it: the pid file, the CPUs of its threads, and a second signal."""

import os
import signal
import subprocess
import tempfile
import time

from started import MODE, PORT, SHOAL, STOP_SECONDS, Server, Tests, equal, matches
from wire import Wire

EXIT_BIND = 4
NO_CPU = 1023  # of those that a CPU set can name; machines with as many are not tested on


def told(server, text):
    return [line for line in server.output if text in line]


def has_its_id(path, server):
    with open(path) as file:
        equal(file.read(), "%d\n" % server.process.pid)


def pid_file(folder):
    """It has the process id while the server runs, and is gone when it has ended."""
    path = os.path.join(folder, "pid")
    with Server(1, "--pidfile", path) as server:
        has_its_id(path, server)
        server.ends_well()
        assert not os.path.exists(path)


def linked_pid_file(folder):
    """A link to a file is removed like the file itself would be."""
    path = os.path.join(folder, "link")
    os.symlink(os.path.join(folder, "target"), path)
    with Server(1, "--pidfile", path) as server:
        has_its_id(path, server)
        server.ends_well()
    assert not os.path.lexists(path)


def no_pid_file(folder):
    """One that cannot be created is said, and the server runs."""
    with Server(1, "--pidfile", os.path.join(folder, "missing", "pid")) as server:
        equal(Wire(server.port).run("PING"), b"PONG")
        server.ends_well()
        equal(len(told(server, "cannot write the pid file")), 1)


def full_disk(folder):
    """Nor is a full disk passed over in silence; what is no file of ours is not removed."""
    path = os.path.join(folder, "full")
    os.symlink("/dev/full", path)
    with Server(1, "--pidfile", path) as server:
        equal(Wire(server.port).run("PING"), b"PONG")
        server.ends_well()
        matches("".join(told(server, "cannot write the pid file")), "No space left on device")
    assert os.path.islink(path)


def no_room_in_files(folder):
    """Where no file may grow, the pid file does not stay behind empty, and the log is lost, not the server."""
    path, log = os.path.join(folder, "empty"), os.path.join(folder, "log")
    limit = ("prlimit", "--fsize=4096", "--core=0")
    with open(log, "w") as file:
        file.write("x" * 4097)
    process = subprocess.Popen([*limit, SHOAL, "--port", str(PORT), "--shards", "1", "--logfile", log, "--pidfile", path],
                               stdin=subprocess.DEVNULL)
    until_answered(PORT, process)
    with open(path) as file:  # there was room for it
        equal(file.read(), "%d\n" % process.pid)
    process.send_signal(signal.SIGTERM)
    equal(process.wait(STOP_SECONDS), 0)
    equal(os.path.getsize(log), 4097)


def no_pid_file_may_grow(folder):
    path = os.path.join(folder, "none")
    with Server(1, "--pidfile", path, launcher=("prlimit", "--fsize=0", "--core=0")) as server:
        matches("".join(told(server, "cannot write the pid file")), "File too large")
        assert not os.path.exists(path)
        server.ends_well()


def until_answered(port, process):
    deadline = time.monotonic() + STOP_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            equal(Wire(port).run("PING"), b"PONG")
            return
        except OSError:
            time.sleep(0.01)
    raise AssertionError("it does not answer")


def second_signal(folder):
    """It ends a server that waits for a client; the first one alone would not for an hour."""
    path = os.path.join(folder, "pid")
    with Server(2, "--shutdown-timeout", "3600", "--pidfile", path) as server:
        client = Wire(server.port, receive_bytes=8192)
        equal(client.run("SET", "value", b"v" * 65536), b"OK")
        client.send(client.proto.request("GET", "value") * 100)
        assert client.more()
        server.process.send_signal(signal.SIGTERM)
        while not told(server, "stopping"):
            assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        equal(server.process.wait(STOP_SECONDS), 1)
        server.stop()
        equal(len(told(server, "second signal")), 1)
        assert not os.path.exists(path)


def cpus_of_workers(server):
    folder = "/proc/%d/task" % server.process.pid
    cpus = {}
    for thread in os.listdir(folder):
        with open("%s/%s/comm" % (folder, thread)) as name:
            if name.read().startswith("shoal-"):
                cpus[int(thread)] = os.sched_getaffinity(int(thread))
    equal(len(cpus), server.shards)
    return [cpus[thread] for thread in sorted(cpus)]


def pinned():
    """Each worker thread has one CPU of the list, in turn; the main thread has all."""
    ours = sorted(os.sched_getaffinity(0))
    chosen = [ours[0], ours[-1]]
    with Server(3, "--cpu-list", ",".join(map(str, dict.fromkeys(chosen)))) as server:
        equal(cpus_of_workers(server), [{chosen[i % 2]} for i in range(3)])
        equal(os.sched_getaffinity(server.process.pid), set(ours))
        server.ends_well()
        matches("".join(told(server, " size: ")), ", pinned to %d CPUs, " % len(set(chosen)))


def not_pinned():
    """A CPU that is not there is said, and the thread runs where it may."""
    ours = os.sched_getaffinity(0)
    with Server(2, "--cpu-list", str(NO_CPU)) as server:
        equal(cpus_of_workers(server), [ours, ours])
        server.ends_well()
        equal(len(told(server, "could not be pinned to CPU %d" % NO_CPU)), 2)
        matches("".join(told(server, " size: ")), ", not pinned, ")


def refused_place(*options):
    """What a server says that cannot listen there."""
    process = subprocess.run([SHOAL, "--shards", "1", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=60, check=False)
    equal(process.returncode, EXIT_BIND)
    return "".join(line for line in process.stdout.decode().splitlines() if "cannot listen" in line)


def taken_places(folder):
    """What has the place is named as what it is."""
    path = os.path.join(folder, "place")
    unix = ("--port", "0", "--unixsocket", path)
    os.mkdir(path)
    matches(refused_place(*unix), "it is a directory")
    os.rmdir(path)
    with open(path, "w") as file:
        file.write("precious")
    matches(refused_place(*unix), "it is a plain file")
    with open(path) as file:
        equal(file.read(), "precious")
    twice = refused_place("--port", str(PORT), "--bind", "127.0.0.1", "localhost", "127.0.0.1")
    matches(twice, "on localhost port %d" % PORT, "bind names it twice")
    matches(refused_place("--port", str(PORT), "--bind", "*", "127.0.0.1"), "as part of every address")
    with Server(1) as server:
        matches(refused_place("--port", str(server.port)), "another server has it")
        matches(refused_place("--port", "0", "--unixsocket", server.socket_path), "another server has it")
        equal(Wire(server.port).run("PING"), b"PONG")
        server.ends_well()


def main():
    tests = Tests()
    with tempfile.TemporaryDirectory(prefix="shoal-e2e-") as folder:
        tests.run("pid file", pid_file, folder)
        tests.run("linked pid file", linked_pid_file, folder)
        tests.run("no pid file", no_pid_file, folder)
        tests.run("full disk", full_disk, folder)
        tests.run("no room in files", no_room_in_files, folder)
        if MODE == "tsan":
            print("no pid file may grow: skipped, ThreadSanitizer's start is ended by this limit")
            tests.skipped += 1
        else:
            tests.run("no pid file may grow", no_pid_file_may_grow, folder)
        tests.run("second signal", second_signal, folder)
        tests.run("taken places", taken_places, folder)
    tests.run("pinned", pinned)
    tests.run("not pinned", not_pinned)
    tests.finish()


main()
