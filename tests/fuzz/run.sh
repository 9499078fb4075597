#!/bin/sh
# Fuzzes the parsers: replays what is kept for each, then tries new inputs, two at a time.
#
#   tests/fuzz/run.sh [SECONDS each, 60] [NAME...]   NAME as in fuzz_NAME.c; none: all
#   tests/fuzz/run.sh keep NAME [FILE...]            adds to what is kept for NAME
#
# Kept, in git: tests/fuzz/corpus/NAME/. A run writes to build/fuzz/ only: new inputs to
# corpus/NAME/, finds to NAME-crash-*, NAME-leak-*, NAME-timeout-* and NAME-oom-*. A find fails
# every run until it is mended; then it is one more input. `keep` copies into the tree what of the
# new inputs (or of the FILEs) reaches code that nothing kept reaches.
#
# Ends in "N passed, N failed": a replay and a run for each. Needs clang with libFuzzer. The comment
# at the top of a fuzzer says what it is built from (sources, flags) and run with (options).
#   FUZZ_SECONDS         seconds each, where none are said
#   CLANG, FUZZ_CFLAGS   compiler, and more flags for it
#   FUZZ_OPTIONS         more options for the fuzzers
#   FUZZ_OUT, FUZZ_KEPT  other folders for build/fuzz and tests/fuzz/corpus
set -eu
cd "$(dirname "$0")/../.."
clang=${CLANG:-$(command -v clang || command -v clang-14 || echo clang)}
out=${FUZZ_OUT:-build/fuzz}
kept=${FUZZ_KEPT:-tests/fuzz/corpus}
# clang 14's AddressSanitizer cannot place its shadow where the kernel randomises more than 28 bits.
unrandomised=
if ! [ "$(cat /proc/sys/vm/mmap_rnd_bits)" -le 28 ] 2>/dev/null && setarch -R true 2>/dev/null; then
    unrandomised='setarch -R'
fi

# What the comment of fuzzer $1 says after the word $2.
said() {
    sed -n "s/^ \* $2  *//p" "tests/fuzz/fuzz_$1.c"
}

# The finds of fuzzer $1 that are on disk.
finds() {
    for kind in crash leak timeout oom; do
        ls "$out/$1-$kind-"* 2>/dev/null || true
    done
}

# $flags and the like are lists of words, here and below.
build() {
    mkdir -p "$out/corpus/$1"
    # shellcheck disable=SC2046
    "$clang" -std=gnu11 -g -O1 -Wall -Wextra -D_GNU_SOURCE \
        -DSHOAL_VERSION='"fuzz"' -DSHOAL_BUILD_ID='"fuzz"' -Iinclude -Itests \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        $(said "$1" flags) ${FUZZ_CFLAGS:-} -o "$out/fuzz_$1" "tests/fuzz/fuzz_$1.c" \
        $(said "$1" sources) -lm >"$out/$1-build.log" 2>&1
}

options() {
    echo "-timeout=10 -rss_limit_mb=1024 $(said "$1" options) ${FUZZ_OPTIONS:-}"
}

# Runs fuzzer $1 with the other arguments, its words in $log. Its status 77 would mean "skipped".
fuzzer() {
    program=$out/fuzz_$1
    options=$(options "$1")
    prefix=-artifact_prefix=$out/$1-
    shift
    # shellcheck disable=SC2086
    timeout -k 5 "$limit" $unrandomised "$program" $options "$prefix" "$@" >"$log" 2>&1
}

fail() { # what, why
    echo "FAIL  $1: $2"
    grep -aE 'error: |ERROR: |SUMMARY|not found|^ *#[0-9]+ .*/(src|tests)/' "$log" | head -n 15 | sed 's/^/      /'
}

say_how() { # fuzzer, its find
    echo "      again: $unrandomised $out/fuzz_$1 $(options "$1") $2"
}

# What is kept, and finds of earlier runs: each file has to run, and to end well.
replay() {
    limit=300 log=$out/$1-replay.log
    set -- "$1" "$kept/$1"/*
    count=$(($# - 1))
    if [ ! -e "$2" ]; then
        echo "FAIL  replay of $1: nothing is kept in $kept/$1"
        return
    fi
    if ! fuzzer "$@" || [ "$(grep -ac '^Executed ' "$log")" -ne $count ]; then
        at=$(sed -n 's/^Running: //p' "$log" | tail -n 1)
        fail "replay of $1" "${at:-the fuzzer did not start}"
        [ -z "$at" ] || say_how "$1" "$at"
        return
    fi
    for find in $(finds "$1"); do
        if ! fuzzer "$1" "$find"; then
            fail "replay of $1" "$find still fails"
            say_how "$1" "$find"
            return
        fi
        mv "$find" "$out/corpus/$1/"
        echo "      $find no longer fails: it is an input now"
        count=$((count + 1))
    done
    echo "ok    replay of $1: $count inputs"
}

try_new() { # fuzzer, seconds
    status=0 limit=$(($2 + 120)) log=$out/$1.log
    fuzzer "$1" "-max_total_time=$2" -print_final_stats=1 "$out/corpus/$1" "$kept/$1" || status=$?
    ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    found=$(finds "$1" | tail -n 1)
    if [ "$status" -ne 0 ] || [ -n "$found" ]; then
        fail "run of $1" "${found:-no find, but it ended with status $status}"
        [ -z "$found" ] || say_how "$1" "$found"
    elif [ "${ran:-0}" -eq 0 ]; then
        fail "run of $1" "it ended well without having run"
    else
        new=$(sed -n 's/^stat::new_units_added: *//p' "$log")
        echo "ok    run of $1: $ran inputs in $2 s, $new new in $out/corpus/$1"
    fi
}

one() { # fuzzer, seconds
    if ! build "$1"; then
        log=$out/$1-build.log
        fail "build of $1" "$clang (scripts/setup.sh test installs it)"
        echo "FAIL  replay of $1: not built"
        return
    fi
    replay "$1"
    try_new "$1" "$2"
}

keep() {
    name=$1 limit=600 log=$out/$1-keep.log
    shift
    build "$name"
    new=$out/corpus/$name
    if [ $# -gt 0 ]; then
        new=$out/$name-keep
        rm -rf "$new"
        mkdir "$new"
        cp "$@" "$new/"
    fi
    mkdir -p "$kept/$name"
    # By edges alone: how often each is taken would be hundreds of files.
    fuzzer "$name" -merge=1 -use_counters=0 "$kept/$name" "$new" || { tail -n 3 "$log"; exit 1; }
    echo "$kept/$name: $(ls "$kept/$name" | wc -l) files, $(cat "$kept/$name"/* | wc -c) bytes"
}

case ${1:-} in
keep | one)
    "$@"
    exit
    ;;
esac
seconds=${1:-${FUZZ_SECONDS:-60}}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(basename -as .c tests/fuzz/fuzz_*.c | sed 's/^fuzz_//')
mkdir -p "$out"
printf '%s\n' "$@" | xargs -P 2 -I{} sh -c '"$0" one "$1" "$2" >"$3/$1.result" 2>&1; cat "$3/$1.result"' \
    tests/fuzz/run.sh {} "$seconds" "$out"

# A replay and a run each; who said neither has failed too.
passed=0
for name in "$@"; do
    ok=$(grep -c '^ok ' "$out/$name.result") || true
    passed=$((passed + ok))
done
failed=$(($# * 2 - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
