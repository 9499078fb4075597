#!/usr/bin/env python3
"""
Names in the documents that the tree does not have.

Looks at words in back quotes: paths (`src/`, `conn/input.c`), calls (`ring_send()`), `struct x`,
`enum x`, and words with an underscore; in drawings and examples at calls and paths. A path may
leave out the folders before it. `*`, `<room>` and `{a,b}` stand for any text, so that something has
to match. What `make` builds is not looked at, nor are variables of the environment.
Prints what it does not find, and fails if there is any.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = re.compile(r"build/|compile_commands|[/~-]|CMOCKA_|SHOAL_|\w+://")
PATH_END = re.compile(r"\.(c|h|py|sh|md|txt|mjs|pml|json|yml|conf|service)$")
CODE = re.compile(r"(src|include|tests|bench|scripts|docs/examples)/"
                  r"(?!.*(/corpus/|\.md$|check-docs))|Makefile$")
WILD = re.compile(r"<[^>]*>|\{[^}]*\}|\*")


def tree():
    """The tree's files: what git has and would take; all of them where there is no git."""
    try:
        done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        names = done.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    skip = re.compile(r"(^|/)(build|\.git|node_modules)/")
    return [name for name in names if not skip.search(name) and (ROOT / name).is_file()]


FILES = tree()
TEXT = "\n".join((ROOT / name).read_text(errors="replace") for name in FILES if CODE.match(name))
TOPS = {part for name in FILES
        for part in re.findall(r"(?:^(?:src/)?|^include/shoal/)([\w.]+)/", name)}
KNOWN = {
    "struct": set(re.findall(r"\bstruct\s+(\w+)", TEXT)),
    "enum": set(re.findall(r"\benum\s+(\w+)", TEXT)),
    "call": set(re.findall(r"(\w+)\s*\(", TEXT)),
    "word": set(re.findall(r"\w+", TEXT)),
    # Each file and each folder, with and without the folders before it.
    "path": {"/".join(parts[i:j]) for parts in (name.split("/") for name in FILES)
             for j in range(1, len(parts) + 1) for i in range(j)},
}


def is_known(kind, word):
    word = word.rstrip("/")
    if not WILD.search(word):
        return word in KNOWN[kind]
    anything = "[^/]*" if kind == "path" else r"\w*"
    wanted = re.compile(anything.join(map(re.escape, WILD.split(word))))
    return any(map(wanted.fullmatch, KNOWN[kind]))


def names_in(quoted):
    """What the text between two back quotes names: pairs of kind and word."""
    yield from re.findall(r"\b(struct|enum) (\w+)", quoted)
    for word in re.split(r"[\s=;()|,\"'\[\]]+(?![^{]*\})", quoted.replace("()", "\0")):
        if "\0" in word:
            yield "call", word.split("\0")[0].split(".")[-1]
        elif SKIPPED.match(word):
            continue
        elif PATH_END.search(word) or ("/" in word and word.split("/")[0] in TOPS):
            yield "path", word
        elif re.fullmatch(r"[\w<>*]*[A-Za-z>*]_[\w<>*]+", word):
            yield "word", word


def main():
    missing = 0
    for document in (name for name in FILES if name.endswith(".md")):
        fenced = False
        for number, line in enumerate((ROOT / document).read_text().splitlines(), 1):
            fenced ^= line.startswith("```")
            for quoted in [line] if fenced else re.findall(r"`([^`]+)`", line):
                for kind, word in names_in(quoted):
                    is_sample = fenced and kind != "call" and "/" not in word
                    if not is_sample and not is_known(kind, word):
                        missing += 1
                        print(f"{document}:{number}: there is no {kind} {word}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
