#!/usr/bin/python3
"""redis-cli and its modes against a started server, over TCP and a Unix socket."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

from started import SCALE, Server, Tests, equal, matches

SECONDS = 120
PASSWORD = "correct horse"


class Cli:
    """Runs redis-cli against one server over one transport."""

    def __init__(self, server, transport):
        self.where = ["-s", server.socket_path] if transport == "unix" else ["-p", str(server.port)]

    def command(self, *words):
        return ["redis-cli", *self.where, *words]

    def run(self, *words, stdin=b""):
        """Status, and what it printed on both outputs."""
        done = subprocess.run(self.command(*words), input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS)
        return done.returncode, done.stdout.decode(errors="replace")

    def __call__(self, *words, stdin=b""):
        status, text = self.run(*words, stdin=stdin)
        equal((status, text and ""), (0, text and ""))
        return text.rstrip("\n")

    def load(self, count, prefix="key", size=10):
        """`count` keys by inline commands through --pipe."""
        lines = "".join("SET %s:%d %s\n" % (prefix, i, "x" * size) for i in range(count))
        matches(self("--pipe", stdin=lines.encode()), "errors: 0, replies: %d" % count)


def single_commands(cli):
    equal(cli("set", "k", "v", "ex", "100"), "OK")
    equal(cli("get", "k"), "v")
    equal(cli("--no-raw", "get", "k"), '"v"')
    equal(cli("--no-raw", "get", "none"), "(nil)")
    equal(cli("--no-raw", "mget", "k", "none"), '1) "v"\n2) (nil)')
    equal(cli("--no-raw", "strlen", "k"), "(integer) 1")
    equal(cli("--csv", "mget", "k", "none"), '"v",NULL')
    equal(cli("ping"), "PONG")
    equal(cli("-r", "3", "incr", "n"), "1\n2\n3")
    equal(cli("-x", "set", "stdin", stdin=b"from\x00stdin"), "OK")
    equal(cli("strlen", "stdin"), "10")
    equal(cli("-n", "5", "dbsize"), "0")
    equal(cli("-n", "5", "set", "other", "1"), "OK")
    equal(cli("exists", "other"), "0")
    equal(cli("--quoted-input", "set", '"a\\x00b"', "1"), "OK")


def errors_are_told(cli):
    status, text = cli.run("-e", "incr", "k", "too", "many")
    equal(status, 1)
    matches(text, "ERR wrong number of arguments for 'incr' command")
    matches(cli("nosuch", "a"), "ERR unknown command 'nosuch', with args beginning with: 'a'")
    matches(cli("set", "k", "1", "what"), "ERR syntax error")
    matches(cli("-n", "99", "get", "k"), "DB index is out of range")


def resp3(cli):
    fields = json.loads(cli("-3", "--json", "hello"))
    equal((fields["proto"], fields["mode"], fields["role"]), (3, "standalone", "master"))
    equal(fields["modules"], [])
    equal(cli("-3", "--no-raw", "get", "none"), "(nil)")
    equal(json.loads(cli("-3", "--json", "config", "get", "databases")), {"databases": "16"})
    matches(cli("-3", "--no-raw", "config", "get", "databases"), '1# "databases" => "16"')
    equal(json.loads(cli("-2", "--json", "config", "get", "databases")), ["databases", "16"])
    docs = json.loads(cli("--json", "command", "docs", "getex"))
    matches(docs["getex"]["summary"], "")
    equal(docs["getex"]["group"], "string")
    for field in "since", "complexity", "arguments":
        assert field in docs["getex"], field


def commands_from_standard_input(cli):
    text = cli(stdin=b"set a 1\nincr a\n\nget a\nmulti\nincr a\nincr b\nexec\nget none\n")
    equal(text.split(), ["OK", "2", "2", "OK", "QUEUED", "QUEUED", "3", "1"])


class Terminal:
    """redis-cli as a person sees it: on a terminal, with hints."""

    def __init__(self, command):
        child, self.fd = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm", HOME="/nonexistent")
            os.execvp(command[0], command)
        self.child, self.text = child, ""
        # Of a terminal without a size the line editor asks where its cursor is.
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", 40, 200, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, text):
        """Reads until `text` has come, colours and cursor movements left out."""
        end = time.monotonic() + SECONDS
        while text not in self.text:
            ready, _, _ = select.select([self.fd], [], [], end - time.monotonic())
            if not ready:
                raise AssertionError("no %r in %r" % (text, self.text[-2000:]))
            data = os.read(self.fd, 65536).decode(errors="replace")
            self.text += re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", data)
        self.text = self.text[self.text.index(text) + len(text):]

    def close(self):
        self.type("\x15quit\r")
        os.waitpid(self.child, 0)
        os.close(self.fd)


def hints_on_a_terminal(cli):
    terminal = Terminal(cli.command())
    terminal.wait_for("> ")
    terminal.type("getrange ")
    terminal.wait_for("key start end")
    terminal.type("\x15help expiretime\r")
    for part in "EXPIRETIME key", "summary:", "since:", "group:", "> ":
        terminal.wait_for(part)
    terminal.type("set k v\r")
    terminal.wait_for("OK\r\n")
    terminal.wait_for("> ")
    terminal.close()


def pipe_mode(cli):
    count = 20_000 // SCALE
    commands = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$3\r\nabc\r\n" % (len(key), key)
                        for key in (b"key:%d" % i for i in range(count)))
    text = cli("--pipe", stdin=commands)
    matches(text, "All data transferred", "errors: 0, replies: %d" % count)
    equal(cli("dbsize"), str(count))
    big = b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$1000000\r\n" + b"x" * 1_000_000 + b"\r\n"
    matches(cli("--pipe", stdin=big * 5 + b"STRLEN big\r\n"), "errors: 0, replies: 6")


def pipe_mode_counts_errors(cli):
    status, text = cli.run("--pipe", stdin=b"SET t x\r\nINCR t\r\nNOSUCH\r\nGET t\r\n")
    equal(status, 1)
    matches(text, "errors: 2, replies: 4", "ERR value is not an integer or out of range")


def scan_mode(cli):
    count = 500
    cli.load(count)
    cli.load(50, "other")
    equal(sorted(cli("--scan", "--pattern", "key:*").split()),
          sorted("key:%d" % i for i in range(count)))
    equal(len(set(cli("--scan").split())), count + 50)
    equal(len(cli("--scan", "--quoted-pattern", '"other:\\x31*"').split()), 11)


def stat_mode(cli):
    """It never ends by itself: three lines of figures are enough."""
    process = subprocess.Popen(cli.command("--stat", "-i", "0.01"), stdout=subprocess.PIPE,
                               stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    lines = []
    for line in process.stdout:
        lines.append(line.decode())
        if sum("total" not in l and re.search(r"\d+ \(\+\d+\)", l) is not None
               for l in lines) == 3 or len(lines) > 20:
            break
    process.kill()
    process.wait()
    process.stdout.close()
    matches("".join(lines), "keys", "mem", "clients", "requests", "connections")
    figures = [l for l in lines if re.search(r"^\d+ +[\d.]+[BKMG] +\d+ +\d+ +\d+ \(\+\d+\) +\d+", l)]
    assert len(figures) >= 3, lines


def latency_mode(cli):
    least, most, mean, samples = cli("--latency", "--raw", "-i", "0.3").split()
    assert int(samples) > 0 and int(least) <= float(mean) <= int(most), (least, most, mean)


def big_keys_mode(cli):
    cli.load(300)
    cli("set", "the-biggest", "x" * 5000)
    text = cli("--bigkeys")
    matches(text, "Sampled 301 keys in the keyspace",
            'Biggest string found \'"the-biggest"\' has 5000 bytes')
    text = cli("--memkeys")
    matches(text, "Sampled 301 keys in the keyspace", 'Biggest string found \'"the-biggest"\' has')


def hot_keys_mode(cli):
    """It asks OBJECT FREQ, which the default policy answers; counts are the policy's matter."""
    cli.load(20)
    matches(cli("--hotkeys"), "Sampled 20 keys in the keyspace")


