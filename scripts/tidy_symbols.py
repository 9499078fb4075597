#!/usr/bin/env python3
"""
Names that only their own file uses: scripts/tidy_symbols.py [FOLDER OF OBJECTS, build/debug/obj].

A function or a variable of src/ that is not static and that no other object of src/, bench/ or
docs/ refers to is for nobody, for the tests alone, or should be static. The client library's are
for its users.
"""

import collections
import os
import pathlib
import subprocess
import sys

# Called from outside, or a check for tests alone.
ENTRIES = {"main", "table_validate"}


def symbols_of(objects):
    """Yields (object, kind, name) of each symbol; gcc-nm also reads objects for LTO."""
    listed = subprocess.run(["gcc-nm", "-A", "-P", *map(str, objects)], stdout=subprocess.PIPE,
                            text=True, check=True)
    for line in listed.stdout.splitlines():
        place, name, kind = line.split()[:3]
        yield place.rstrip(":"), kind, name


def dead_symbols(folder):
    """Yields "FILE: NAME" of each name that no other file uses."""
    folder = pathlib.Path(folder)
    objects = [path for path in sorted(folder.rglob("*.o"))
               if path.relative_to(folder).parts[0] in ("src", "bench", "docs")
               and os.path.exists(path.relative_to(folder).with_suffix(".c"))]
    defined, used = {}, collections.defaultdict(set)
    for place, kind, name in symbols_of(objects):
        if kind == "U":
            used[name].add(place)
        elif kind in "TDBRVWC" and "/obj/src/" in place and "/obj/src/client/" not in place:
            defined[name] = place
    for name, place in sorted(defined.items(), key=lambda item: (item[1], item[0])):
        if name not in ENTRIES and not used[name] - {place}:
            yield f"{pathlib.Path(place).relative_to(folder).with_suffix('.c')}: {name}"


def main():
    found = list(dead_symbols(sys.argv[1] if len(sys.argv) > 1 else "build/debug/obj"))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
