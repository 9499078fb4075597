#!/bin/sh
# Brings the Redis 7.0.15 test suite (BSD-3, Debian's source package) into build/cache and prints
# the folder it is in. Uses the machine's own mirrors through a private sources list: the
# system's apt configuration and lists are not touched, and root is not needed.
set -eu
cd "$(dirname "$0")/../.."

version=7.0.15
cache=${SHOAL_CACHE:-$PWD/build/cache}
suite=$cache/redis-$version
if [ -f "$suite/complete" ]; then
    echo "$suite"
    exit 0
fi

apt=$cache/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/empty"
. /etc/os-release

# One deb-src line for each of this release's archives, from either format of sources file.
sources() {
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] && sed -nE 's/^deb(-src)?[[:space:]]+/deb-src /p' "$file"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] && awk '
            function flush(  u, s, i, j, n, m) {
                if (uris != "" && types ~ /deb/ && enabled !~ /^no/) {
                    n = split(uris, u, " "); m = split(suites, s, " ")
                    for (i = 1; i <= n; i++)
                        for (j = 1; j <= m; j++)
                            print "deb-src " (key ? "[signed-by=" key "] " : "") u[i], s[j], parts
                }
                types = uris = suites = parts = key = enabled = ""
            }
            /^#/ { next }
            /^[[:space:]]*$/ { flush(); next }
            { name = tolower($1); value = $0; sub(/^[^:]*:[[:space:]]*/, "", value) }
            name == "types:" { types = value }
            name == "uris:" { uris = value }
            name == "suites:" { suites = value }
            name == "components:" { parts = value }
            name == "signed-by:" { key = value }
            name == "enabled:" { enabled = tolower(value) }
            END { flush() }' "$file"
    done
}
sources | grep -E "[[:space:]]${VERSION_CODENAME:-bookworm}([-/][a-z]+)?[[:space:]]" |
    grep -w main | sort -u >"$apt/sources.list" || true
if [ ! -s "$apt/sources.list" ]; then
    echo "fetch.sh: no Debian archive is configured in /etc/apt" >&2
    exit 1
fi

private() {
    timeout 300 apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" \
        -o Dir::Etc::sourceparts="$apt/empty" -o Dir::State::lists="$apt/lists" \
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" "$@" >&2
}
rm -f "$apt"/redis_*
(cd "$apt" && private update && private source --download-only redis)

tarball=$apt/redis_$version.orig.tar.gz
if [ ! -f "$tarball" ]; then
    echo "fetch.sh: this release of Debian has another redis than $version:" "$apt"/redis_*.dsc >&2
    exit 1
fi
rm -rf "$suite"
mkdir -p "$suite"
tar -xzf "$tarball" -C "$suite" --strip-components=1 "redis-$version/tests"
rm -rf "$apt"
touch "$suite/complete"
echo "$suite"
