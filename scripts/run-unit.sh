#!/bin/sh
# Runs unit tests, a few at a time, and adds up what cmocka says.
#
#   scripts/run-unit.sh PROGRAM...
#
#   UNIT_TIMEOUT   seconds each may take     600
#   V=1            show the output of all, not only of those that fail
#
# A program that crashes, runs out of time or runs no test is a failure; exit status 77 is a skip.
# Ends in "N passed, N failed" (", N skipped" when there are any).
set -u

one() {
    program=$1
    log=$2
    timeout -k 5 "${UNIT_TIMEOUT:-600}" "$program" >"$log" 2>&1 </dev/null &
    child=$!
    # timeout has a process group of its own: it would outlive us.
    trap 'kill $child; wait $child; exit 130' INT TERM HUP
    wait $child
    echo $? >"$log.status"
}

if [ "${1:-}" = --one ]; then
    one "$2" "$3/$(printf %s "$2" | tr / _)"
    exit
fi

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM HUP

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-exitcode=66}"

[ $# -eq 0 ] || printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} "$0" --one {} "$logs"

passed=0 failed=0 skipped=0
for program in "$@"; do
    log=$logs/$(printf %s "$program" | tr / _)
    status=$(cat "$log.status" 2>/dev/null || echo 125)
    # The per-group summaries: "[  PASSED  ] 3 test(s).", "[  FAILED  ] 1 test(s), listed below:".
    counts=$(sed -nE 's/^\[ +(PASSED|FAILED|SKIPPED) +\] ([0-9]+) test\(s\).*/\1 \2/p' "$log" |
        awk '{ n[$1] += $2 } END { print n["PASSED"] + 0, n["FAILED"] + 0, n["SKIPPED"] + 0 }')
    set -- $counts
    ok=$1 bad=$2 left=$3 why=
    if [ "$status" -eq 77 ]; then
        left=$((left + 1))
    elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        why="ran out of time (${UNIT_TIMEOUT:-600} s)"
    elif [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        why="ended with status $status"
    elif [ $((ok + bad + left)) -eq 0 ]; then
        why="ran no test"
    fi
    [ -z "$why" ] || bad=$((bad + 1))
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + left))
    if [ "$bad" -gt 0 ]; then
        echo "--- $program${why:+: $why}"
        cat "$log"
    elif [ -n "${V:-}" ]; then
        echo "--- $program"
        cat "$log"
    fi
done

printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
