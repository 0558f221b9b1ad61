// How long anything may take, and how much of it there may be.

/** One request or connection, until the server answers or refuses, where `--limit-ms` says nothing else. */
export const LIMIT_MS = 10_000;
/** All of one check on one server. */
export const CHECK_LIMIT_MS = 60_000;
/** All checks. */
export const TOTAL_LIMIT_MS = 180_000;
/** How long an ack or an event is waited for, where `--wait-ms` says nothing else. */
export const WAIT_MS = 1_000;
/** What comes by itself after an ack has so long to come. */
export const SETTLE_MS = 300;
/** Stock clients do not come back sooner, so that servers have heard that they went. */
export const AWAY_MS = 500;
/** How long the end of a connection is waited for. */
export const GOODBYE_LIMIT_MS = 2_000;
/** How much of an answer is read. */
export const MAX_ANSWER_BYTES = 8_000_000;
/** Larger payloads are not tried, lest the check itself is a burden. */
export const MAX_TRIED_BYTES = 20_000_000;
/** How many events a burst has. */
export const BURST_EVENTS = 30;

/** Rejects with this text unless the promise settles before. */
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
