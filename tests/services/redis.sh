#!/usr/bin/env bash
# Runs a Redis for tests, until its standard input ends.
#
#   tests/services/redis.sh [PORT]
#
# Once it accepts connections, it prints one line: its URL and its process id. Without a port it
# takes a free one. It keeps nothing: started again, it is empty. REDIS_CONFIG are lines of a
# configuration, in which PORT stands for its port; with one that monitors others it is a Sentinel.
set -euo pipefail

readonly PROGRAM="${REDIS_SERVER:-redis-server}"
readonly ATTEMPTS=20
readonly config="${REDIS_CONFIG:-}"

server=
folder=$(mktemp -d)
as_sentinel=()
[[ $config != *'sentinel monitor '* ]] || as_sentinel=(--sentinel)
readonly as_sentinel
stop() {
  if [ -n "$server" ]; then
    kill -9 "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap stop EXIT

start() {
  local port=$1
  cat >"$folder/redis.conf" <<END
port $port
bind 127.0.0.1
save ""
appendonly no
dir $folder
logfile $folder/log
${config//PORT/$port}
END
  "$PROGRAM" "$folder/redis.conf" "${as_sentinel[@]}" >"$folder/out" 2>&1 &
  server=$!
  # It says so in its log when it accepts, and ends when the port is taken.
  until grep -qs -e 'Ready to accept connections' -e 'Sentinel ID is' "$folder/log"; do
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.02
  done
}

for ((attempt = 1; ; attempt++)); do
  port=${1:-$((20000 + RANDOM % 12000))}
  start "$port" && break
  if [ "$attempt" -ge "$ATTEMPTS" ]; then
    cat "$folder/log" "$folder/out" >&2
    exit 1
  fi
  rm -f "$folder/log"
done
echo "redis://127.0.0.1:$port $server"
while read -r _; do :; done
