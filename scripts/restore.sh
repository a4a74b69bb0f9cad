#!/usr/bin/env bash
# Restores a backup of scripts/backup.sh into the installation of the settings, whose database must be empty.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat >&2 <<'USAGE'
usage: scripts/restore.sh BACKUP [--identity FILE] [--no-media] [--no-check]
       --identity FILE  age's secret key; also BACKUP_IDENTITY. gpg asks its own keyring
       --no-media       the database alone
       --no-check       do not migrate it and run `manage.py restore_check --offline` afterwards
environment: MANAGE (.venv/bin/python manage.py), PG_RESTORE (pg_restore), PSQL (psql), MEDIA_UNTAR (reads a tar)
USAGE
    exit 2
}
die() {
    printf 'restore: %s. Nothing was changed.\n' "$*" >&2
    exit 1
}

backup='' identity=${BACKUP_IDENTITY:-} media=yes check=yes
while [ $# -gt 0 ]; do
    case $1 in
    --identity) [ $# -ge 2 ] || usage; identity=$2; shift ;;
    --no-media) media='' ;;
    --no-check) check='' ;;
    -*) usage ;;
    *) [ -z "$backup" ] || usage; backup=$1 ;;
    esac
    shift
done
[ -n "$backup" ] || usage
[ -f "$backup/SHA256SUMS" ] || die "$backup is no backup: it has no SHA256SUMS"
(cd "$backup" && sha256sum --quiet --check SHA256SUMS >&2) || die "$backup is damaged"

part() {
    local file
    for file in "$backup/$1" "$backup/$1.age" "$backup/$1.gpg"; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done
}
decrypted() {
    case $1 in
    *.age) age --decrypt --identity "$identity" "$1" ;;
    *.gpg) gpg --batch --quiet --decrypt "$1" ;;
    *) cat "$1" ;;
    esac
}
dump=$(part database.dump) tar=$(part media.tar)
[ -n "$dump" ] || die "$backup has no database.dump"
case $dump in *.age) [ -n "$identity" ] || die "name age's secret key with --identity" ;; esac
# Reading all of it once costs time, and finds a wrong key before anything has been written.
decrypted "$dump" >/dev/null || die "$dump cannot be decrypted"

read -ra manage <<<"${MANAGE:-.venv/bin/python manage.py}"
read -ra restore <<<"${PG_RESTORE:-pg_restore}"
read -ra psql <<<"${PSQL:-psql}"
variables=$("${manage[@]}" backup_part environment) || die "the settings cannot be read"
set -a
eval "$variables"
set +a

tables="SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
count=$("${psql[@]}" -X -A -t -c "$tables") || die "the database does not answer"
[ "$count" = 0 ] || die "the database ${PGDATABASE:-} has $count tables; restore into an empty one"
if [ -n "$media" ] && [ -n "$tar" ] && [ -z "${MEDIA_UNTAR:-}" ]; then
    [ -n "$MEDIA_FOLDER" ] || die "the backup has media and the settings name a bucket: say --no-media"
    [ -d "$MEDIA_FOLDER" ] || [ -z "${MANAGE:-}" ] || die "there is no $MEDIA_FOLDER here: name MEDIA_UNTAR, or say --no-media"
    [ -z "$(ls -A "$MEDIA_FOLDER" 2>/dev/null)" ] || die "$MEDIA_FOLDER is not empty: move it away, or say --no-media"
fi

decrypted "$dump" | "${restore[@]}" --exit-on-error --single-transaction --no-owner --no-privileges \
    ${PGDATABASE:+--dbname="$PGDATABASE"}
printf 'restore: the database is back\n'
if [ -n "$media" ] && [ -n "$tar" ]; then
    if [ -n "${MEDIA_UNTAR:-}" ]; then
        read -ra untar <<<"$MEDIA_UNTAR"
        decrypted "$tar" | "${untar[@]}"
    else
        mkdir -p "$MEDIA_FOLDER"
        decrypted "$tar" | tar -C "$MEDIA_FOLDER" -xf -
    fi
    printf 'restore: the media are back\n'
fi
if [ -n "$check" ]; then
    "${manage[@]}" migrate --verbosity 0
    "${manage[@]}" restore_check --offline
fi
