#!/bin/sh
# Upgrades production on one machine: builds, migrates, and replaces the processes one after the other, so that no
# request is lost. docs/production.md ("Upgrades") says what the proxy needs.
set -eu
cd "$(dirname "$0")/.."

proxy='' upstreams='' reload='' drain=5 ready=180
webs='web web2'
workers='worker poller speaker caller mailer beat'

usage() {
    cat >&2 <<'USAGE'
usage: scripts/upgrade.sh [--nginx FILE | --caddy FILE] [--reload COMMAND] [--drain SECONDS] [--ready SECONDS]
  --nginx FILE     the file with the upstream's servers, which nginx includes; written anew for each step
  --caddy FILE     the snippet with the upstreams, which the Caddyfile imports
  --reload COMMAND how the proxy reads it (nginx -s reload; systemctl reload caddy)
  --drain SECONDS  how long requests that have reached a process get before it stops (5); it finishes what it has begun
  --ready SECONDS  how long a new process may take until it is ready (180)
USAGE
    exit 2
}

say() { printf 'upgrade: %s\n' "$*"; }
die() {
    printf 'upgrade: %s\n' "$*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || usage
    case "$1" in
    --nginx) proxy=nginx upstreams=$2 reload=${reload:-nginx -s reload} ;;
    --caddy) proxy=caddy upstreams=$2 reload=${reload:-systemctl reload caddy} ;;
    --reload) reload=$2 ;;
    --drain) drain=$2 ;;
    --ready) ready=$2 ;;
    *) usage ;;
    esac
    shift 2
done

# Two at once would each take the other's web out of the proxy.
exec 9<"${UPGRADE_LOCK:-.}"
! command -v flock >/dev/null || flock -n 9 || die "another upgrade is under way"

# A setting as compose reads it: the environment, then .env, then the default of docker-compose.yml.
setting() {
    value=$(printenv "$1") || value=$(sed -n "s/^$1=//p" .env 2>/dev/null | tail -n 1 | tr -d "\"'")
    printf '%s' "${value:-$2}"
}

address_of() {
    host=$(setting WEB_BIND 127.0.0.1)
    [ "$host" = 0.0.0.0 ] && host=127.0.0.1
    case "$1" in
    web) printf '%s:%s' "$host" "$(setting WEB_PORT 8000)" ;;
    web2) printf '%s:%s' "$host" "$(setting WEB2_PORT 8001)" ;;
    esac
}

# The proxy sends requests to these alone from now on.
route_to() {
    [ -n "$proxy" ] || return 0
    {
        [ "$proxy" = nginx ] || printf 'to'
        for each in "$@"; do
            case "$proxy" in
            nginx) printf 'server %s max_fails=0;\n' "$(address_of "$each")" ;;
            caddy) printf ' %s' "$(address_of "$each")" ;;
            esac
        done
        [ "$proxy" = nginx ] || printf '\n'
    } >"$upstreams.new"
    # In place: the file may be mounted into a container, or belong to another user.
    cat "$upstreams.new" >"$upstreams" || die "$upstreams cannot be written; what it should hold is in $upstreams.new"
    rm -f "$upstreams.new"
    # Without the lock: what it starts may live on.
    sh -c "$reload" 9<&- || die "the proxy could not be reloaded: $reload"
}

is_ready() { docker compose exec -T "$1" python scripts/healthcheck.py '/readyz?parts=web' >/dev/null 2>&1; }

wait_until_ready() {
    waited=0
    until is_ready "$1"; do
        [ "$waited" -lt "$ready" ] || die "$1 is not ready after $ready s: docker compose logs $1. The others serve on."
        sleep 1
        waited=$((waited + 1))
    done
}

others_of() {
    for each in $webs; do
        [ "$each" = "$1" ] || printf '%s ' "$each"
    done
}

replace() {
    docker compose up -d --no-deps "$1"
    wait_until_ready "$1"
}

# Of the test keys, where they are on and it runs on this machine: the sandbox has an image of its own.
renderer='docker compose --profile test-keys'
has_renderer=no
! $renderer exec -T test-renderer true >/dev/null 2>&1 || has_renderer=yes

say "building the image"
docker compose build
[ "$has_renderer" = no ] || $renderer build test-renderer
say "migrating; the processes of the release before go on"
docker compose run --rm --no-deps migrate
if [ "$has_renderer" = yes ]; then
    say "replacing test-renderer: the workers of both releases ask it"
    $renderer up -d --no-deps test-renderer
fi
say "replacing $workers: each finishes what it holds"
# shellcheck disable=SC2086 - a list of words
docker compose up -d --no-deps $workers

running=''
for web in $webs; do
    if is_ready "$web"; then
        running="$running $web"
    else
        say "starting $web, which is not running"
        replace "$web"
    fi
done
for web in $running; do
    say "replacing $web"
    # shellcheck disable=SC2046 - a list of words
    route_to $(others_of "$web")
    [ -z "$proxy" ] || sleep "$drain"
    replace "$web"
done
# shellcheck disable=SC2086 - a list of words
route_to $webs
say "replacing stream: clients come again by themselves"
docker compose up -d --no-deps stream
[ -n "$proxy" ] || say "no proxy was named (--nginx, --caddy): a request may have met a process that was stopping"
say "done"
