#!/usr/bin/env python3
"""Runs the simulator: seeds from SEED on, as many as SEEDS says, odd ones in the usual build, even
ones in the one whose bounds are next to nothing.

    tests/sim/run.py SIM SIM_TINY        their paths, as `make sim` gives them
"""
import os
import re
import subprocess
import sys
import time


def main():
    builds = sys.argv[1:3]
    first, count = int(os.environ.get("SEED", "1")), int(os.environ.get("SEEDS", "300"))
    jobs = max(2, os.cpu_count() or 1)
    jobs += jobs % 2  # so that each job stays with one build
    began, runs = time.monotonic(), []
    for job in range(min(jobs, count)):
        seed = first + job
        mine = len(range(job, count, jobs))
        runs.append((mine, subprocess.Popen(
            [builds[1 - seed % 2], "--seed", str(seed), "--seeds", str(mine), "--step", str(jobs)],
            stdout=subprocess.PIPE, text=True, errors="replace")))
    totals, failed = {}, 0
    for mine, run in runs:
        output = run.communicate()[0]
        if run.returncode != 0:
            failed += 1
            print(output, end="")
        for name, number in re.findall(r"([a-z-]+) (\d+)(?:, |$)", output.splitlines()[-1]):
            if run.returncode == 0:
                totals[name] = totals.get(name, 0) + int(number)
    print(", ".join(f"{name} {number}" for name, number in totals.items()))
    print(f"{count} seeds from {first} in {time.monotonic() - began:.0f} s")
    undecided = totals.get("undecided", 0)  # too many orders to try them all
    passed = count - undecided if failed == 0 else 0
    print(f"{passed} passed, {failed} failed" + (f", {undecided} skipped" if undecided else ""))
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