def modes_that_cannot_work_say_so(cli):
    with tempfile.NamedTemporaryFile() as file:
        for words in ["--rdb", file.name], ["--functions-rdb", file.name], ["--replica"]:
            status, text = cli.run(*words)
            equal((words, status), (words, 1))
            matches(text, "ERR")
    with tempfile.NamedTemporaryFile(suffix=".lua") as file:
        file.write(b"return 1")
        file.flush()
        matches(cli.run("--eval", file.name)[1], "ERR unknown command")
    equal(cli("ping"), "PONG")


def cluster_manager_says_it_is_no_cluster(cli):
    port = cli.where[1]
    if cli.where[0] == "-p":
        status, text = cli.run("--cluster", "check", "127.0.0.1:" + port)
        equal(status, 1)
        matches(text, "is not configured as a cluster node")


def help_of_the_containers(cli):
    for container in "client", "config", "command", "object", "memory", "slowlog", "latency":
        matches(cli(container, "help"), container.upper(), "Subcommands are:", "HELP")


TESTS = [
    single_commands, errors_are_told, resp3, commands_from_standard_input, hints_on_a_terminal,
    pipe_mode, pipe_mode_counts_errors, scan_mode, stat_mode, latency_mode, big_keys_mode,
    hot_keys_mode, modes_that_cannot_work_say_so, cluster_manager_says_it_is_no_cluster,
    help_of_the_containers,
]


def a_password_is_asked_for(cli):
    matches(cli("get", "k"), "NOAUTH Authentication required.")
    matches(cli("-a", "wrong", "get", "k"), "AUTH failed: WRONGPASS", "NOAUTH")
    equal(cli("--no-auth-warning", "-a", PASSWORD, "set", "k", "v"), "OK")
    equal(cli("--no-auth-warning", "--user", "default", "-a", PASSWORD, "get", "k"), "v")
    equal(cli("--no-auth-warning", "-3", "-a", PASSWORD, "-n", "2", "--json", "get", "k"), "null")
    if cli.where[0] == "-p":
        url = "redis://default:%s@127.0.0.1:%s/3" % (PASSWORD.replace(" ", "%20"), cli.where[1])
        equal(cli("--no-auth-warning", "-u", url, "dbsize"), "0")


def on_an_empty_server(function, cli):
    equal(cli("flushall"), "OK")
    function(cli)


def main():
    if shutil.which("redis-cli") is None:
        print("no redis-cli (Debian package redis-tools)")
        sys.exit(77)
    tests = Tests()
    for offset, (shards, transports) in enumerate([(1, ["unix"]), (3, ["tcp", "unix"])]):
        with Server(shards, offset=offset) as server:
            for transport in transports:
                cli = Cli(server, transport)
                for function in TESTS:
                    name = "%s (%d shards, %s)" % (function.__name__, shards, transport)
                    tests.run(name, on_an_empty_server, function, cli)
            tests.run("the server ends well (%d shards)" % shards, server.ends_well)
    with Server(2, "--requirepass", PASSWORD, offset=2) as server:
        for transport in "tcp", "unix":
            tests.run("a_password_is_asked_for (%s)" % transport, a_password_is_asked_for,
                      Cli(server, transport))
        tests.run("the server with a password ends well", server.ends_well)
    tests.finish()


main()
