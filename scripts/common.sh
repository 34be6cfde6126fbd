# shellcheck shell=bash
# What scripts/run, scripts/test and scripts/packages share; they read it, nobody runs it.
# All that these functions print goes to standard error: standard output is the program's.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export PATH="$PATH:/usr/sbin:/sbin" PIP_DISABLE_PIP_VERSION_CHECK=1

fail() {
    echo "$0: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo "$@"
    else
        fail "needs root or sudo for: $*"
    fi
}

# install_packages PACKAGE...: from Debian, without questions
install_packages() {
    command -v apt-get > /dev/null || fail "this is not Debian; please install what these Debian packages hold: $*"
    echo "installing from Debian: $*" >&2
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" < /dev/null > /dev/null ||
        fail "apt-get could not install: $*"
}

# find_python: sets $python to a Python that is new enough and can make virtual environments
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            return
        fi
    done
    python=
    return 1
}

# need_compiler: pylibfdt, which the tests need, comes as source
need_compiler() {
    if ! command -v cc > /dev/null; then
        install_packages gcc libc6-dev
    fi
    if ! .venv/bin/python -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'; then
        install_packages python3-dev
    fi
}

# make_venv [EXTRA]: .venv with baseboard and what the extra asks for; does nothing when it is up to date
make_venv() {
    local extra=${1:-} stamp wanted
    stamp=.venv/baseboard${extra:+-$extra}.stamp
    wanted=$(sha256sum pyproject.toml)
    if [ -x .venv/bin/baseboard ] && .venv/bin/python -c '' 2> /dev/null && [ "$(cat "$stamp" 2> /dev/null)" = "$wanted" ]; then
        return
    fi
    if ! .venv/bin/python -c 'import pip' 2> /dev/null; then
        find_python || install_packages python3 python3-venv
        find_python || fail "no Python >= 3.11 with the modules venv and ensurepip (Debian: python3-venv)"
        rm -rf .venv
        "$python" -m venv .venv >&2 || fail "$python cannot make .venv"
    fi
    [ "$extra" != test ] || need_compiler
    echo "installing baseboard and its Python packages into .venv" >&2
    .venv/bin/python -m pip install --quiet --editable ".${extra:+[$extra]}" >&2 || fail "pip could not install baseboard"
    echo "$wanted" > "$stamp"
}
