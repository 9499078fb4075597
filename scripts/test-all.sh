#!/bin/sh
# Every test there is, stage by stage; what `make test` and CI run.
#
#   scripts/test-all.sh [STAGE...]        a stage is KIND or KIND:MODE, as in the list below
#
# A stage ends in "N passed, N failed" (", N skipped"); one that crashes, runs out of time or says no
# totals counts as a failure. The last line adds them up.
#   STAGE_TIMEOUT   seconds a stage may take, its build included    1500
set -u
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- tidy models sim sim-planted bench-test fuzz-test fuzz \
    unit:release e2e:release conformance:release conformance-epoll:release differential:release \
    instructions:release \
    unit:asan e2e:asan conformance:asan \
    unit:tsan e2e:tsan e2e:tiny e2e-epoll:tiny

# The stages are builds of their own: nothing of the make above is theirs.
unset MAKEFLAGS MFLAGS MAKELEVEL MODE
jobs=$(nproc)
mkdir -p build/test-logs
passed=0 failed=0 skipped=0 summary= bad_logs=
FAILURE='[1-9][0-9]* failed|^FAIL|not ok|\[  FAILED|: (error|fatal)|(ERROR|WARNING): .*Sanitizer|runtime error'

# timeout has a process group of its own: without this a stage would outlive us.
trap 'kill "$(cat "$log.pid")"; wait; exit 130' INT TERM HUP

for stage in "$@"; do
    kind=${stage%%:*}
    mode=${stage#*:}
    [ "$mode" != "$kind" ] || mode=release
    log=build/test-logs/$kind-$mode.log
    echo "== $kind ($mode)"
    began=$(date +%s)
    # The pipe's last part ends only when the stage has; its own status comes by a file. It is waited
    # for, since a shell runs no trap while a command in the foreground runs.
    {
        timeout -k 10 "${STAGE_TIMEOUT:-1500}" make --no-print-directory -j"$jobs" MODE="$mode" "$kind" &
        echo $! >"$log.pid"
        wait $!
        echo $? >"$log.status"
    } 2>&1 </dev/null | tee "$log" | grep -vE '^  (CC|AR|LINK) ' &
    wait $!
    status=$(cat "$log.status")
    rm -f "$log.status" "$log.pid"

    totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
    ok=0 bad=0 left=0 note=
    if [ -n "$totals" ]; then
        read -r ok bad left <<TOTALS
$(printf %s "$totals" | tr -dc '0-9 ' | tr -s ' ')
TOTALS
        left=${left:-0}
    fi
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        note="   ended with status $status"
    elif [ -z "$totals" ]; then
        bad=1
        note="   said no totals"
    elif [ $((ok + bad + left)) -eq 0 ]; then
        bad=1
        note="   ran no test"
    fi
    [ "$bad" -eq 0 ] || bad_logs="$bad_logs $log"
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + left))
    summary="$summary$(printf '  %-22s %5d passed %4d failed %4d skipped %4d s%s' \
        "$kind ($mode)" "$ok" "$bad" "$left" $(($(date +%s) - began)) "$note")
"
done

# Once more where it is easily found: many thousand lines may lie between.
for log in $bad_logs; do
    echo "== from $log"
    grep -E -A 12 "$FAILURE" "$log" | cut -c 1-200 | head -n 60
done
echo "== all"
printf '%s' "$summary"
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
