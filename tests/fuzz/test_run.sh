#!/bin/sh
# Tests run.sh: faults are planted in a fuzzer (planted.h), and each has to be found and reported.
#
# Ends in "N passed, N failed".
set -u
cd "$(dirname "$0")/../.."
export FUZZ_OUT=build/fuzz-test FUZZ_OPTIONS='-timeout=2' FUZZ_CFLAGS=
unset CLANG FUZZ_KEPT
rm -rf $FUZZ_OUT
mkdir -p $FUZZ_OUT
log=$FUZZ_OUT/test.log
passed=0 failed=0

# run STATUS TOTALS [TEXT]: run.sh ends with the status, its words end in the totals and have the
# text.
run() {
    seconds=20 # at most, till the find
    [ "$1" -ne 0 ] || seconds=2
    tests/fuzz/run.sh $seconds glob >"$log" 2>&1
    status=$?
    if [ $status -ne "$1" ]; then
        echo "ended with status $status, not $1"
    elif [ "$(tail -n 1 "$log")" != "$2" ]; then
        echo "did not end in \"$2\""
    elif ! grep -qe "${3:-.}" "$log"; then
        echo "did not say \"$3\""
    else
        return 0
    fi
    return 1
}

ok() { # what the command behind it shows
    name=$1
    shift
    if problem=$("$@"); then
        echo "ok    $name"
        passed=$((passed + 1))
    else
        echo "FAIL  $name: $problem"
        sed 's/^/      | /' "$log"
        failed=$((failed + 1))
    fi
}

plant() {
    FUZZ_CFLAGS=-DSHOAL_PLANTED=$1
}

forget() {
    rm -rf $FUZZ_OUT
    mkdir -p $FUZZ_OUT
}

said_how() { # kind: the command that was printed shows the find again
    how=$(sed -n 's/^ *again: //p' "$log" | tail -n 1)
    case $how in *"$FUZZ_OUT/glob-$1-"*) ;; *) echo "no command was printed" && return 1 ;; esac
    ! $how >/dev/null 2>&1 || { echo "$how does not fail"; return 1; }
}

kept_on_disk() { # kind
    ls $FUZZ_OUT/glob-"$1"-* >/dev/null 2>&1 || { echo "no glob-$1-* on disk"; return 1; }
}

all_of() { # kind, totals
    run 1 "$2" "^FAIL .* of glob: $FUZZ_OUT/glob-$1-" && kept_on_disk "$1" && said_how "$1"
}

plant 1
ok "a crash is found" all_of crash "1 passed, 1 failed"
ok "a find on disk fails the next run" run 1 "0 passed, 2 failed" "still fails"
plant 0
ok "a find that was mended passes" run 0 "2 passed, 0 failed" "no longer fails"
ok "it is an input from then on" run 0 "2 passed, 0 failed"
plant 1
ok "and is found again as one" all_of crash "1 passed, 1 failed"
forget
plant 2
ok "a leak is found" all_of leak "1 passed, 1 failed"
forget
plant 3
ok "a time-out is found" all_of timeout "1 passed, 1 failed"
forget
plant 4
ok "memory without bounds is found" all_of oom "1 passed, 1 failed"
forget
plant 5
ok "a fuzzer that does not start fails" run 1 "0 passed, 2 failed" "did not start"
plant 6
ok "a fuzzer that ends at once fails" run 1 "0 passed, 2 failed" "without having run"
FUZZ_CFLAGS='-include nothing-of-that-name.h'
ok "a fuzzer that does not compile fails" run 1 "0 passed, 2 failed" "^FAIL  build of glob"
plant 0
export CLANG=no-such-compiler
ok "no compiler fails" run 1 "0 passed, 2 failed" "^FAIL  build of glob"
unset CLANG

export FUZZ_KEPT=$FUZZ_OUT/kept
ok "no kept corpus fails" run 1 "0 passed, 2 failed" "nothing is kept"
mkdir -p $FUZZ_KEPT/glob
printf 'bug' >$FUZZ_KEPT/glob/bug
plant 1
ok "a kept input that crashes fails" run 1 "0 passed, 2 failed" "^FAIL  replay of glob: $FUZZ_KEPT/glob/bug"
plant 0
ok "and passes when it is mended" run 0 "2 passed, 0 failed" "replay of glob: [0-9]* inputs"

keep() { # what is kept grows by what is new only
    tests/fuzz/run.sh keep glob "$1" >"$log" 2>&1 || { echo "keep failed"; return 1; }
    [ "$(ls $FUZZ_KEPT/glob | wc -l)" -eq "$2" ] || { echo "not $2 files are kept"; return 1; }
}
printf 'x[a-c]\0xb' >$FUZZ_OUT/class
printf 'x[b-d]\0xc' >$FUZZ_OUT/other
ok "keep adds what reaches new code" keep $FUZZ_OUT/class 2
ok "keep adds nothing that does not" keep $FUZZ_OUT/other 2

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
