#!/bin/sh
# Runs the end-to-end tests against a server's binary, a few at a time.
#
#   scripts/run-e2e.sh BINARY [TEST...]
#
# A test is tests/e2e/test_*.sh, test_*.py, node/test_*.mjs, or build/<mode>/tests/e2e/test_* built
# from tests/e2e/test_*.c. It starts what it needs and is given
#   SHOAL   the binary, absolute          BUILD   the folder it lies in
#   PORT    the first of ten ports that are its own
# and it ends by printing "N passed, N failed" (", N skipped"). Exit status 77 skips the whole of it.
# What a sanitizer reports of any process, also of one that the test kills or does not look at, is a
# failure of the test.
#   E2E_TIMEOUT   seconds each may take   600
#   E2E_PORT      the first port of all   27200
#   E2E_JOBS      tests at a time         as many as there are CPUs
#   E2E_SLOW=1    also those that this mode leaves out for their time only
#   V=1           show the output of all, not only of those that fail
set -u

# One test, whose files are $dir/$number.*: its line and, if it failed, its output go out in one piece.
one() {
    dir=$1 number=$2 test=$3
    log=$dir/$number.log reports=$dir/$number.reports
    mkdir "$reports"
    # Reports go to files of their own, report.<pid>: a server's output is read by its test, or nobody.
    export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}:log_path=$reports/report"
    export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}:log_path=$reports/report"
    export TSAN_OPTIONS="${TSAN_OPTIONS:-exitcode=66}:log_path=$reports/report"
    export PORT=$((${E2E_PORT:-27200} + number * 10))
    began=$(date +%s)
    case $test in
    *.sh) runner=sh ;;
    # Debian's own python3 is the one that python3-redis belongs to.
    *.py) runner=/usr/bin/python3 ;;
    *.mjs) runner=node ;;
    *) runner= ;;
    esac
    timeout -k 5 "${E2E_TIMEOUT:-600}" $runner "$test" >"$log" 2>&1 </dev/null &
    child=$!
    # timeout has a process group of its own: it, the test and its servers would outlive us.
    trap 'kill $child; wait $child; exit 130' INT TERM HUP
    wait $child
    status=$?
    totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
    set -- $(printf %s "$totals" | tr -dc '0-9 ')
    ok=${1:-0} bad=${2:-0} left=${3:-0} why=
    if [ $status -eq 77 ]; then
        left=$((left + 1))
        why="skipped: $(tail -n 1 "$log")"
    elif [ $status -eq 124 ] || [ $status -eq 137 ]; then
        bad=$((bad + 1))
        why="ran out of time (${E2E_TIMEOUT:-600} s)"
    elif [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        why="ended with status $status"
    elif [ $((ok + bad + left)) -eq 0 ]; then
        bad=1
        why="printed no totals"
    fi
    reported=$(find "$reports" -name 'report.*' -size +0 | wc -l)
    if [ "$reported" -gt 0 ]; then
        bad=$((bad + 1))
        why="${why:+$why, }a sanitizer reported of $reported processes"
        cat "$reports"/report.* | head -n 200 >>"$log"
    fi
    {
        printf '%-46s %4d passed %4d failed %4d skipped %4d s%s\n' "${test#"$PWD"/}" "$ok" "$bad" \
            "$left" $(($(date +%s) - began)) "${why:+   $why}"
        if [ "$bad" -gt 0 ] || [ -n "${V:-}" ]; then
            sed 's/^/    /' "$log"
        fi
    } >"$dir/$number.shown"
    echo "$ok $bad $left" >"$dir/$number.counts"
    flock "$dir" cat "$dir/$number.shown"
}

if [ "$1" = --one ]; then
    one "$2" "$3" "$4"
    exit 0
fi

cd "$(dirname "$0")/.."
SHOAL=$(realpath "$1")
BUILD=$(dirname "$SHOAL")
export SHOAL BUILD
shift
if [ $# -eq 0 ]; then
    set -- $(ls tests/e2e/test_*.sh tests/e2e/test_*.py tests/e2e/node/test_*.mjs 2>/dev/null) \
        $(find "$BUILD/tests/e2e" -type f -name 'test_*' 2>/dev/null | sort)
    # A mode that has such a list runs all the others; a row without a test is a mistake.
    left_out=tests/e2e/left-out-$(basename "$BUILD").txt
    rows=$(cat "$left_out" 2>/dev/null)
    [ -z "${E2E_SLOW:-}" ] || rows=$(printf '%s\n' "$rows" | grep -v ' # slow: ')
    for row in $(printf '%s\n' "$rows" | sed 's/ *#.*//'); do
        case " $* " in
        *"/$row "*) ;;
        *) echo "$left_out: there is no test $row" && exit 1 ;;
        esac
        set -- $(printf '%s\n' "$@" | grep -v "/$row\$")
    done
fi

[ $# -gt 0 ] || { echo "there is no test to run" && exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP

number=0
for test in "$@"; do
    echo "$number $test"
    number=$((number + 1))
done | xargs -P "${E2E_JOBS:-$(nproc)}" -L 1 scripts/run-e2e.sh --one "$dir"

passed=0 failed=0 skipped=0 n=0
while [ $n -lt $# ]; do
    # One that left no counts was killed with what runs it.
    read -r ok bad left <"$dir/$n.counts" 2>/dev/null || { ok=0 bad=1 left=0; }
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + left))
    n=$((n + 1))
done

printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
