#!/usr/bin/env python3
"""
The ratchet on the tree's shape: `make tidy`.

Every check fails or passes; one that needs a tool that is not installed is skipped and says so.
Ends in "N passed, N failed" (", N skipped"), one for each check. SHOAL names the server whose
build is looked at: its tables, and the symbols of its objects.
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
for below, room in (("conn", "shard"), ("shard", "route"), ("route", "pubsub"),
                    ("pubsub", "server"), ("server", "admin")):
    LAYERS[room] = LAYERS[below] | {below}
# Declared by the first room and defined by the second, which is above it; the linker binds them.
BOUND_BY_LINKER = {("conn", "route"): re.compile(r"conn_ops_\w+")}
# The rooms of what is built into the server; src/main.c and src/commands.c may use them all.
SOURCE = re.compile(r"src/(\w+)/")
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 80
FOLDER_FILES_MAX = 30
# Where threads meet: queues (spsc, and mesh which makes them), single-writer counters, sleep and
# wake. The others are single words anyone reads: the wall clock's offset, the log's level, the
# slow log's next id, whether the allocator's threads hurry.
ATOMICS_LIVE_IN = re.compile(r"(^|/)((spsc|counter)\w*|mesh|lanes|total|memory_pool|memory_share|sleep|clock|log|slowlog|"
                             r"purge_jemalloc)\.[ch]$")
# The client library is a program's of its own, and has no base.
CLOCKS_LIVE_IN = re.compile(r"(^|/)base/clock\.[ch]$|^src/client/")
READS_CLOCK = re.compile(r"\b(clock_gettime|gettimeofday|timespec_get|time(?=\((?:NULL|0|&))|clock|"
                         r"ftime|__rdtsc|__builtin_ia32_rdtscp?|timerfd_\w+|alarm|setitimer)\(")
# Public headers whose prototypes are not in the file of the same name, and why.
HEADERS_OF_MANY = {
    "include/shoal/client.h": "the library's one public header",
}
# Files of src/ that have no unit test beside them, and why.
UNTESTED = {
    "src/main.c": "the entry: every end-to-end test runs it",
}
# Symbols that nothing else in the server uses, and why they are not static.
KEPT_SYMBOLS = {
    "table_validate": "tests check every invariant of a table with it",
    "debug_park_commands": "builds with assertions have these commands",
    "defrag_block": "the types to come have the blocks of their objects moved by it",
    "clock_use": "the server's time is the system's; a simulator gives it another",
    "pubsub_bytes": "tests see that everything is given back",
    "conn_use_transport": "every connection is plain yet; a test has a transport of its own",
    "input_given": "the same: what a transport has made of received bytes",
    "mesh_backlogged": "tests ask whether messages wait for credit or room",
}
# A build has one of each pair.
EITHER_ALLOCATOR = re.compile(r"_(jemalloc|system)\.c$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
# Written in pieces so that this file does not find itself.
LEFTOVER = re.compile(r"\b(" + "|".join(("FIX" + "ME", "XX" + "X", "TO" + "DO")) + r")\b")


def run(*command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")


class Skipped(Exception):
    """A check that cannot be made here; the text says why."""


def need(tool, *arguments):
    """What the tool prints; the check is skipped where there is none."""
    if not shutil.which(tool):
        raise Skipped(f"{tool} is not installed: scripts/setup.sh test")
    return run(tool, *arguments).stdout


def ctags(files, kinds):
    """(kind, name, first line, last line, file) of functions (f) and prototypes (p)."""
    listed = need("ctags", "-x", f"--kinds-C={kinds}", "--fields=+ne", "--_xformat=%K %N %n %e %F",
                  *files)
    for line in listed.splitlines():
        kind, name, first, last, path = line.split()
        yield kind, name, int(first), int(last or 0) if last.isdigit() else int(first), path


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


def check_names_in_docs():
    """Paths, functions and structs that the documents name are there."""
    done = run("scripts/check-docs.py")
    if done.returncode:
        yield done.stdout.strip()


def check_leftovers():
    """No marks of work that was meant to be done before it was committed."""
    for name in FILES:
        if not name.endswith((".c", ".h", ".sh", ".py", ".md", ".mjs", ".txt", "Makefile")):
            continue
        text = TEXT.get(name) or (ROOT / name).read_text(errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if LEFTOVER.search(line):
                yield f"{name}:{number}: {line.strip()}"


def check_sizes():
    """A file is one idea, and a folder a room."""
    folders = collections.Counter()
    for name in C_FILES:
        lines = TEXT[name].count("\n")
        if lines > FILE_LINES_MAX:
            yield f"{name} has {lines} lines, more than {FILE_LINES_MAX}"
        if name.endswith(".c"):
            folders[os.path.dirname(name)] += 1
    for folder, count in folders.items():
        if count > FOLDER_FILES_MAX and not folder.startswith("tests/"):
            yield f"{folder} has {count} .c files, more than {FOLDER_FILES_MAX}"


def check_functions():
    """Every function fits on a screen or two."""
    sources = [n for n in C_FILES if n.endswith(".c") and not n.startswith("tests/")]
    for kind, name, first, last, path in ctags(sources, "f"):
        size = last - first + 1
        if size > FUNCTION_LINES_MAX:
            yield f"{path}:{first}: {name} has {size} lines, more than {FUNCTION_LINES_MAX}"


def check_atomics():
    """Threads meet in few places, which ATOMICS_LIVE_IN names."""
    for name in C_FILES:
        if name.startswith(("src/", "include/")) and not ATOMICS_LIVE_IN.search(name):
            count = len(re.findall(r"\b_Atomic\b|\batomic_\w+\s*\(", TEXT[name]))
            if count:
                yield f"{name} uses atomics {count} times"


def check_clocks():
    """All time of the server comes from base/clock, where a simulator can take its place."""
    for name in C_FILES:
        if name.startswith(("src/", "include/")) and not CLOCKS_LIVE_IN.search(name):
            for call in sorted(set(READS_CLOCK.findall(TEXT[name]))):
                yield f"{name} reads a clock of the system: {call}"


def check_format():
    """make format would change nothing."""
    if "version 14." not in need("clang-format", "--version"):
        raise Skipped("another clang-format than 14")
    done = run("clang-format", "--dry-run", *C_FILES)
    for name in sorted({line.split(":")[0] for line in done.stdout.splitlines()
                        if "-Wclang-format-violations" in line}):
        yield f"{name} would change under make format"


def check_prototypes():
    """A prototype stands in the header of its file: module.h for module.c and module_*.c."""
    files = [n for n in C_FILES if n.startswith(("src/", "include/"))]
    defined, declared = collections.defaultdict(set), []
    for kind, name, _, _, path in ctags(files, "fp"):
        if kind == "function" and path.endswith(".c"):
            defined[name].add(path)
        elif kind == "prototype" and path.endswith(".h") and name != "offsetof":  # in an assertion
            declared.append((name, path))
    for name, header in declared:
        stem = os.path.splitext(os.path.basename(header))[0]
        inner = header.startswith("src/")  # it serves its folder
        files = defined[name]
        if header in HEADERS_OF_MANY:
            continue
        if not files:
            yield f"{header}: {name} is defined nowhere"
        elif not any(os.path.dirname(f) == os.path.dirname(header) if inner else
                     re.fullmatch(re.escape(stem) + r"(_\w+)?\.c", os.path.basename(f))
                     for f in files):
            yield f"{header}: {name} is defined in {', '.join(sorted(files))}"


def symbols():
    """Of each object of the server's build: its source, what it defines and what it uses."""
    folder = ROOT / os.path.dirname(os.environ.get("SHOAL", "build/release/shoal")) / "obj"
    for path in [p for p in C_FILES if p.startswith("src/") and p.endswith(".c")]:
        object_file = folder / (path[:-2] + ".o")
        if not object_file.exists() and EITHER_ALLOCATOR.search(path):
            continue
        if not object_file.exists():
            raise Skipped(f"{object_file.relative_to(ROOT)} is not built")
        defines, uses = set(), set()
        for line in run("gcc-nm", str(object_file)).stdout.splitlines():
            *_, kind, name = line.split()
            (uses if kind == "U" else defines if kind in "TDBRC" else set()).add(name)
        yield path, defines, uses


