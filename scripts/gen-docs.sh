#!/bin/sh
# Writes what comes from the program's own tables into the documentation, or checks that it is there.
#
#   scripts/gen-docs.sh           rewrite what differs
#   scripts/gen-docs.sh --check   say what is stale, change nothing, fail if anything is
#
# What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` in a document is what
# the server's --print-NAME-markdown prints; packaging/shoal.conf is what its --print-config prints.
# The server is build/shoal, or what SHOAL names; without one this fails.
set -eu
cd "$(dirname "$0")/.."

server=${SHOAL:-build/shoal}
documents="docs/commands.md:commands docs/configuration.md:options docs/monitoring.md:counters"
config=packaging/shoal.conf
check=${1:-}
stale=0

if [ ! -x "$server" ]; then
    echo "there is no server at $server to ask for its tables: build it first (make), or name one in SHOAL"
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs the server with one flag; its output goes to $work/table.
ask() {
    if ! timeout 10 "$server" "$1" >"$work/table" 2>"$work/error" || [ ! -s "$work/table" ]; then
        echo "$server $1 printed nothing: $(head -n 1 "$work/error")"
        exit 1
    fi
}

# Puts $work/next in the place of $1, or only says that it should be.
settle() {
    cmp -s "$work/next" "$1" && return
    stale=1
    if [ "$check" = --check ]; then
        echo "$1 is stale, run: make docs"
    else
        cat "$work/next" >"$1"
        echo "$1: updated"
    fi
}

for entry in $documents; do
    document=${entry%%:*}
    name=${entry##*:}
    ask "--print-$name-markdown"
    if [ "$(grep -c -e "<!-- $name:begin -->" -e "<!-- $name:end -->" "$document")" -ne 2 ]; then
        echo "$document lacks the marks of $name"
        exit 1
    fi
    awk -v begin="<!-- $name:begin -->" -v end="<!-- $name:end -->" -v table="$work/table" '
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin { inside = 1; while ((getline line < table) > 0) print line }
    ' "$document" >"$work/next"
    settle "$document"
done

ask --print-config
mv "$work/table" "$work/next"
settle $config

[ "$check" != --check ] || exit $stale
