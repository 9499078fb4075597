"""--sched-policy: what the kernel is told of the worker threads, and not of the main thread."""

import errno
import os
import platform
import sys

import seccomp
from started import PORT, Server, Tests, equal, matches
from wire import Wire

ON_ONE_CPU = ("taskset", "-c", str(min(os.sched_getaffinity(0))))
SYS_SCHED_SETSCHEDULER = {"x86_64": 144, "aarch64": 119}.get(platform.machine())


def policies(server):
    """(of the main thread, of the workers)"""
    folder = "/proc/%d/task" % server.process.pid
    workers = []
    for thread in os.listdir(folder):
        with open("%s/%s/comm" % (folder, thread)) as name:
            if name.read().startswith("shoal-"):
                workers.append(os.sched_getscheduler(int(thread)))
    equal(len(workers), server.shards)
    equal(len(set(workers)), 1)
    return os.sched_getscheduler(server.process.pid), workers[0]


def scheduled(wanted, told, shards, *options, main=os.SCHED_OTHER, launcher=()):
    with Server(shards, *options, launcher=launcher) as server:
        client = Wire(PORT)
        equal(policies(server), (main, wanted))
        matches(client.run("INFO", "shoal").decode(), "sched_policy:%s\r\n" % told)
        client.close()
        server.ends_well()


def refused():
    denied = (sys.executable, seccomp.__file__, str(SYS_SCHED_SETSCHEDULER), str(errno.EPERM))
    with Server(3, "--sched-policy", "batch", launcher=denied) as server:
        client = Wire(PORT)
        equal(client.run("SET", "k", "v"), b"OK")
        client.close()
        equal(policies(server), (os.SCHED_OTHER, os.SCHED_OTHER))
        server.ends_well()
        told = [line for line in server.output if "could not be scheduled as batch: Operation not permitted" in line]
        equal(len(told), 1)


def main():
    tests = Tests()
    tests.run("auto, one worker", scheduled, os.SCHED_OTHER, "normal", 1)
    tests.run("auto, more than CPUs", lambda: scheduled(os.SCHED_BATCH, "batch", 2, launcher=ON_ONE_CPU))
    tests.run("normal", lambda: scheduled(
        os.SCHED_OTHER, "normal", 2, "--sched-policy", "normal", launcher=ON_ONE_CPU))
    tests.run("batch", scheduled, os.SCHED_BATCH, "batch", 1, "--sched-policy", "batch")
    tests.run("a policy it was started with stays", lambda: scheduled(
        os.SCHED_IDLE, "idle", 2, main=os.SCHED_IDLE, launcher=(*ON_ONE_CPU, "chrt", "-i", "0")))
    if SYS_SCHED_SETSCHEDULER is not None:
        tests.run("refused: it says so and serves", refused)
    else:
        tests.skipped += 1
    tests.finish()


main()
