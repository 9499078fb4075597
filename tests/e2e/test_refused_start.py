"""Where the system refuses a thread, memory or a descriptor that the start needs: a line that says what to raise."""

import errno
import os
import platform
import resource
import shutil
import signal
import subprocess
import tempfile

import seccomp
from started import MODE, PORT, SHOAL, Tests, equal, matches

EXIT_REFUSED = 1
SYS_CLONE3 = 435  # the same number on every architecture
SYS_EVENTFD2, SYS_GETRANDOM = (290, 318) if platform.machine() == "x86_64" else (19, 278)
SANITIZED = MODE in ("asan", "ubsan", "tsan")
USER_OF_NOBODY_ELSE = 54321  # its threads are counted by RLIMIT_NPROC, and it has no others
# The allocator itself does not survive the program's first allocation with less than 17 MB of address space.
MEMORY_MB = (20, 30, 40, 50, 55, 60, 70, 80, 90, 100, 110, 120, 130, 150, 400)


def start(before, shards=3, binary=SHOAL):
    """(status, output); status 0 is that of a server that was ready and ended when told."""
    process = subprocess.Popen([binary, "--port", str(PORT), "--shards", str(shards)], preexec_fn=before,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = []
    for line in process.stdout:
        lines.append(line.decode(errors="replace"))
        if "Ready to accept" in lines[-1]:
            process.send_signal(signal.SIGTERM)
    return process.wait(60), "".join(lines)


def denied(number, error, *words):
    status, output = start(lambda: seccomp.deny(number, error))
    equal(status, EXIT_REFUSED)
    refusals = [line for line in output.splitlines() if "cannot start" in line]
    equal(len(refusals), 1)
    matches(refusals[0], *words)
    assert "Ready to accept" not in output, output


def clone3_unknown():
    """An older container's profile: the C library makes its threads by the older call."""
    equal(start(lambda: seccomp.deny(SYS_CLONE3, errno.ENOSYS))[0], 0)


def refused_or_ready(status, output, codes):
    """Whether it was ready; otherwise it has said why not."""
    if status == 0:
        return True
    assert status in codes, "ended with status %d:\n%s" % (status, output)
    matches(output, "cannot start: ", "raise ")
    assert "Ready to accept" not in output, output
    return False


def few_threads():
    """Whichever thread is one too many, none is left out silently."""
    folder = tempfile.mkdtemp(prefix="shoal-e2e-")
    os.chmod(folder, 0o755)
    binary = shutil.copy(SHOAL, folder)

    def limited(threads):
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
        os.setgroups([])
        os.setgid(USER_OF_NOBODY_ELSE)
        os.setuid(USER_OF_NOBODY_ELSE)
        os.chdir("/")

    try:
        ready = [refused_or_ready(*start(lambda: limited(threads), 4, binary), (EXIT_REFUSED,))
                 for threads in range(1, 16)]
    finally:
        shutil.rmtree(folder)
    assert not any(ready[:5]) and ready[-1], ready  # main, four workers, what waits for them


def little_memory():
    """Whatever memory there may be, it is ready or says why not."""
    for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        for shards in (1, 4):
            ready = []
            for megabytes in MEMORY_MB:
                limit = megabytes << 20
                ready.append(refused_or_ready(*start(lambda: resource.setrlimit(which, (limit, limit)), shards),
                                              (EXIT_REFUSED,)))
            equal(ready, [megabytes >= 32 + 24 * shards for megabytes in MEMORY_MB])


def main():
    tests = Tests()
    tests.run("no thread", denied, SYS_CLONE3, errno.EAGAIN, "a thread could not be made",
              "Resource temporarily unavailable", "ulimit -u", "TasksMax=", "--pids-limit")
    tests.run("clone3 is unknown", clone3_unknown)
    tests.run("eventfd, EPERM", denied, SYS_EVENTFD2, errno.EPERM, "eventfd", "Operation not permitted", "seccomp")
    tests.run("eventfd, EMFILE", denied, SYS_EVENTFD2, errno.EMFILE, "eventfd", "ulimit -n")
    if SANITIZED:
        tests.skipped += 3  # their runtimes want random numbers, threads and address space of their own
    else:
        tests.run("getrandom", denied, SYS_GETRANDOM, errno.EPERM, "random numbers", "getrandom", "seccomp")
        tests.run("little memory", little_memory)
        if os.getuid() == 0:
            tests.run("few threads", few_threads)
        else:
            tests.skipped += 1
    tests.finish()


main()
