#!/bin/sh
# Installs what is missing for the groups named (default: build).
#
#   scripts/setup.sh [build] [test] [bench] [instructions] [dev]
#
# Debian packages come by apt-get, with sudo when not root; where that is not allowed, the exact
# line to run is printed. SHOAL_NO_INSTALL=1 only ever prints. Nothing missing: well under 0.3 s.
set -eu
cd "$(dirname "$0")/.."

packages() {
    case $1 in
    build) echo gcc libc6-dev make binutils liburing-dev libjemalloc-dev libxxhash-dev ;;
    test)
        echo libcmocka-dev redis-server redis-tools python3 python3-redis libhiredis-dev tcl \
            memcached procps spin zstd chromium ca-certificates valgrind clang libclang-rt-14-dev \
            clang-format universal-ctags git
        ;;
    bench) echo redis-server memcached python3 zstd ;;
    instructions) echo valgrind python3 ;;
    dev) echo clang-format universal-ctags git clang libclang-rt-14-dev ;;
    *)
        echo "setup.sh: no group \"$1\": build, test, bench, instructions, dev" >&2
        exit 2
        ;;
    esac
}

# Any node from 18 on will do, also one that did not come from Debian.
has_node() {
    command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 || return 1
    version=$(node --version)
    version=${version#v}
    [ "${version%%.*}" -ge 18 ]
}

# The packages among its arguments that are not installed.
missing() {
    installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${binary:Package}\n' "$@" 2>/dev/null |
        sed -n 's/^.i *\([^:]*\).*/\1/p')
    for package in "$@"; do
        printf '%s\n' "$installed" | grep -qx -- "$package" || printf '%s ' "$package"
    done
}

root=
# Until this script ends, however it ends, no service starts because its package is installed. A
# file that an earlier run could not remove (SIGKILL, power) is ours too: its second line says so.
policy=/usr/sbin/policy-rc.d
policy_mark='# by scripts/setup.sh of shoal, while it installs packages'
forbid_services() {
    if [ -e $policy ] && ! grep -qxF "$policy_mark" $policy; then
        return
    fi
    trap '$root rm -f $policy' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" | $root tee $policy >/dev/null
    $root chmod 755 $policy
}

allow_services() {
    [ -e $policy ] && grep -qxF "$policy_mark" $policy || return 0
    $root rm -f $policy
    trap - EXIT INT TERM HUP
}

# Debian starts and enables a service when its package is installed; we only want the programs.
# $root is empty or sudo.
install_quietly() {
    status=0
    forbid_services
    apt_get install $1 || { apt_get update && apt_get install $1; } || status=$?
    allow_services
    for service in redis-server memcached; do
        case " $1 " in
        *" $service "*)
            if [ -d /run/systemd/system ]; then
                $root systemctl disable --quiet "$service" >/dev/null 2>&1 || true
            elif command -v update-rc.d >/dev/null; then
                $root update-rc.d "$service" disable >/dev/null 2>&1 || true
            fi
            ;;
        esac
    done
    return $status
}

apt_get() {
    verb=$1
    shift
    [ "$verb" = update ] || set -- --yes --no-install-recommends "$@"
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
        -o Dpkg::Use-Pty=0 "$verb" "$@" </dev/null >/dev/null
}

say_line_and_leave() {
    echo "setup.sh: $1. Install what is missing with:" >&2
    echo "    apt-get install --no-install-recommends $lacking" >&2
    exit 1
}

install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "setup.sh: not a Debian system; these packages' equivalents are needed: $wanted" >&2
        return 0
    fi
    lacking=$(missing $wanted)
    lacking=${lacking% }
    [ -n "$lacking" ] || return 0
    [ -z "${SHOAL_NO_INSTALL:-}" ] || say_line_and_leave "SHOAL_NO_INSTALL is set"
    if [ "$(id -u)" -ne 0 ]; then
        root=sudo
        command -v sudo >/dev/null 2>&1 || say_line_and_leave "not root, and there is no sudo"
        # Without a terminal sudo cannot ask for a password.
        [ -t 0 ] || sudo -n true 2>/dev/null || say_line_and_leave "sudo wants a password"
    fi
    echo "installing: $lacking"
    install_quietly "$lacking" || say_line_and_leave "apt-get failed"
    lacking=$(missing $lacking)
    [ -z "$lacking" ] || say_line_and_leave "apt-get left something out"
}

# ioredis and node-redis, again only when the lock file is another than at the last install.
install_node_modules() {
    dir=tests/e2e/node
    [ -f $dir/package-lock.json ] || return 0
    if cmp -s $dir/package-lock.json $dir/node_modules/.installed-lock; then
        return 0
    fi
    echo "installing: the packages of $dir/package.json"
    if ! (cd $dir && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error \
        --fetch-retries=1); then
        echo "setup.sh: npm could not install $dir/package.json: its tests will fail" >&2
        return 0
    fi
    cp $dir/package-lock.json $dir/node_modules/.installed-lock
}

[ $# -gt 0 ] || set -- build
wanted=
testing=
for group in "$@"; do
    names=$(packages "$group")
    wanted="$wanted $names"
    if [ "$group" = test ]; then
        testing=yes
        has_node || wanted="$wanted nodejs npm"
    fi
done
install_packages
[ -z "$testing" ] || install_node_modules