def check_calls():
    """Calls go down the rooms, as includes do."""
    built = list(symbols())
    home = {name: path for path, defines, _ in built for name in defines}
    for path, _, uses in built:
        room = SOURCE.match(path)
        for name in sorted(uses & home.keys()):
            other = SOURCE.match(home[name])
            if not room or room.group(1) == "client":
                continue
            here, there = room.group(1), other.group(1) if other else "the entry"
            if there in LAYERS[here] | {here}:
                continue
            bound = BOUND_BY_LINKER.get((here, there))
            if not (bound and bound.fullmatch(name)):
                yield f"{path} uses {name} of {home[name]}: {here} does not know {there}"


def check_dead_symbols():
    """What is not static has a user: another file of the server or the bench, or a test of what
    its own file needs."""
    built = [entry for entry in symbols() if not entry[0].startswith("src/client/")]
    used = set().union(*(uses for _, _, uses in built))
    words = {place: set(re.findall(r"\w+", " ".join(
        text for name, text in TEXT.items() if name.startswith(place)))) for place in
        ("tests/", "bench/")}
    for path, defines, _ in built:
        for name in sorted(defines - used - words["bench/"] - {"main"} - KEPT_SYMBOLS.keys()):
            needed = len(re.findall(rf"\b{name}\b", TEXT[path])) > 1
            if not needed:
                yield f"{path}: {name} is used by nothing in the server"
            elif name not in words["tests/"]:
                yield f"{path}: {name} is used in this file alone and can be static"


def check_tests():
    """Each file of src/ has its unit test, or a reason why it has none."""
    for name in [n for n in C_FILES if n.startswith("src/") and n.endswith(".c")]:
        folder, module = os.path.split(name[len("src/"):-len(".c")])
        test = os.path.join("tests/unit", folder, f"test_{module}.c")
        if test in TEXT and name in UNTESTED:
            yield f"{test} is there: {name} needs no reason any more"
        elif test not in TEXT and name not in UNTESTED:
            yield f"{name} has no {test}"


CHECKS = [
    ("layers", check_layers), ("calls", check_calls), ("prototypes", check_prototypes),
    ("lone headers", check_headers), ("dead files", check_dead_files),
    ("dead symbols", check_dead_symbols), ("unit tests", check_tests), ("sizes", check_sizes),
    ("functions", check_functions), ("atomics", check_atomics), ("clocks", check_clocks),
    ("format", check_format),
    ("generated docs", check_generated_docs), ("names in docs", check_names_in_docs),
    ("leftovers", check_leftovers),
]


def main():
    counts = {"ok": 0, "FAIL": 0, "skipped": 0}
    for name, check in CHECKS:
        try:
            problems = list(check())
            verdict = "FAIL" if problems else "ok"
        except Skipped as reason:
            problems, verdict = [str(reason)], "skipped"
        counts[verdict] += 1
        print(f"{verdict:<8}{name}")
        for problem in problems:
            print("    " + problem.replace("\n", "\n        "))
    passed, failed, skipped = counts.values()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
