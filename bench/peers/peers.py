"""Servers side by side for the measurements in Python: started, asked, halted, stopped by pid; what they take.

Environment: SHOAL, BENCH  the programs
"""

import getpass
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHOAL = os.environ.get("SHOAL", os.path.join(ROOT, "build", "shoal"))
BENCH = os.environ.get("BENCH", os.path.join(ROOT, "build", "shoal-bench"))
READY_SECONDS, STOP_SECONDS, COUNT_SECONDS = 30, 30, 120
CPUCLOCK_SCHED = 2  # the kernel's name for "what a process ran, in ns", in the low bits of a clock's id


class Kind:
    """A kind of server. {port}, {socket} and {clients} are filled in; `counters`: where its text says how many are
    connected, and how many bytes it has read."""

    def __init__(self, name, command, memcached=False):
        self.name, self.command, self.memcached = name, command, memcached
        self.question = b"stats\r\n" if memcached else b"INFO everything\r\n"
        self.counters = (rb"STAT curr_connections (\d+)", rb"STAT bytes_read (\d+)") if memcached else \
            (rb"connected_clients:(\d+)", rb"total_net_input_bytes:(\d+)")

    def installed(self):
        return shutil.which(self.command[0]) is not None

    def get(self, key):
        return b"get %s\r\n" % key if self.memcached else b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key)

    def hit(self, key, value):
        return b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(value), value) if self.memcached else \
            b"$%d\r\n%s\r\n" % (len(value), value)

    def set(self, key, value):
        return b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value) if self.memcached else \
            b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value)


def shoal(shards, *options):
    return Kind("shoal, %d shard%s" % (shards, "s" * (shards > 1)),
                [SHOAL, "--port", "{port}", "--unixsocket", "{socket}", "--shards", str(shards), "--save", "",
                 "--maxclients", "{clients}", *options])


def redis():
    return Kind("redis-server", ["redis-server", "--port", "{port}", "--unixsocket", "{socket}", "--save", "",
                                 "--appendonly", "no", "--protected-mode", "no", "--maxclients", "{clients}"])


def memcached_name():
    """With its version, "memcached 1.6.18"."""
    if not shutil.which("memcached"):
        return "memcached"
    return subprocess.run(["memcached", "-V"], capture_output=True, text=True, check=True).stdout.strip()


def memcached():
    return Kind(memcached_name(),
                ["memcached", "-u", getpass.getuser(), "-t", "1", "-U", "0", "-l", "127.0.0.1", "-p", "{port}",
                 "-c", "{clients}"], memcached=True)


def connect_to(process, port):
    """A connection to the process, once it listens; None if it does not."""
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.02)  # there is no other way to be told
    return None


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Started:
    """`with Started(name, command, port) as server:`, a process and a connection to it."""

    def __init__(self, name, command, port, environment=None):
        self.name, self.command, self.port, self.wire = name, command, port, None
        self.process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        self.wire = connect_to(self.process, self.port)
        if self.wire is None:
            self.__exit__()
            raise RuntimeError("does not start: " + " ".join(self.command))
        return self

    def __exit__(self, *_):
        if self.wire is not None:
            self.wire.close()
        end(self.process)

    def ask(self, request, complete):
        """Sends the request; returns the text that comes back, once complete(text) is true of it."""
        self.wire.sendall(request)
        text = b""
        while not complete(text):
            got = self.wire.recv(1 << 16)
            if not got:
                raise RuntimeError(self.name + " closed the connection")
            text += got
        return text


class Running(Started):
    """`with Running(kind, port, clients) as server:`; `launcher`: words before the command, of programs that become
    it."""

    def __init__(self, kind, port, clients=10000, launcher=()):
        self.kind = kind
        self.folder = tempfile.mkdtemp(prefix="shoal-peers-")
        self.socket_path = os.path.join(self.folder, "s")
        fill = {"port": port, "socket": self.socket_path, "clients": clients}
        super().__init__(kind.name, [*launcher, *(word.format(**fill) for word in kind.command)], port)
        self.pid = self.process.pid

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    # ---- asked ----

    def text(self, command=None):
        """The text of a bulk reply to `command`; of the server's counters if None."""
        if self.kind.memcached:
            return self.ask(self.kind.question, lambda text: text.endswith(b"END\r\n"))
        return self.ask(command or self.kind.question, bulk_is_complete)

    def _counter(self, which):
        return int(re.search(self.kind.counters[which], self.text()).group(1))

    def connected(self):
        return self._counter(0)

    def bytes_read(self):
        return self._counter(1)

    def wait_for(self, what, function):
        until = time.monotonic() + COUNT_SECONDS
        while not function():
            if time.monotonic() > until:
                raise RuntimeError("%s: no %s within %d s" % (self.kind.name, what, COUNT_SECONDS))
            time.sleep(0.05)

    # ---- what it takes ----

    def memory_bytes(self):
        """The process's resident memory; shared pages count for its share of them."""
        with open("/proc/%d/smaps_rollup" % self.pid) as file:
            return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) << 10

    def cpu_ns(self):
        """The CPU time of all the process's threads, those in the kernel included."""
        return time.clock_gettime_ns((~self.pid << 3) | CPUCLOCK_SCHED)

    def ticks(self):
        """The same by the kernel's accounting in ticks."""
        with open("/proc/%d/stat" % self.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])


def bulk_is_complete(text):
    head, separator, rest = text.partition(b"\r\n")
    if separator and head[:1] != b"$":
        raise RuntimeError("refused: %r" % head)
    return separator and len(rest) >= int(head[1:]) + 2


def kernel_bytes():
    """Slab memory of the whole machine that cannot be taken back: sockets, files, what io_uring has in flight."""
    with open("/proc/meminfo") as file:
        return int(re.search(r"SUnreclaim:\s+(\d+)", file.read()).group(1)) << 10


def raise_descriptors():
    """Raises the limit of open files as far as may be; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/proc/sys/fs/nr_open") as file:
        most = int(file.read())
    for limit in (most, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
        except (ValueError, OSError):
            continue  # only root, and not everywhere, may raise the hard limit
    return hard
