#!/usr/bin/env bash
# Every HTTP route of Roomcast with curl, a function each. Without arguments it lists them.
#
#   export ROOMCAST_URL=http://localhost:3000 API_KEY=... TOKEN=...
#   examples/curl/roomcast.sh notify '{"userId": "alice", "title": "On its way"}'
#
# Backends send an API key, users their token.
set -euo pipefail

readonly URL=${ROOMCAST_URL:-http://localhost:3000}
# The listener of operators, where there is one (ROOMCAST_OPS__LISTEN).
readonly OPS=${OPS_URL:-$URL}

# Fails where the server refuses, and prints what it says.
anyone() { curl --silent --show-error --fail-with-body "$@"; }
backend() { anyone --header "Authorization: Bearer $API_KEY" "$@"; }
user() { anyone --header "Authorization: Bearer $TOKEN" "$@"; }

## Event streams: first `connected`, then whatever comes, until you end them

# A vendor's orders. The token is that vendor's.
#   stream_orders v1
stream_orders() { user --no-buffer "$URL/api/vendor/$1/notifications/stream"; }

# The notifications of whose token it is. After a break the last id that was seen goes along.
#   stream_notifications
#   stream_notifications "$LAST_EVENT_ID"
stream_notifications() { user --no-buffer --header "Last-Event-ID: ${1:-}" "$URL/events/notifications"; }

# A channel's last value, and those to come.
#   stream_channel queue-length
#   stream_channel dashboard:metrics
stream_channel() { user --no-buffer "$URL/events/stream/$1"; }

## Payments

# Pays; the outcome goes to the socket, as `payment-status`.
#   pay 49.90 "$SOCKET_ID"
pay() {
  user --json "{\"amount\": $1, \"socketId\": \"$2\"}" "$URL/api/payments/make-payment-with-socket"
}

# Says how a payment ended.
#   settle_payment "$PAYMENT_ID" '{"status": "succeeded"}'
settle_payment() { backend --json "$2" "$URL/api/payments/$1/status"; }

## Tracking

# Where a driver is, or a list of where they were while they had no network. A driver may do this, too.
#   report_position driver-7 '{"lat": 52.52, "lng": 13.40, "heading": 90, "speed": 8.3}'
#   report_position driver-7 '[{"lat": 52.53, "lng": 13.41}, {"lat": 52.54, "lng": 13.42}]'
report_position() { backend --json "$2" "$URL/api/driver/$1/location"; }

#   driver_position driver-7
driver_position() { user "$URL/api/driver/$1/location"; }

## Orders, notifications, stock, channels: a repeat under the same key stores nothing

#   post_order '{"id": "o1", "vendorId": "v1", "items": ["tea"]}'
#   post_order '{"id": "o2", "vendorId": "v1", "items": ["jam"]}' --header 'Idempotency-Key: o2'
post_order() { backend --json "$1" "${@:2}" "$URL/api/orders"; }

#   post_vendor_order v1 '{"id": "o3", "items": ["bread"]}'
post_vendor_order() { backend --json "$2" "${@:3}" "$URL/api/vendor/$1/orders"; }

#   list_orders v1
#   list_orders v1 'limit=20'
list_orders() { user "$URL/api/vendor/$1/orders?${2:-}"; }

#   notify '{"userId": "alice", "title": "Your order is on its way"}'
#   notify '{"userId": "bob", "title": "Refunded"}' --header 'Idempotency-Key: refund-7'
notify() { backend --json "$1" "${@:2}" "$URL/api/notifications"; }

#   list_notifications
#   list_notifications 'limit=20'
list_notifications() { user "$URL/api/notifications?${1:-}"; }

#   set_inventory 42 '{"newInventory": 7}'
set_inventory() { backend --request PUT --json "$2" "$URL/api/products/$1/inventory"; }

#   publish queue-length '{"data": {"waiting": 3}}'
#   publish queue-length '{"event": "closed", "data": null}' --header 'Idempotency-Key: closed-monday'
publish() { backend --json "$2" "${@:3}" "$URL/api/channels/$1"; }

#   list_updates queue-length
list_updates() { user "$URL/api/channels/$1?${2:-}"; }

## Any event, to rooms, users and sockets

#   emit '{"event": "maintenance", "args": ["at noon"], "to": {"rooms": ["room:lobby"], "users": ["bob"]}}'
emit() { backend --json "$1" "$URL/api/emit"; }

## Rooms and who is there

# The rooms of whose token it is, and what is unread.
#   list_rooms
list_rooms() { user "$URL/api/rooms"; }

#   add_member lobby bob
add_member() { backend --request PUT "$URL/api/rooms/$1/members/$2"; }

#   remove_member lobby bob
remove_member() { backend --request DELETE "$URL/api/rooms/$1/members/$2"; }

#   list_messages lobby
#   list_messages lobby 'after=0&limit=50'
list_messages() { user "$URL/api/rooms/$1/messages?${2:-}"; }

#   room_presence lobby
room_presence() { user "$URL/api/rooms/$1/presence"; }

#   presence alice,bob
presence() { user "$URL/api/presence?users=$1"; }

# What came while the user was away, page by page.
#   missed
#   missed 2026-01-31T12:00:00Z
missed() { user --get --data-urlencode "since=${1:-}" "$URL/api/sync"; }

## Push for users who are away

#   push_key
push_key() { anyone "$URL/api/push/public-key"; }

# Takes what a browser's PushSubscription.toJSON() gives.
#   subscribe "$SUBSCRIPTION"
subscribe() { user --json "$1" "$URL/api/push/subscriptions"; }

#   unsubscribe '{"endpoint": "https://fcm.googleapis.com/x"}'
unsubscribe() { user --request DELETE --json "$1" "$URL/api/push/subscriptions"; }

# What could not be pushed.
#   dead_letters
#   dead_letters 'limit=10'
dead_letters() { backend "$URL/api/push/dead-letters?${1:-}"; }

#   retry_push "$DEAD_LETTER_ID"
retry_push() { backend --request POST "$URL/api/push/dead-letters/$1/retry"; }

## Sessions

# Refuses a token by its text, its jti or its socket, or all of a user's so far.
#   revoke '{"userId": "mallory"}'
revoke() { backend --json "$1" "$URL/api/tokens/revoke"; }

# Disconnects all devices of a user; their streams end.
#   end_sessions alice
#   end_sessions v1
end_sessions() { backend --request DELETE "$URL/api/users/$1/sessions"; }

## Operations

#   describe
describe() { anyone "$URL/api/openapi.json"; }

#   alive
alive() { anyone "$OPS/healthz"; }

#   ready
ready() { anyone "$OPS/readyz"; }

#   metrics
metrics() { anyone "$OPS/metrics"; }

## Pages

# The stock client: socket.io.js, .min.js, .esm.min.js, .msgpack.min.js, and the .map of each.
#   client_file socket.io.js
client_file() { anyone --compressed "$URL/socket.io/$1"; }

# The demo, where it is switched on.
#   demo
demo() { anyone --compressed "$URL/"; }

usage() {
  sed -nE '/^## /,$ s/^#   /  /p; s/^## (.*)/\n\1/p' "$0"
  exit 2
}

[[ ${1:-} =~ ^[a-z_]+$ ]] && declare -F "$1" >/dev/null || usage >&2
"$@"
