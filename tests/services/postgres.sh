#!/usr/bin/env bash
# Runs a PostgreSQL for tests, until its standard input ends.
#
#   tests/services/postgres.sh [FOLDER [PORT]]
#
# Once it accepts connections, it prints one line: the URL of its database "postgres", and its
# process id. Without a port it takes a free one; without a folder it keeps its data in one that goes
# with it. Started again with the same folder, it has what it had.
set -euo pipefail

readonly ATTEMPTS=20

programs() {
  if [ -n "${POSTGRES_BIN:-}" ]; then
    echo "$POSTGRES_BIN"
  else
    find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1
  fi
}
bin=$(programs)
readonly bin

# PostgreSQL does not run as root. What stands here is put before a command, not called around it: in
# the background it is then PostgreSQL that has the process id, and hears the signals.
as_user=()
if [ "$(id -u)" -eq 0 ]; then
  as_user=(setpriv --reuid postgres --regid postgres --clear-groups --)
fi
readonly as_user

server=
made=
folder=${1:-}
stop() {
  if [ -n "$server" ]; then
    # One that was stopped hears nothing else.
    kill -QUIT "$server" 2>/dev/null || true
    kill -CONT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  [ -z "$made" ] || rm -rf "$made"
}
trap stop EXIT

if [ -z "$folder" ]; then
  made=$(mktemp -d)
  folder=$made
fi
mkdir -p "$folder"
[ "$(id -u)" -ne 0 ] || chown postgres: "$folder"
cd "$folder"

if [ ! -e "$folder/data/PG_VERSION" ]; then
  "${as_user[@]}" "$bin/initdb" --pgdata "$folder/data" --username postgres --auth trust \
    --encoding UTF8 --locale C --no-sync >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; exit 1; }
fi

start() {
  local port=$1
  : >"$folder/log"
  "${as_user[@]}" "$bin/postgres" -D "$folder/data" -c port="$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories='' -c max_connections=200 -c logging_collector=off \
    >>"$folder/log" 2>&1 &
  server=$!
  until grep -qs 'database system is ready to accept connections' "$folder/log"; do
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.02
  done
}

for ((attempt = 1; ; attempt++)); do
  port=${2:-$((32000 + RANDOM % 12000))}
  start "$port" && break
  if [ "$attempt" -ge "$ATTEMPTS" ]; then
    cat "$folder/log" >&2
    exit 1
  fi
done
echo "postgres://postgres@127.0.0.1:$port/postgres $server"
while read -r _; do :; done
