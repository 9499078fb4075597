#!/bin/sh
# Builds and runs the parsers' fuzzers: run.sh [SECONDS each, 60]. Needs clang with libFuzzer.
# Seeds are the golden dialogues; what is found is kept in build/fuzz/.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
clang=$(command -v clang-14 || command -v clang) || { echo "skipped: no clang"; exit 77; }
mkdir -p build/fuzz

for source in tests/fuzz/fuzz_*.c; do
    parser=$(basename "${source#*fuzz_}" .c)
    corpus=build/fuzz/$parser
    mkdir -p "$corpus"
    python3 - "$corpus" tests/golden/$parser*.txt <<'PYTHON'
import sys
sys.path.insert(0, "tests/golden")
from check_redis import decode
number = 0
for path in sys.argv[2:]:
    for line in open(path, encoding="ascii"):
        if line.startswith("#") or "\t" not in line or len(data := decode(line.split("\t")[0])) > 2000:
            continue
        number += 1
        with open(f"{sys.argv[1]}/seed-{number:03d}", "wb") as seed:
            seed.write(data)
PYTHON
    "$clang" -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -D_GNU_SOURCE -Iinclude -o build/fuzz/fuzz_$parser "$source" \
        src/proto/decode*.c src/proto/resize.c src/base/number.c -lm
    build/fuzz/fuzz_$parser -max_total_time="$seconds" -max_len=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix=build/fuzz/ "$corpus" 2>&1 |
        grep -E 'ERROR|SUMMARY|stat::(number_of_executed|new_units)|Done' || true
    ! ls build/fuzz/crash-* build/fuzz/leak-* build/fuzz/timeout-* 2>/dev/null
done
