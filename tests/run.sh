#!/usr/bin/env bash
# Runs the tests: formatting, lints, Rust specs, and the contract as stock clients see it.
#
#   tests/run.sh           everything
#   tests/run.sh rust      formatting, lints and Rust specs
#   tests/run.sh clients   every scenario with every published client, order under load, event
#                          streams, catching up, every command of the README and the guide, and the
#                          pages of the tour and of the demo in Chromium
#   tests/run.sh faults    the protocols to the letter, clients that drop, stop reading or send
#                          garbage, drains, churn (SOAK_SECONDS, 20 by default), and kill -9 while
#                          50 clients send
#   tests/run.sh cluster   several nodes with a real Redis and PostgreSQL: every scenario with its actors
#                          spread over two, both under load, and all that can go wrong with three
#   tests/run.sh --chaos MINUTES   what can go wrong, drawn at random for so long; not part of
#                          everything. CHAOS_SEED repeats a run
#   tests/run.sh fuzz      random bytes for each parser, for FUZZ_SECONDS (60 by default); not part
#                          of everything
#
# It needs cargo (with rustfmt and clippy), a C compiler, Node 20.19 or newer with npm, Redis, PostgreSQL,
# Python 3.10 or newer with venv, Chromium, curl, openssl and nginx. The last seven it installs where
# it is root on Debian; otherwise it says what is missing. What else it installs goes under target/ and
# tests/clients/node_modules. The last line says how many tests passed and failed.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
readonly TARGET="${CARGO_TARGET_DIR:-$PWD/target}"
readonly WORK="$TARGET/client-tests"
readonly VENV="$WORK/venv"
readonly CLIENTS="$PWD/tests/clients"
readonly DEMO="$PWD/client-demo"
[[ ${2:-} =~ ^[0-9]+$ ]] && readonly CHAOS_MINUTES=$2 || readonly CHAOS_MINUTES=0
readonly LIMIT_S=$((900 + CHAOS_MINUTES * 60))
export PYTHONDONTWRITEBYTECODE=1
export CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"
export NGINX="${NGINX:-/usr/sbin/nginx}"

passed=0
failed=0

headline() { printf '\n== %s\n' "$*"; }

finish() {
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
  exit
}

# Runs a command as one test.
check() {
  local name=$1
  shift
  headline "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    return 1
  fi
}

# Adds the counts of a run; one that failed without a failed test counts as one failure.
tally() {
  local status=$1 more_passed=$2 more_failed=$3
  if [ "$status" -ne 0 ] && [ "$more_failed" -eq 0 ]; then
    more_failed=1
  fi
  passed=$((passed + more_passed))
  failed=$((failed + more_failed))
}

sum() { awk -v "names=$2" '$1 == "#" && names ~ " " $2 " " { n += $3 } END { print n + 0 }' "$1"; }

# Runs a command that writes TAP into a file, and adds its counts.
tap() {
  local name=$1 file="$WORK/$2.tap" status
  shift 2
  headline "$name"
  : >"$file"
  "$@"
  status=$?
  [ "$status" -eq 124 ] && echo "$name did not end within $LIMIT_S s"
  tally "$status" "$(sum "$file" ' pass ')" "$(sum "$file" ' fail cancelled ')"
}

node_tests() {
  local name=$1 script=$2
  tap "$name" "$script" timeout "$LIMIT_S" node \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$WORK/$script.tap" \
    "$CLIENTS/$script.mjs"
}

python_tests() {
  timeout "$LIMIT_S" "$VENV/bin/python" -u "$CLIENTS/python/matrix.py" | tee "$WORK/python.tap"
}

missing=()
need() {
  local what=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$what")
}

has_venv() { python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))'; }

has_postgres() { compgen -G "${POSTGRES_BIN:-/usr/lib/postgresql/*/bin}/postgres"; }

has_chromium() { [ -x "$CHROMIUM" ]; }

# Needs what a Debian package has; where we may, we install it.
ensure() {
  local what=$1 package=$2
  shift 2
  if ! "$@" >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    headline "installing $package"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package"
  fi
  need "$what (Debian: apt-get install $package)" "$@"
}

# What the demo's build runs on.
is_node() {
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'
}

