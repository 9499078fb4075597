#!/usr/bin/env python3
"""Does the simulator find bugs? Each of these is put into one file of the server, and a seed of the
first 200 has to fail. A bug is a piece of text that stands once in its file, and what stands there
instead: where the code has changed, the bug is to be planted anew.

    tests/sim/planted.py [NAME...]       `make sim-planted` builds what this needs first
"""
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEEDS = 200
BUGS = [
    ("lost-wakeup", "a reactor goes to sleep without a last look at its queues",
     "src/server/loop.c", "    if (wait == 0 || !mesh_may_sleep(reactor->port)) {\n",
     "    if (wait == 0 || (!mesh_may_sleep(reactor->port) && wait == 1)) {\n"),
    ("no-wakeup", "a reactor that sleeps is not woken",
     "src/mesh/mesh.c", "                wake(context, port->dirty[i]);\n",
     "                (void)(wake == NULL || context == NULL);\n"),
    ("credit-leak", "the answer of a call gives no credit back",
     "src/mesh/mesh.c", "lane->credits += message->kind != MESSAGE_ONEWAY && !message->urgent;",
     "lane->credits += message->kind == MESSAGE_COMMAND;"),
    ("reply-order", "a reply overtakes those of earlier requests",
     "src/conn/answer.c", "return conn->unanswered.first == request && ",
     "return conn->unanswered.first != NULL && "),
    ("early-free", "a transaction's commands are freed before it has run",
     "src/route/multi.c", "        plan->at_end = exec_end; /* ",
     "        exec_end(conn); /* "),
    ("keys-not-released", "a part that was refused keeps its keys",
     "src/shard/part.c", "    if (part->release)\n        key_queues_release(here, part);\n    call",
     "    if (part->release && part->ok)\n        key_queues_release(here, part);\n    call"),
    ("not-undone", "a part fails after another has written, and what that wrote stands",
     "src/shard/part.c", "    if (stands)\n        undo_commit(",
     "    if (stands || part->undo != NULL)\n        undo_commit("),
    ("watch-not-told", "WATCH is not told of a key that is written",
     "src/store/keyspace/keyspace.c", "    if (keyspace->observed & OBSERVE_WATCH && change != CHANGE_EXPIRED)\n",
     "    if (keyspace->observed & OBSERVE_WATCH && change > CHANGE_SET && change != CHANGE_EXPIRED)\n"),
    ("double-completion", "what was sent is counted twice",
     "src/conn/conn.c", "    out_sent(&conn->out, conn->reactor, size);\n",
     "    out_sent(&conn->out, conn->reactor, size);\n"
     "    if (conn->out.bytes >= size)\n"
     "        out_sent(&conn->out, conn->reactor, size);\n"),
    ("stale-buffer", "a request that waits goes on pointing into a buffer that it has given back",
     "src/conn/input.c", "    memcpy(input->data, request->base, size);\n"
     "    request->base = input->data;\n",
     "    memcpy(input->data, request->base, size);\n"),
    ("clock-goes-back", "a turn goes by a time before that of the last one",
     "src/server/loop.c", "    reactor->now_ms = clock_now_ms(); ",
     "    reactor->now_ms = clock_now_ms() - (reactor->ring->turns % 8 == 0 ? 50 : 0); "),
    ("not-isolated", "a command does not wait for the transaction that holds its key",
     "src/shard/batcher.c", "if (unlikely(key_queues_active(queues)) && ",
     "if (unlikely(key_queues_active(queues)) && count > 1000 && "),
    ("leak", "a plan's list of parts is not freed",
     "src/route/plan.c", "    free(plan->steps);\n    free(plan->part);\n",
     "    free(plan->steps);\n"),
]


def plant(name, path, old, new):
    """The file with the bug, under build/planted; its folder's own headers are found as before."""
    text = open(os.path.join(ROOT, path)).read()
    if text.count(old) != 1:
        return None
    folder = os.path.join(ROOT, os.path.dirname(path))
    text = re.sub(r'^#include "(?!shoal/)', f'#include "{folder}/', text.replace(old, new), flags=re.M)
    target = os.path.join(ROOT, "build/planted", name + ".c")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w") as out:
        out.write(text)
    return target


def build(name):
    programs = [f"build/{mode}/planted/{name}" for mode in ("sim", "simtiny")]
    for program in programs:
        done = subprocess.run(["make", "--no-print-directory", f"MODE={program.split('/')[1]}", program],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout)
            return None
    return programs


def hunt(programs):
    """The first seed that fails, and what it says; odd ones in the usual build, even ones in the tiny."""
    runs = [subprocess.Popen([os.path.join(ROOT, program), "--no-shrink", "--step", "2", "--seed",
                              str(i + 1), "--seeds", str(SEEDS // 2)],
                             stdout=subprocess.PIPE, text=True, errors="replace")
            for i, program in enumerate(programs)]
    found = []
    for run in runs:
        output = run.communicate()[0]
        match = re.search(r"^FAIL seed (\d+)[^\n]*\n?([^\n]*)", output, re.M)
        if match:
            found.append((int(match.group(1)), output))
    return min(found) if found else None


def passes(seed):
    """Without any bug."""
    program = os.path.join(ROOT, "build", "sim" if seed % 2 else "simtiny", "tests/sim/sim")
    done = subprocess.run([program, "--no-shrink", "--seed", str(seed)], stdout=subprocess.DEVNULL)
    return done.returncode == 0


def main():
    began, passed, failed = time.monotonic(), 0, 0
    for name, what, path, old, new in BUGS:
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        if plant(name, path, old, new) is None:
            print(f"FAIL {name}: {path} has no such place any more: plant it anew")
            failed += 1
            continue
        programs = build(name)
        found = hunt(programs) if programs else None
        if found and not passes(found[0]):
            print(f"FAIL {name}: seed {found[0]} fails without it, too")
            failed += 1
            continue
        if found is None:
            print(f"FAIL {name}: {what}: {SEEDS} seeds do not find it")
            failed += 1
            continue
        lines = [line for line in found[1].splitlines() if re.match(r"at \d|it ended|.*must\(", line)]
        print(f"ok   {name}: {what}: seed {found[0]}: {lines[0] if lines else ''}")
        passed += 1
    print(f"in {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
