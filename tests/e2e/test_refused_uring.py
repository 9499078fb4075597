"""Where the kernel refuses io_uring, or locked memory is short: the server serves by epoll and says why; asked for
io_uring alone, it says so in one clear line and by its exit code."""

import errno
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import seccomp
from started import MODE, PORT, ROOT, SHOAL, Server, Tests, equal, matches
from wire import Wire

EXIT_RUNTIME, EXIT_NO_URING = 1, 3
# The same numbers on every architecture.
SYS_IO_URING_SETUP, SYS_IO_URING_ENTER, SYS_IO_URING_REGISTER, SYS_EPOLL_PWAIT2 = 425, 426, 427, 441
SYS_EPOLL_CREATE1 = {"x86_64": 291, "aarch64": 20}


def run(before, engine):
    """(status, output) of a server that is expected to refuse to start."""
    process = subprocess.run([SHOAL, "--port", str(PORT), "--shards", "3", "--io-engine", engine], preexec_fn=before,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=60, check=False)
    return process.returncode, process.stdout.decode()


def denied(number, error, *words):
    status, output = run(lambda: seccomp.deny(number, error), "uring")
    equal(status, EXIT_NO_URING)
    refusals = [line for line in output.splitlines() if "cannot start" in line]
    equal(len(refusals), 1)
    matches(refusals[0], *words)
    assert "Ready to accept" not in output and " io: " not in output, output


def launcher(calls, error):
    """What denies these calls to the server and becomes it."""
    words = []
    for call in calls:
        words += [sys.executable, os.path.join(ROOT, "tests", "e2e", "seccomp.py"), str(call), str(error)]
    return words


def falls_back(calls, error, *words):
    """By default it serves all the same, on all reactors, and one line says by what and why."""
    with Server(3, "--io-engine", "auto", launcher=launcher(calls, error)) as server:
        lines = [line for line in server.output if " io: " in line]
        equal(len(lines), 1)
        matches(lines[0], " io: epoll, ", "; auto: ", *words)
        wire = Wire(server.port)
        for i in range(100):
            equal(wire.run("SET", "key:%d" % i, i), b"OK")
        equal(sorted(wire.run("MGET", *("key:%d" % i for i in range(3)))), [b"0", b"1", b"2"])
        told = wire.run("INFO", "server", "shoal")
        matches(told.decode(), "multiplexing_api:epoll\r\n", "io_engine:epoll\r\n")
        equal(wire.run("CONFIG", "GET", "io-engine"), [b"io-engine", b"auto"])
        wire.close()
        server.ends_well()


def asked_for_epoll():
    with Server(2, "--io-engine", "epoll") as server:
        matches("\n".join(server.output), " io: epoll, ", "; as asked")
        server.ends_well()


def without_any_engine():
    """Neither is to be had: the last one's refusal, and it is not io_uring's exit code."""
    number = SYS_EPOLL_CREATE1[os.uname().machine]

    def deny_both():
        seccomp.deny(SYS_IO_URING_SETUP, errno.EPERM)
        seccomp.deny(number, errno.EMFILE)

    for engine in "auto", "epoll":
        status, output = run(deny_both, engine)
        equal(status, EXIT_RUNTIME)
        matches(output, "cannot start: out of file descriptors")


def as_nobody(limit):
    nobody = pwd.getpwnam("nobody")
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    os.chdir("/")


def little_locked_memory(kilobytes, shards, times, engine="uring"):
    """Starts and serves, or says what to raise; again and again without a pause."""
    folder = tempfile.mkdtemp(prefix="shoal-e2e-")
    os.chmod(folder, 0o755)
    binary = shutil.copy(SHOAL, folder)
    started = 0
    try:
        for _ in range(times):
            process = subprocess.Popen(
                [binary, "--port", str(PORT), "--shards", str(shards), "--maxmemory", "0",
                 "--io-engine", engine],
                preexec_fn=lambda: as_nobody(kilobytes * 1024), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            lines = []
            for line in process.stdout:
                lines.append(line.decode())
                if "Ready to accept" in lines[-1]:
                    wire = Wire(PORT)
                    for i in range(100):
                        equal(wire.run("SET", "key:%d" % i, i), b"OK")
                    wire.close()
                    process.send_signal(signal.SIGTERM)
                    started += 1
            status = process.wait(30)
            if status != 0 and engine == "uring":
                equal(status, EXIT_NO_URING)
                matches("".join(lines), "cannot start", "RLIMIT_MEMLOCK", "ulimit -l")
    finally:
        shutil.rmtree(folder)
    return started


def main():
    tests = Tests()
    tests.run("EPERM", denied, SYS_IO_URING_SETUP, errno.EPERM, "seccomp", "Operation not permitted")
    tests.run("ENOSYS", denied, SYS_IO_URING_SETUP, errno.ENOSYS, "6.1", "Function not implemented")
    tests.run("ENOMEM", denied, SYS_IO_URING_SETUP, errno.ENOMEM, "RLIMIT_MEMLOCK", "ulimit -l")
    tests.run("EMFILE", denied, SYS_IO_URING_SETUP, errno.EMFILE, "RLIMIT_NOFILE", "ulimit -n")
    # A ring can be made and not be used.
    for name, number in (("enter", SYS_IO_URING_ENTER), ("register", SYS_IO_URING_REGISTER)):
        for error, word in ((errno.EPERM, "seccomp"), (errno.ENOSYS, "6.1")):
            tests.run("%s, %s" % (name, errno.errorcode[error]), denied, number, error, word, os.strerror(error))
    for calls in ((SYS_IO_URING_SETUP,), (SYS_IO_URING_ENTER,), (SYS_IO_URING_REGISTER,),
                  (SYS_IO_URING_SETUP, SYS_IO_URING_ENTER, SYS_IO_URING_REGISTER, SYS_EPOLL_PWAIT2)):
        tests.run("%s refused" % (calls,), falls_back, calls, errno.EPERM, "seccomp", "Operation not permitted")
        tests.run("%s not there" % (calls,), falls_back, calls, errno.ENOSYS, "6.1", "Function not implemented")
    tests.run("EACCES", falls_back, (SYS_IO_URING_SETUP,), errno.EACCES, "Permission denied")
    tests.run("no memory for it", falls_back, (SYS_IO_URING_SETUP,), errno.ENOMEM, "RLIMIT_MEMLOCK")
    tests.run("asked for epoll", asked_for_epoll)
    if os.uname().machine in SYS_EPOLL_CREATE1:
        tests.run("no engine at all", without_any_engine)
    else:
        tests.skipped += 1
    if os.getuid() == 0:
        times = 20 if MODE == "release" else 5
        tests.run("64 KiB of locked memory", little_locked_memory, 64, 1, times)
        tests.run("64 KiB of locked memory, 3 shards", little_locked_memory, 64, 3, times)
        tests.run("64 KiB of locked memory, 3 shards, any engine", starts_always, 64, 3, times, "auto")
        tests.run("8 MiB of locked memory", starts_always, 8192, 3, times)
    else:
        tests.skipped += 4
    tests.finish()


def starts_always(kilobytes, shards, times, engine="uring"):
    equal(little_locked_memory(kilobytes, shards, times, engine), times)


main()
