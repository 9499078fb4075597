#!/bin/sh
# memory.sh - bytes a key, everything included: what the resident size of shoal, redis-server and
# memcached grows by for each key they are given.
#
#   bench/peers/memory.sh [keys]            1000000 when not said; ports from $PORT (22380) on
#
# Keys of 16 and values of 32 bytes, then 30 and 200, each without and with a TTL. Servers that are
# not installed are left out. A generation of keys goes in by one connection that does not wait.
set -u
keys=${1:-1000000}
port=${PORT:-22380}
here=$(dirname "$0")/../..
shoal=${SHOAL:-$here/build/shoal}
pid=
trap 'test -n "$pid" && kill $pid 2>/dev/null' EXIT INT TERM

command -v python3 >/dev/null || { echo "memory.sh needs python3"; exit 77; }

resident() { # of a process, in bytes
    awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$1/status"
}

fill() { # protocol, key size, value size, TTL in seconds
    python3 - "$port" "$keys" "$@" <<'PYTHON'
import socket, sys, threading

port, keys = int(sys.argv[1]), int(sys.argv[2])
protocol, key_size, value_size, ttl = sys.argv[3], *map(int, sys.argv[4:7])
value = b"v" * value_size
connection = socket.create_connection(("127.0.0.1", port))

def resp(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

def request(i):
    key = b"k%0*d" % (key_size - 1, i)
    if protocol == "memcache":
        return b"set %s 0 %d %d\r\n%s\r\n" % (key, ttl, value_size, value)
    return resp([b"SET", key, value] + ([b"EX", b"%d" % ttl] if ttl else []))

answered = 0
good = b"STORED\r\n" if protocol == "memcache" else b"+OK\r\n"

def read():
    global answered
    while answered < keys * len(good):
        data = connection.recv(1 << 20)
        if not data or b"-" in data[:1] or b"ERROR" in data:
            sys.exit("refused: %r" % data[:100])
        answered += len(data)

reader = threading.Thread(target=read)
reader.start()
for first in range(0, keys, 1000):
    connection.sendall(b"".join(request(i) for i in range(first, min(first + 1000, keys))))
reader.join()
PYTHON
}

measure() { # name, protocol, command with PORT in the place of its port
    name=$1 protocol=$2 command=$3
    command -v "${command%% *}" >/dev/null 2>&1 || { echo "  $name: not installed"; return; }
    printf '  %-16s' "$name"
    for shape in "16 32 0" "16 32 1000000" "30 200 0" "30 200 1000000"; do
        port=$((port + 1))
        $(echo "$command" | sed "s/PORT/$port/") >/dev/null 2>&1 &
        pid=$!
        sleep 1 # until it listens
        before=$(resident $pid)
        fill "$protocol" $shape || return 1
        sleep 3 # freed pages go back
        after=$(resident $pid)
        kill $pid
        wait $pid 2>/dev/null
        pid=
        printf '%10.1f' "$(echo "($after - $before) / $keys" | bc -l)"
    done
    echo
}

printf '%s keys, bytes of resident memory a key (payload 48 and 230)\n' "$keys"
printf '  %-16s%10s%10s%10s%10s\n' "" 16/32 "with TTL" 30/200 "with TTL"
measure shoal resp "$shoal --port PORT --shards 1 --maxmemory 0"
measure "shoal, 4" resp "$shoal --port PORT --shards 4 --maxmemory 0"
measure redis-server resp "redis-server --port PORT --save  --daemonize no"
measure "$(memcached -V 2>/dev/null || echo memcached)" memcache "memcached -u nobody -p PORT -m 4096"
