#!/usr/bin/env python3
"""run.py - instructions per request beside those on record: `make instructions`.

    bench/instructions/run.py PROGRAM            a figure more than 1 % above base.txt fails
    bench/instructions/run.py PROGRAM --record   writes base.txt

Runs PROGRAM under callgrind, which counts exactly: a difference is a difference in the code, or in jemalloc. Figures
of another compiler, architecture or C library, of other flags, or of a CPU for which the C library has other copies of
memcpy() cannot be compared with those on record: they are printed, and counted as skipped.
"""

import argparse
import datetime
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

BASE = pathlib.Path(__file__).resolve().parent / "base.txt"
LIMIT = 1.01
ABOUT = """\
# What `make instructions` compares with: instructions per request, counted by callgrind.
# `make instructions ARGS=--record` writes this file.
"""


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def generating(flags):
    """Those that decide the code; fat objects only carry a second copy of it."""
    return " ".join(f for f in flags if re.match("-[Ofm]", f) and f != "-ffat-lto-objects")


def surroundings(program):
    """What must be the same for figures to be comparable."""
    flags = (program.parent / "flags").read_text().split()
    return {
        "architecture": platform.machine(),
        "compiler": "gcc " + output(flags[0], "-dumpfullversion"),
        "flags": generating(flags),
        "library": " ".join(platform.libc_ver()),
        "avx2": "yes" if "avx2" in pathlib.Path("/proc/cpuinfo").read_text() else "no",
    }


def differences(here, base):
    """Why figures from here say nothing beside base.txt's; of the compiler, the major version counts."""
    for name, value in here.items():
        was = base.get(name, "unknown")
        if name == "flags":
            was = generating(was.split())
        if name == "compiler" and value.split(".")[0] == was.split(".")[0]:
            continue
        if value != was:
            yield f"{name} is {value}, base.txt has {was}"


def measure(program):
    """{name: instructions per request}, in the order of the loads."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "-q", "--instr-atstart=no",
                   "--collect-atstart=no", f"--callgrind-out-file={folder}/out", str(program)]
        # Addresses, those of the stack behind the environment too, are the same in every run.
        if subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL).returncode == 0:
            command = ["setarch", "-R", *command]
        done = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}run.py: {' '.join(command)} ended with {done.returncode}")
        requests = {name: int(count) for count, name in
                    re.findall(r"^(\d+) requests: (.+)$", done.stdout, re.M)}
        figures = {}
        for part, name in enumerate(requests, 1):
            text = pathlib.Path(f"{folder}/out.{part}").read_text()
            assert f"Client Request: {name}\n" in text
            total = int(re.search(r"^totals: (\d+)$", text, re.M).group(1))
            figures[name] = total / requests[name]
        return figures


def read_base():
    """What it was measured with, and the figures."""
    about, figures = {}, {}
    for line in BASE.read_text().splitlines() if BASE.exists() else ():
        name, _, value = line.partition(": ")
        if line.startswith("#") or not value:
            continue
        if re.fullmatch(r"[\d.]+", value):
            figures[name] = float(value)
        else:
            about[name] = value
    return about, figures


def record(here, figures):
    about = {"commit": output("git", "describe", "--always", "--dirty", "--abbrev=7"),
             "date": datetime.date.today().isoformat(), **here}
    lines = [f"{name}: {value}\n" for name, value in about.items()]
    lines += [f"{name}: {value:.1f}\n" for name, value in figures.items()]
    BASE.write_text(ABOUT + "".join(lines))


def report(figures, base, comparable):
    """Returns how many passed, failed and were skipped."""
    counts = {"ok": 0, "FAIL": 0, "skipped": 0}
    for name in base.keys() - figures.keys():
        counts["FAIL"] += 1
        print(f"FAIL     {name}: on record, and not measured")
    print(f"{'':9}{'instructions per request':30}{'now':>10}{'base':>10}{'ratio':>8}")
    for name, now in figures.items():
        verdict, was, ratio = "skipped", "", ""
        if comparable and name in base:
            verdict = "ok" if now <= base[name] * LIMIT else "FAIL"
            was, ratio = f"{base[name]:.1f}", f"{now / base[name]:.3f}"
        counts[verdict] += 1
        print(f"{verdict:9}{name:30}{now:10.1f}{was:>10}{ratio:>8}")
    return counts.values()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--record", action="store_true", help="write base.txt")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("run.py: valgrind is missing: scripts/setup.sh instructions")
    here = surroundings(options.program)
    figures = measure(options.program.resolve())
    if options.record:
        record(here, figures)
    about, base = read_base()
    different = list(differences(here, about))
    for difference in different:
        print(f"skipped: {difference}")
    passed, failed, skipped = report(figures, base, not different)
    print(f"base.txt: commit {about.get('commit')}, {about.get('date')}, {about.get('compiler')}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
