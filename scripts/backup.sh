#!/usr/bin/env bash
# One backup: database, media or the bucket's inventory, settings without secrets; each part encrypted on its way to disk.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat >&2 <<'USAGE'
usage: scripts/backup.sh FOLDER (--key KEY | --unencrypted) [--keep DAYS] [--no-media]
       --key KEY       public key: age1…, ssh-…, or what gpg calls a recipient; also BACKUP_KEY
       --unencrypted   write it readable; whoever has it has your customers' data
       --keep DAYS     afterwards delete backups in FOLDER that are older; the newest stays (default: keep all)
       --no-media      leave out the media folder
environment: MANAGE (.venv/bin/python manage.py), PG_DUMP (pg_dump), MEDIA_TAR (tar of the media folder to stdout)
USAGE
    exit 2
}
die() {
    printf 'backup: %s\n' "$*" >&2
    exit 1
}

folder='' key=${BACKUP_KEY:-} plain='' keep='' media=yes
while [ $# -gt 0 ]; do
    case $1 in
    --key) [ $# -ge 2 ] || usage; key=$2; shift ;;
    --keep) [ $# -ge 2 ] || usage; keep=$2; shift ;;
    --unencrypted) plain=yes ;;
    --no-media) media='' ;;
    -*) usage ;;
    *) [ -z "$folder" ] || usage; folder=$1 ;;
    esac
    shift
done
[ -n "$folder" ] || usage
case $keep in *[!0-9]*) die "--keep wants a number of days, not $keep" ;; esac
[ -z "$plain" ] || [ -z "$key" ] || die "--unencrypted and a key exclude each other"
[ -n "$plain$key" ] || die "name a public key with --key or BACKUP_KEY, or say --unencrypted"

case $plain$key in
yes) ending='' ;;
age1* | ssh-*)
    command -v age >/dev/null || die "the key is one of age, and age is not installed"
    ending=.age
    ;;
*)
    command -v gpg >/dev/null || die "the key is one of gpg, and gpg is not installed"
    gpg --batch --list-keys -- "$key" >/dev/null 2>&1 || die "gpg knows no public key $key: gpg --import it"
    ending=.gpg
    ;;
esac
encrypt() {
    case $ending in
    '') cat ;;
    .age) age --encrypt --recipient "$key" ;;
    .gpg) gpg --batch --trust-model always --encrypt --recipient "$key" --output - ;;
    esac
}

read -ra manage <<<"${MANAGE:-.venv/bin/python manage.py}"
read -ra dump <<<"${PG_DUMP:-pg_dump}"
variables=$("${manage[@]}" backup_part environment) || die "the settings cannot be read"
set -a
eval "$variables"
set +a

if [ -n "${MEDIA_TAR:-}" ]; then
    read -ra media_tar <<<"$MEDIA_TAR"
elif [ -n "$MEDIA_FOLDER" ] && [ -n "$media" ]; then
    # With a MANAGE of another machine or container this folder is none of theirs.
    [ -d "$MEDIA_FOLDER" ] || [ -z "${MANAGE:-}" ] || die "there is no $MEDIA_FOLDER here: name MEDIA_TAR, or say --no-media"
    mkdir -p "$MEDIA_FOLDER"
    media_tar=(tar -C "$MEDIA_FOLDER" -cf - .)
fi

umask 077
mkdir -p "$folder"
name=genvid-$(date -u +%Y%m%dT%H%M%SZ)
[ ! -e "$folder/$name" ] || die "$folder/$name exists already"
work=$(mktemp -d "$folder/.unfinished-XXXXXX")
trap 'rm -rf "$work"' EXIT

# The database first: a file that its rows name is then in the later copy, unless it was deleted in between.
"${dump[@]}" --format=custom --no-owner --no-privileges | encrypt >"$work/database.dump$ending"
if [ -z "$MEDIA_FOLDER" ]; then
    "${manage[@]}" backup_part inventory | encrypt >"$work/inventory.csv$ending"
elif [ -n "$media" ]; then
    # 1: a file changed or went while it was read, as those do that are stored and deleted meanwhile. Who never came to
    # read the files may say 1 as well, so what was read has to be a whole tar, with the zeros of its end.
    mkfifo "$work/.list" "$work/.end"
    tar -tf "$work/.list" >/dev/null &
    list=$!
    (tail -c 1024 "$work/.end" | cmp -s - <(head -c 1024 /dev/zero)) &
    end=$!
    { "${media_tar[@]}" || [ $? -eq 1 ]; } | tee "$work/.list" "$work/.end" | encrypt >"$work/media.tar$ending"
    wait "$list" && wait "$end" || die "the copy of the media is not whole: ${media_tar[*]}"
    rm "$work/.list" "$work/.end"
fi
"${manage[@]}" backup_part settings | encrypt >"$work/settings.env$ending"
(cd "$work" && sha256sum -- * >SHA256SUMS)
sync -f "$work"
mv -T "$work" "$folder/$name"
trap - EXIT
printf 'backup: %s (%s)\n' "$folder/$name" "$(du -sh "$folder/$name" | cut -f1)"

if [ -n "$keep" ]; then
    # .unfinished: of one that was killed.
    find "$folder" -maxdepth 1 -type d \( -name 'genvid-*Z' -o -name '.unfinished-*' \) ! -name "$name" \
        -mtime "+$keep" -exec rm -rf {} +
fi
