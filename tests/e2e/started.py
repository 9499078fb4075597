"""A started server for the tests in Python, and the count of what passed.

Environment: SHOAL, the binary; PORT, the first of ten ports; SHOAL_IO_ENGINE and its like, options that the server reads
there itself. A sanitizer's build is recognised by
the folder it lies in, and SCALE says how much less there is to do with it.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHOAL = os.environ.get("SHOAL", os.path.join(ROOT, "build", "shoal"))
PORT = int(os.environ.get("PORT", "27200"))
MODE = os.path.basename(os.path.dirname(SHOAL))
SCALE = 5 if MODE in ("asan", "ubsan", "tsan", "debug", "tiny") else 1
READY_SECONDS, STOP_SECONDS = 120, 120
OUTPUT_LINES_KEPT = 400


class Server:
    """`with Server(shards=3) as server:`; it listens on server.port and server.socket_path.

    `launcher`: words before the binary, of a program that becomes it."""

    def __init__(self, shards=1, *options, offset=0, launcher=()):
        self.port, self.shards = PORT + offset, shards
        self.folder = tempfile.mkdtemp(prefix="shoal-e2e-")
        self.socket_path = os.path.join(self.folder, "s")
        self.output, self.ready = [], threading.Event()
        self.process = subprocess.Popen(
            [*launcher, SHOAL, "--port", str(self.port), "--unixsocket", self.socket_path,
             "--shards", str(shards), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line.decode(errors="replace").rstrip())
            del self.output[:-OUTPUT_LINES_KEPT]
            if "Ready to accept connections" in self.output[-1]:
                self.ready.set()
        self.ready.set()

    def __enter__(self):
        self.ready.wait(READY_SECONDS)
        if self.process.poll() is not None or not self.ready.is_set():
            self.stop()
            raise RuntimeError("the server did not start:\n" + "\n".join(self.output))
        self._check_engine()
        return self

    def _check_engine(self):
        """A whole run with one engine is not to pass by the other."""
        asked = os.environ.get("SHOAL_IO_ENGINE", "auto")
        if asked == "auto" or "--io-engine" in self.process.args:
            return
        shown = {"uring": " io: io_uring, ", "epoll": " io: epoll, "}[asked]
        if not any(shown in line for line in self.output):
            self.stop()
            raise RuntimeError("the server does not use %s:\n%s" % (asked, "\n".join(self.output)))

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """The status it ended with; -SIGKILL if it would not end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(STOP_SECONDS)
        for name in os.listdir(self.folder) if os.path.isdir(self.folder) else ():
            os.unlink(os.path.join(self.folder, name))
        if os.path.isdir(self.folder):
            os.rmdir(self.folder)
        return self.process.returncode

    def state(self):
        """For those who read of a failure: clients, figures, sockets with their timers."""
        here = ":%04X" % self.port
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as asked:
                asked.sendall(b"CLIENT LIST\r\nINFO clients memory stats\r\nQUIT\r\n")
                told = asked.makefile("rb").read().decode(errors="replace").replace("\r", "")
        except OSError as error:
            told = "nothing is heard of it: %s\n" % error
        with open("/proc/net/tcp") as sockets:
            return told + "".join(line for line in sockets if here in line and line.split()[3] != "06")  # TIME_WAIT

    def ends_well(self):
        status = self.stop()
        assert status == 0, "ended with status %d:\n%s" % (status, "\n".join(self.output))


def serve(*arguments, **named):
    """A server that accepts connections, to be ended by ends_well()."""
    return Server(*arguments, **named).__enter__()


class Tests:
    """Runs functions, each of them one test, and says in the end how many passed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def run(self, name, function, *arguments):
        try:
            function(*arguments)
            self.passed += 1
        except Exception:
            self.failed += 1
            print("FAIL %s\n%s" % (name, traceback.format_exc(chain=False)), flush=True)
            for argument in arguments:
                if isinstance(argument, Server) and argument.process.poll() is None:
                    print(argument.state(), flush=True)

    def finish(self):
        print("%d passed, %d failed" % (self.passed, self.failed)
              + (", %d skipped" % self.skipped if self.skipped else ""))
        sys.exit(1 if self.failed else 0)


def equal(got, wanted):
    """assertEqual whose message stays short for values of megabytes."""
    if got != wanted:
        raise AssertionError("got %.300r, wanted %.300r" % (got, wanted))


def matches(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError("no %r in %.2000s" % (part, text))
