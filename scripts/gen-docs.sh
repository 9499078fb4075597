#!/bin/sh
# Writes the tables that come from the program into the documentation, or checks that they are there.
#
#   scripts/gen-docs.sh           rewrite README.md where it differs
#   scripts/gen-docs.sh --check   say what is stale, change nothing, fail if anything is
#
# What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` is what `build/shoal --dump-NAME`
# prints: a Markdown table from the rows that the program itself runs by.
set -eu
cd "$(dirname "$0")/.."

server=build/shoal
doc=README.md
names="commands options"

[ -x $server ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp $doc "$work/doc"
for name in $names; do
    if ! timeout 10 $server --dump-$name >"$work/table" 2>"$work/error" || [ ! -s "$work/table" ]; then
        echo "$server --dump-$name printed no table: $(head -n 1 "$work/error")"
        exit 1
    fi
    if [ "$(grep -c -e "<!-- $name:begin -->" -e "<!-- $name:end -->" $doc)" -ne 2 ]; then
        echo "$doc lacks the marks of $name"
        exit 1
    fi
    awk -v begin="<!-- $name:begin -->" -v end="<!-- $name:end -->" -v table="$work/table" '
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin { inside = 1; while ((getline line < table) > 0) print line }
    ' "$work/doc" >"$work/next"
    mv "$work/next" "$work/doc"
done

if cmp -s "$work/doc" $doc; then
    exit 0
fi
if [ "${1:-}" = --check ]; then
    echo "$doc is stale, run: make docs"
    exit 1
fi
cat "$work/doc" >$doc
echo "$doc: updated"
