#!/bin/sh
# Makes .venv from requirements-dev.lock, and does nothing when it is there already.
# PYTHON names another interpreter: PYTHON=/opt/python3.11/bin/python3 make run
set -eu
cd "$(dirname "$0")/.."

lock=requirements-dev.lock
venv=.venv
unfinished=$venv/.unfinished
stamp=$venv/.stamp

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

is_python_311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-python3.11 python3 python}; do
        if is_python_311 "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die "Python 3.11 is needed and ${PYTHON:-python3.11} is not one. Install it, or name it: PYTHON=/path/to/python3.11"
}

# Console scripts carry the folder's path, so a moved copy counts as another one.
fingerprint() { printf '%s %s\n' "$(git hash-object "$lock")" "$PWD"; }

make_venv() {
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    rm -rf "$venv"
    mkdir "$venv"
    : >"$unfinished"
    "$python" -m venv "$venv" || die "'$python -m venv' failed. On Debian and Ubuntu: apt-get install python3.11-venv"
}

install_with_uv() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || return 1
    "$venv/bin/uv" pip sync --quiet --python "$venv/bin/python" --require-hashes "$lock"
}

install_with_pip() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
}

if [ -f "$stamp" ] && [ ! -f "$unfinished" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ] && [ -x "$venv/bin/python" ]; then
    exit 0
fi
if [ -f "$unfinished" ] || ! is_python_311 "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    make_venv
fi

: >"$unfinished"
say "installing $lock (once; a minute without a download cache)"
if ! install_with_uv; then
    say "uv did not do it, going on with pip"
    install_with_pip || die "the packages could not be installed; the lines above say why"
fi
fingerprint >"$stamp"
rm -f "$unfinished"
say "done"
