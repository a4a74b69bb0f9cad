#!/bin/sh
# The database of this installation: the one that DATABASE_URL names, or the SQLite file of `make run`.
set -eu
cd "$(dirname "$0")/.."

case "${1:-}" in
setup | reset) ;;
*)
    cat >&2 <<'USAGE'
usage: scripts/db.sh setup           create it if it is missing, migrate it, and say what was applied
       scripts/db.sh reset [--yes]   drop it and set it up anew; asks, unless --yes is given
USAGE
    exit 2
    ;;
esac

scripts/setup.sh
.venv/bin/python scripts/installation.py
exec .venv/bin/python manage.py database "$@"