check_tools() {
  need "cargo (https://rustup.rs)" cargo --version
  need "a C compiler, cc (Debian: apt-get install build-essential)" cc --version
  if [ "$1" = all ] || [ "$1" = rust ]; then
    need "rustfmt (rustup component add rustfmt)" cargo fmt --version
    need "clippy (rustup component add clippy)" cargo clippy --version
  fi
  if [ "$1" != rust ] && [ "$1" != fuzz ]; then
    need "node, version 20.19 or newer (https://nodejs.org)" is_node
    need "npm" npm --version
  fi
  if [ "$1" != fuzz ]; then
    ensure "redis-server" redis-server redis-server --version
    ensure "PostgreSQL" postgresql has_postgres
  fi
  if [ "$1" = all ] || [ "$1" = clients ]; then
    ensure "Chromium at $CHROMIUM, or at the path in CHROMIUM" chromium has_chromium
    ensure "curl" curl curl --version
  fi
  if [ "$1" = all ] || [ "$1" = clients ] || [ "$1" = cluster ]; then
    ensure "openssl" openssl openssl version
    ensure "python3, version 3.10 or newer, with venv" python3-venv has_venv
    ensure "nginx at $NGINX" nginx-light test -x "$NGINX"
  fi
  [ "${#missing[@]}" -eq 0 ] && return
  echo "Missing, to run the tests:" >&2
  printf '  - %s\n' "${missing[@]}" >&2
  failed=1
  finish
}

lints() { check "lints" cargo clippy --locked --all-targets -- -D warnings; }

# As `cargo run` and `cargo bench` have them built: the README's commands find them there.
server_and_benchmarks() {
  check "the server alone builds" cargo build --locked
  check "the benchmarks build" cargo bench --locked --profile dev --no-run
}

# Runs steps beside the others, most of which wait most of their time, and keeps what they say and
# count. What only takes computing time gives way.
beside=()
begin_beside() {
  local name=$1 nice=$2
  shift 2
  set -m
  (
    trap - EXIT
    renice -n "$nice" "$BASHPID" >/dev/null
    passed=0
    failed=0
    for step in "$@"; do "$step"; done
    echo "$passed $failed" >"$WORK/$name.counts"
  ) >"$WORK/$name.log" 2>&1 &
  beside+=("$!")
  set +m
  trap 'for one in "${beside[@]}"; do kill -- "-$one" 2>/dev/null; done' EXIT
}

# Waits for what was run beside; says what it said and adds its counts.
end_beside() {
  local name
  wait "${beside[@]}"
  for name in "$@"; do
    cat "$WORK/$name.log"
    # shellcheck disable=SC2046
    tally 0 $(cat "$WORK/$name.counts" || echo 0 1)
  done
}

rust_specs() {
  check "formatting" cargo fmt --check
  headline "Rust specs"
  local log="$WORK/cargo-test.log" status
  cargo test --locked --no-fail-fast 2>&1 | tee "$log"
  status=$?
  local results='/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }'
  # shellcheck disable=SC2046
  tally "$status" $(awk "$results" "$log")
}

# What is built while it is tested does not touch this server.
build() {
  check "the servers build" cargo build --locked --bins --example protocol_suite --example beside_node || finish
  install -D "$TARGET/debug/roomcast" "$WORK/bin/roomcast"
  export ROOMCAST_BIN="$WORK/bin/roomcast"
}

no_registry_in_lockfiles() {
  ! grep -Eq '"resolved": "[a-z+]+:' "$CLIENTS/package-lock.json" "$DEMO/package-lock.json"
}

install_node_clients() {
  check "the Node clients install" \
    npm ci --prefix "$CLIENTS" --ignore-scripts --no-audit --no-fund --loglevel=error || finish
}

prepare() {
  build
  install_node_clients
}

install_python_client() {
  local wanted="$CLIENTS/requirements.txt" have="$VENV/requirements.txt"
  cmp -s "$wanted" "$have" && return
  rm -rf "$VENV"
  python3 -m venv "$VENV" &&
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" &&
    cp "$wanted" "$have"
}

client_scenarios() {
  check "the lockfiles name no registry" no_registry_in_lockfiles
  node_tests "scenarios with published JavaScript clients" matrix
  if check "the Python client installs" install_python_client; then
    tap "scenarios with python-socketio" python python_tests
  fi
  node_tests "order under load" order
  node_tests "event streams" streams
  node_tests "who may read event streams" streams_access
  node_tests "catching up" sync
  node_tests "what retention takes" retention
  node_tests "what is told later" told_later
  node_tests "examples for browsers" examples_browser
  node_tests "examples with curl" examples_curl
  node_tests "what the doctor says of a Node server and Roomcast" doctor
}

documents() {
  node_tests "what the README and the guide say" readme
  node_tests "what their snippets do" readme_snippets
  node_tests "where they lead, and what they name" guide
  node_tests "the page of the tour in Chromium" browser
  node_tests "the page of the Admin UI in Chromium" admin_page
  node_tests "the demo in Chromium: its shell" demo_shell
}

