#!/bin/sh
# What more than one shard costs: GET over TCP at pipelines 1, 10 and 50 with two and four shards beside
# redis-server, all of them and the client sharing all CPUs, runs interleaved; and what it costs that a
# command is for another shard than its connection's. About a minute and a half.
#
#   RUNS=5  SECONDS_EACH=0.6  CLIENTS=50  VALUE=32   how long and what
#   KEYS=1000000                                     different keys: more than the CPU's caches hold
#   PORT=21480                                       first port of the servers
#   SHOAL, BENCH                                     the programs
# Further arguments go to shoal-bench.
set -eu
cd "$(dirname "$0")/../.."
bench=${BENCH:-build/shoal-bench}
shoal=${SHOAL:-build/shoal}
port=${PORT:-21480}
all=0-$(($(nproc) - 1))
load="--runs ${RUNS:-5} --seconds ${SECONDS_EACH:-0.6} -c ${CLIENTS:-50} -d ${VALUE:-32} -r ${KEYS:-1000000} -t get --preload"

set -- --title "two and four shards" "$@"
command -v redis-server >/dev/null && set -- \
    --server 'redis=redis-server --port {port} --save "" --appendonly no' "$@"
# shellcheck disable=SC2086
"$bench" compare --port "$port" $load --warmup 0.1 --pipelines 1,10,50 --transports tcp \
    --server-cpus "$all" --client-cpus "$all" \
    --server "two-shards=$shoal --port {port} --shards 2 --save \"\"" \
    --server "four-shards=$shoal --port {port} --shards 4 --save \"\"" "$@"

echo
echo "A command for another shard (two shards): server CPU us/request, median of ${RUNS:-5}"
"$shoal" --port "$port" --shards 2 >/dev/null &
server=$!
trap 'kill "$server"' EXIT
until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.1; done
for pipeline in 1 10 50; do
    for percent in 0 100; do
        # shellcheck disable=SC2086
        cost=$("$bench" -p "$port" $load -P "$pipeline" --shards 2 --cross-shard "$percent" -q |
            sed -n 's/.*server \([0-9.]*\) us.*/\1/p')
        echo "  pipeline $pipeline, $percent % cross: $cost"
    done
done
