#!/usr/bin/env python3
"""
The ratchet on the tree's shape: `make tidy`.

Fails on a broken layer, a header that does not compile alone, a file that nothing builds or
includes, stale generated documentation and leftover marks. What it says as advice does not fail.
Ends in "N passed, N failed", one for each check.
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each layer may include besides itself: the layers below it, never a sibling.
LAYERS = {
    "base": set(),
    "reactor": {"base"},
    "net": {"base"},
    "proto": {"base"},
    "store": {"base"},
    "mesh": {"base", "reactor"},
    "options": {"base", "store"},
    "cmd": {"base", "proto", "store"},
    "stats": {"base", "reactor", "proto", "store", "cmd"},
    "conn": {"base", "reactor", "net", "proto", "store", "mesh", "options", "cmd", "stats"},
    "client": set(),
    # The rooms of the bench, which shares only the base; its main.c may include them all.
    "bench/load": {"base"},
    "bench/measure": {"base", "bench/load"},
    "bench/report": {"base", "bench/load", "bench/measure"},
    "bench/peers": {"base", "bench/load", "bench/measure", "bench/report"},
}
# Each of these may include all that the one before it may, and that one.
for below, room in (("conn", "shard"), ("shard", "route"), ("route", "server"),
                    ("server", "admin")):
    LAYERS[room] = LAYERS[below] | {below}
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 80
# Where threads meet: queues (spsc, and mesh which makes them), single-writer counters, sleep and
# wake (doze). The others are single words anyone reads: the wall clock's offset, the log's level,
# the slow log's next id, whether the allocator's threads hurry.
ATOMICS_LIVE_IN = re.compile(r"(^|/)((spsc|counter)\w*|mesh|doze|clock|log|slowlog|purge_jemalloc)\.[ch]$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
# Written in pieces so that this file does not find itself.
LEFTOVER = re.compile(r"\b(" + "|".join(("FIX" + "ME", "XX" + "X", "TO" + "DO")) + r")\b")


def run(*command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")


def tree():
    """The project's files: what git has, and what it would take."""
    listed = shutil.which("git") and run("git", "ls-files", "-co", "--exclude-standard")
    if listed and listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
    skip = re.compile(r"(^|/)(build|\.git|node_modules)/")
    return sorted(n for n in set(names) if not skip.search(n) and (ROOT / n).is_file())


FILES = tree()
C_FILES = [name for name in FILES if name.endswith((".c", ".h"))]
TEXT = {name: (ROOT / name).read_text(errors="replace") for name in C_FILES}


def layer_of(name):
    match = re.match(r"(?:include/shoal/|src/|tests/unit/|(?=bench/))((?:bench/)?\w+)/", name)
    if name == "include/shoal/client.h":
        return "client"
    return match.group(1) if match and match.group(1) in LAYERS else None


def check_layers():
    """A layer includes itself and those below it; the client library nothing of ours at all."""
    for name in C_FILES:
        layer = layer_of(name)
        if layer is None:
            continue
        for _, target in INCLUDE.findall(TEXT[name]):
            match = re.match(r"shoal/(\w+)(/|\.h$)", target)
            other = match.group(1) if match else layer_of("bench/" + target)
            if target.startswith(".."):
                yield f"{name} includes {target}: a path that climbs"
            elif other and other not in LAYERS[layer] | {layer}:
                # A test may speak to a server through the client library, and look up any command.
                if not (other in ("client", "commands") and name.startswith("tests/")):
                    yield f"{name} includes {target}: {layer} does not know {other}"


def check_headers():
    """Each header compiles alone, and twice."""
    headers = [n for n in C_FILES if n.endswith(".h")]
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
             "-Wstrict-prototypes", "-Iinclude", "-Itests", "-Ibench"]

    def compile_alone(name):
        text = f'#include "{ROOT / name}"\n' * 2
        done = subprocess.run([os.environ.get("CC", "gcc"), *flags, "-fsyntax-only", "-x", "c", "-"],
                              cwd=ROOT, input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return None if done.returncode == 0 else f"{name} does not compile alone:\n{done.stdout}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(compile_alone, headers))


def check_dead_files():
    """The Makefile builds every .c; something includes every .h, or the Makefile does (-include)."""
    built = set(run("make", "-s", "--no-print-directory", "sources").stdout.split())
    included = collections.defaultdict(set)
    for name in C_FILES:
        for _, target in INCLUDE.findall(TEXT[name]):
            included[os.path.basename(target)].add((name, target))
    for target in re.findall(r" -include (\S+\.h)", (ROOT / "Makefile").read_text()):
        included[os.path.basename(target)].add(("Makefile", target))
    for name in C_FILES:
        if name.endswith(".c"):
            reached = name in built or any(
                who != name for who, _ in included.get(os.path.basename(name), ()))
            if not reached:
                yield f"{name} is built by nothing"
        elif not any(who != name and (name == target or name.endswith("/" + target))
                     for who, target in included.get(os.path.basename(name), ())):
            yield f"{name} is included by nothing"


def check_generated_docs():
    """The tables in the documentation are those of the program."""
    done = run("scripts/gen-docs.sh", "--check")
    if done.returncode:
        yield done.stdout.strip() or "scripts/gen-docs.sh --check failed"


def check_leftovers():
    """No marks of work that was meant to be done before it was committed."""
    for name in FILES:
        if not name.endswith((".c", ".h", ".sh", ".py", ".md", ".mjs", ".txt", "Makefile")):
            continue
        text = TEXT.get(name) or (ROOT / name).read_text(errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if LEFTOVER.search(line):
                yield f"{name}:{number}: {line.strip()}"


def advise_files():
    for name in C_FILES:
        lines = TEXT[name].count("\n")
        if lines > FILE_LINES_MAX:
            yield f"{name} has {lines} lines: is it one idea?"


def advise_functions():
    sources = [n for n in C_FILES if n.endswith(".c") and not n.startswith("tests/")]
    if not sources or not shutil.which("ctags"):
        return
    listed = run("ctags", "-x", "--kinds-C=f", "--fields=+ne", "--_xformat=%n %e %N %F", *sources)
    for line in listed.stdout.splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[0].isdigit() and parts[1].isdigit():
            size = int(parts[1]) - int(parts[0]) + 1
            if size > FUNCTION_LINES_MAX:
                yield f"{parts[3]}:{parts[0]}: {parts[2]} has {size} lines"


def advise_atomics():
    for name in C_FILES:
        if name.startswith(("src/", "include/")) and not ATOMICS_LIVE_IN.search(name):
            count = len(re.findall(r"\b_Atomic\b|\batomic_\w+\s*\(", TEXT[name]))
            if count:
                yield f"{name} uses atomics {count} times"


def advise_format():
    if C_FILES and shutil.which("clang-format"):
        done = run("clang-format", "--dry-run", *C_FILES)
        for name in sorted({line.split(":")[0] for line in done.stdout.splitlines()
                            if "-Wclang-format-violations" in line}):
            yield f"{name} would change under make format"


def main():
    checks = [("layers", check_layers), ("lone headers", check_headers),
              ("dead files", check_dead_files), ("generated docs", check_generated_docs),
              ("leftovers", check_leftovers)]
    advice = [advise_files, advise_functions, advise_atomics, advise_format]
    failed = 0
    for name, check in checks:
        problems = list(check())
        failed += bool(problems)
        print(f"{'FAIL' if problems else 'ok':<5}{name}")
        for problem in problems:
            print("    " + problem.replace("\n", "\n        "))
    for advise in advice:
        for line in advise():
            print("advice: " + line)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
