#!/bin/sh
# shoal beside redis-server and memcached on this machine, in under three minutes: SET and GET over a
# Unix socket and TCP at pipelines 1, 10 and 50, one server CPU, one client CPU, runs interleaved.
# Writes build/bench-report.html, .svg, .json and .txt (the table, with ratios of CPU per request).
#
#   RUNS=5  SECONDS_EACH=0.6  CLIENTS=50  VALUE=32   how long and what
#   KEYS=1000000                                     different keys: more than the CPU's caches hold
#   SERVER_CPU=0  CLIENT_CPU=1                       where
#   PORT=21450                                       first port of the servers
#   FLOOR=1                                          GET alone, with servers that do the same input and output
#                                                    as shoal and nothing else beside, one by its ring and one by
#                                                    epoll, read and write (bench/micro/floor.c, floor_epoll.c)
#   EPOLL=1                                          shoal a second time, with --io-engine epoll
#   SHOAL, BENCH                                     the programs
# Further arguments go to shoal-bench (--server 'name=command {port} {socket}' adds one).
set -eu
cd "$(dirname "$0")/../.."
bench=${BENCH:-build/shoal-bench}
shoal=${SHOAL:-build/shoal}

[ "$(nproc)" -ge 2 ] || echo "one CPU only: server and client take turns on it, figures suffer" >&2
last=$(($(nproc) - 1))
code=0

# Each server: what it is called, and a command that holds {port} (TCP), {socket} (Unix) or both.
set -- "$@" --title "shoal, redis-server and memcached"
command -v memcached >/dev/null && set -- \
    --server "memcached=memcached -u $(id -un) -t 1 -m 256 -l 127.0.0.1 -p {port}" \
    --server "memcached=memcached -u $(id -un) -t 1 -m 256 -s {socket}" "$@"
command -v redis-server >/dev/null && set -- \
    --server 'redis=redis-server --port {port} --unixsocket {socket} --save "" --appendonly no' "$@"
[ -x "$shoal" ] && [ -n "${EPOLL:-}" ] && set -- \
    --server "epoll=$shoal --port {port} --unixsocket {socket} --shards 1 --save \"\" --io-engine epoll" "$@"
[ -x "$shoal" ] && set -- \
    --server "shoal=$shoal --port {port} --unixsocket {socket} --shards 1 --save \"\"" "$@"

tests=set,get
if [ -n "${FLOOR:-}" ]; then
    make -s micro
    tests=get
    for floor in floor floor_epoll; do
        set -- "$@" --server "$floor=build/release/micro/$floor {port}" --server "$floor=build/release/micro/$floor {socket}"
    done
fi

"$bench" compare --port "${PORT:-21450}" \
    --runs "${RUNS:-5}" --seconds "${SECONDS_EACH:-0.6}" --warmup 0.1 \
    -c "${CLIENTS:-50}" -d "${VALUE:-32}" -r "${KEYS:-1000000}" -t "$tests" --pipelines 1,10,50 --transports unix,tcp \
    --server-cpus "${SERVER_CPU:-0}" --client-cpus "${CLIENT_CPU:-$last}" \
    --report build/bench-report.html --svg build/bench-report.svg --json build/bench-report.json "$@" >build/bench-report.txt || code=$?
cat build/bench-report.txt
echo "wrote build/bench-report.html, build/bench-report.svg, build/bench-report.json and build/bench-report.txt"
exit "$code"
