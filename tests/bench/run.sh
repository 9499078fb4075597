#!/bin/sh
# The harness's own tests: unit tests, then shoal-bench against a server with known delays and faults.
# Ends in "N passed, N failed".
#
#   BENCH   the program under test      build/shoal-bench
#   CC      compiler                    gcc
set -u
cd "$(dirname "$0")/../.."
out=build/bench-tests
mkdir -p "$out"

compile="${CC:-gcc} -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
    -D_GNU_SOURCE -DSHOAL_VERSION=\"test\" -Wall -Wextra -Iinclude -Ibench"
# What the harness is made of, but for its main(): compiled once, for all tests.
rm -rf "$out/parts"
mkdir "$out/parts"
ls bench/*.c bench/*/*.c src/base/*.c | grep -v '/main\.c$\|_jemalloc\.c$\|^bench/micro/\|^bench/instructions/' |
    xargs -P "$(nproc)" -I{} sh -c '$1 -c "$2" -o "$3/$(echo "$2" | tr / _).o"' - "$compile" {} "$out/parts"
build() { # PROGRAM SOURCE
    $compile "$2" "$out"/parts/*.o -o "$out/$1" -lcmocka -l:liburing.a -lm -lpthread
}

passed=0 failed=0 skipped=0
for source in tests/bench/test_*.c; do
    name=$(basename "$source" .c)
    if build "$name" "$source" && timeout 600 "$out/$name" >"$out/$name.log" 2>&1; then
        count=$(grep -c '\[       OK \]' "$out/$name.log")
        echo "ok    $name ($count)"
        passed=$((passed + count))
    else
        echo "FAIL  $name"
        grep -v '\[ RUN\|       OK' "$out/$name.log" 2>/dev/null
        failed=$((failed + 1))
    fi
done

build hgrm_sample tests/bench/hgrm_sample.c && export HGRM_SAMPLE="$PWD/$out/hgrm_sample"
python3 tests/bench/test_bench.py | tee "$out/test_bench.log"
totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out/test_bench.log" | tail -n 1)
if [ -n "$totals" ]; then
    set -- $(echo "$totals" | tr -dc '0-9 ')
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
else
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
