#!/bin/sh
# What `make test` has no time for; `make test-long` and whoever looks for rare faults run it.
#
#   scripts/test-long.sh [STAGE...]       stages as in scripts/test-all.sh, which runs them
#
# docs/internals/testing.md says which products of build, shards and protocol this covers. What is in
# the environment already comes first: N=10000000 scripts/test-long.sh differential
set -u
cd "$(dirname "$0")/.."

export SEEDS="${SEEDS:-20000}" N="${N:-2000000}" SECONDS_STRESS="${SECONDS_STRESS:-60}" FUZZ_SECONDS="${FUZZ_SECONDS:-1200}"
export E2E_SLOW="${E2E_SLOW-1}" E2E_TIMEOUT="${E2E_TIMEOUT:-3600}" STAGE_TIMEOUT="${STAGE_TIMEOUT:-14400}"
[ $# -gt 0 ] || set -- fuzz sim \
    differential:release differential:asan differential:tsan differential:tiny \
    differential-epoll:release differential-epoll:tiny \
    e2e:release e2e:asan e2e:tsan e2e:tiny \
    e2e-epoll:release e2e-epoll:asan e2e-epoll:tsan e2e-epoll:tiny \
    unit:tsan unit:ubsan unit:tiny conformance:tsan conformance:tiny
exec scripts/test-all.sh "$@"
