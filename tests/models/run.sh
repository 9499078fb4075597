#!/bin/sh
# Checks the models with spin: the true ones must hold in every state, the planted errors must be found.
#
#   tests/models/run.sh        ends in "N passed, N failed"; well under a minute
#
# A model that stopped short of its whole state space counts as failed, too.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work" || exit 1

passed=0 failed=0

# check holds|breaks MODEL [-DVARIANT]
check() {
    wanted=$1 model=$2 variant=${3:-}
    rm -f pan*
    spin -a $variant "$here/$model.pml" >spin.log 2>&1 &&
        cc -O2 -w -DSAFETY -o pan pan.c >>spin.log 2>&1 &&
        timeout 600 ./pan -m1000000 >pan.log 2>&1
    found=unknown
    if grep -q 'errors: 0$' pan.log && ! grep -qiE 'max search depth|out of memory|truncated' pan.log; then
        found=holds
    elif grep -qE 'errors: [1-9]' pan.log && grep -qE 'assertion violated|invalid end state' pan.log; then
        found=breaks
    fi
    if [ $found = "$wanted" ]; then
        passed=$((passed + 1))
        printf 'ok   %-9s %-20s %s\n' "$model" "${variant#-D}" "$wanted"
    else
        failed=$((failed + 1))
        printf 'FAIL %-9s %-20s %s, not %s\n' "$model" "${variant#-D}" "$found" "$wanted"
        cat spin.log pan.log
    fi
    rm -f pan.log spin.log
}

check holds spsc
check breaks spsc -DEARLY_TAIL
check breaks spsc -DEARLY_HEAD
check holds sleep
check breaks sleep -DNO_PRODUCER_FENCE
check breaks sleep -DNO_CONSUMER_FENCE
check breaks sleep -DNO_RECHECK
check breaks sleep -DLOAD_STORE
check breaks sleep -DEARLY_BIT
check breaks sleep -DLOAD_STORE_BITS
check holds credits
check breaks credits -DWAIT_FOR_ROOM
check breaks credits -DCREDIT_TOO_MANY
check breaks credits -DCREDIT_FOR_URGENT
check holds push
check breaks push -DNO_STAMP
check breaks push -DNO_BEHIND
check holds subscribe
check breaks subscribe -DANSWER_EARLY
check breaks subscribe -DNOT_ADDED
check breaks subscribe -DNOT_GIVEN_BACK
check holds parked
check breaks parked -DNO_STAMP
check breaks parked -DNO_CANCEL
check breaks parked -DBY_PLACE

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