demo_pages() {
  local suite
  check "the demo installs" npm ci --prefix "$DEMO" --ignore-scripts --no-audit --no-fund --loglevel=error &&
    check "the demo's types fit" npm run --prefix "$DEMO" --silent check
  for suite in "$CLIENTS"/demo_*.mjs; do
    suite=$(basename "$suite" .mjs)
    case "$suite" in demo_app | demo_shell) continue ;; esac
    node_tests "the demo in Chromium: ${suite#demo_}" "$suite"
  done
}

faults() {
  node_tests "Engine.IO v4 and Socket.IO v5 to the letter" protocol
  node_tests "clients that drop and return" recovery
  node_tests "clients that cannot have their session back" recovery_refused
  node_tests "clients that read slowly or not at all" slow
  node_tests "shutdowns under load" drain
  node_tests "events in the first moment" first_events
  node_tests "garbage at every stage" garbage
  node_tests "backends that answer events, are slow, dead or talk nonsense" forward
  node_tests "what backends are told and asked" webhooks
  node_tests "event streams that break" streams_faults
  node_tests "churn leaves nothing behind" soak
  node_tests "kill -9 at random points" kill
}

cluster() {
  node_tests "the checker of what goes wrong" chaos_checker.test
  node_tests "scenarios with their actors on two nodes" matrix_cluster
  node_tests "what holds over two nodes" cluster_basics
  node_tests "limits on connections over two nodes" cluster_limits
  node_tests "a node without Redis" cluster_alone
  node_tests "how nodes start" cluster_start
  node_tests "what backends are told by two nodes" webhooks_cluster
  node_tests "what workers publish" bridge
  node_tests "what workers publish by rules, and what does not fit" bridge_relay
  node_tests "what workers publish while nodes and Redis fail" bridge_faults
  check "the Python client and emitter install" install_python_client &&
    node_tests "what emitters of Node's ecosystem publish" emitter
  node_tests "one cluster with a server of Node's" mixed
  node_tests "one cluster with it on a Redis Cluster" mixed_redis_cluster
  node_tests "such a cluster whose members go, and hear nonsense" mixed_faults
  node_tests "the Admin UI's namespace" admin
  node_tests "the Admin UI's namespace on two nodes" admin_nodes
  node_tests "examples of drivers and workers" examples_backends
  node_tests "two nodes behind nginx" proxied_cluster
  node_tests "what containers are made of" packaging
  node_tests "Redis behind Sentinels, as a Cluster and over TLS" redis_modes
  node_tests "two nodes under load" cluster_load
  node_tests "three nodes and all that goes wrong" chaos
}

chaos() {
  export CHAOS_MINUTES
  node_tests "three nodes and what goes wrong, for $CHAOS_MINUTES minutes" chaos
}

# The fuzzer's flags are the compiler's unstable ones.
fuzz() {
  local tools="$TARGET/fuzz-tools" target
  check "the fuzzer installs" cargo install cargo-fuzz --locked --quiet --root "$tools" || finish
  for target in frames payloads packets offsets; do
    check "fuzzing $target" env RUSTC_BOOTSTRAP=1 PATH="$tools/bin:$PATH" \
      cargo fuzz run --target-dir "$TARGET/fuzz" "$target" -- \
      -max_total_time="${FUZZ_SECONDS:-60}" -print_final_stats=1
  done
}

usage() {
  echo "usage: tests/run.sh [all|rust|clients|faults|cluster|fuzz] | --chaos MINUTES" >&2
  exit 2
}

main() {
  local what=${1:-all}
  case "$what" in
    all | rust | clients | faults | cluster | fuzz) [ "$#" -le 1 ] || usage ;;
    --chaos) [ "$CHAOS_MINUTES" -gt 0 ] || usage ;;
    *) usage ;;
  esac
  mkdir -p "$WORK"
  check_tools "$what"
  case "$what" in
    rust)
      rust_specs
      lints
      ;;
    fuzz) fuzz ;;
    faults | cluster)
      prepare
      "$what"
      ;;
    --chaos)
      prepare
      chaos
      ;;
    clients)
      prepare
      begin_beside demo 0 demo_pages
      client_scenarios
      end_beside demo
      documents
      ;;
    all)
      rust_specs
      prepare
      begin_beside compile 19 lints server_and_benchmarks
      begin_beside cluster 0 cluster demo_pages
      client_scenarios
      faults
      end_beside compile cluster
      documents
      ;;
  esac
  finish
}

main "$@"
