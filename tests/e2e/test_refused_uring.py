"""Where the kernel refuses io_uring, or locked memory is short: one clear line and the exit code that says so."""

import errno
import os
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import seccomp
from started import MODE, PORT, SHOAL, Tests, equal, matches
from wire import Wire

EXIT_NO_URING = 3
SYS_IO_URING_SETUP, SYS_IO_URING_ENTER, SYS_IO_URING_REGISTER = 425, 426, 427  # the same on every architecture


def run(before, shards=3, binary=SHOAL):
    """(status, output) of a server that is expected to refuse to start."""
    process = subprocess.run([binary, "--port", str(PORT), "--shards", str(shards)], preexec_fn=before,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=60, check=False)
    return process.returncode, process.stdout.decode()


def denied(number, error, *words):
    status, output = run(lambda: seccomp.deny(number, error))
    equal(status, EXIT_NO_URING)
    refusals = [line for line in output.splitlines() if "cannot start" in line]
    equal(len(refusals), 1)
    matches(refusals[0], *words)
    assert "Ready to accept" not in output and "io: io_uring" not in output, output


def as_nobody(limit):
    nobody = pwd.getpwnam("nobody")
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    os.chdir("/")


def little_locked_memory(kilobytes, shards, times):
    """Starts and serves, or says what to raise; again and again without a pause."""
    folder = tempfile.mkdtemp(prefix="shoal-e2e-")
    os.chmod(folder, 0o755)
    binary = shutil.copy(SHOAL, folder)
    started = 0
    try:
        for _ in range(times):
            process = subprocess.Popen(
                [binary, "--port", str(PORT), "--shards", str(shards), "--maxmemory", "0"],
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
            if status != 0:
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
    if os.getuid() == 0:
        times = 20 if MODE == "release" else 5
        tests.run("64 KiB of locked memory", little_locked_memory, 64, 1, times)
        tests.run("64 KiB of locked memory, 3 shards", little_locked_memory, 64, 3, times)
        tests.run("8 MiB of locked memory", starts_always, 8192, 3, times)
    else:
        tests.skipped += 3
    tests.finish()


def starts_always(kilobytes, shards, times):
    equal(little_locked_memory(kilobytes, shards, times), times)


main()
