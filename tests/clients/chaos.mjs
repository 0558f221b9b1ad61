// Three nodes, users who talk on all of them, and everything that goes wrong in a cluster, in turn:
// after each fault every acked message has reached every member once and in order, and every node
// says who is there.
//
// CHAOS_SEED=n repeats a run's choices, those of one fault alone, too. CHAOS_MINUTES=n draws longer
// faults until the time is over. CHAOS_FAULTS=held,killed takes those whose names contain one of
// these. CHAOS_NODES=1 is one node with its own file, as without any configuration.
// CHAOS_RECOVERY=false is without recovery of sessions. CLUSTER_LOGS=folder keeps what nodes write.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { summary } from './chaos_check.mjs';
import { Crowd } from './chaos_crowd.mjs';
import { ALONE, FAULTS, LONG, SHORT } from './chaos_faults.mjs';
import { withCluster } from './cluster.mjs';
import { random } from './random.mjs';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);
const MINUTES = Number(process.env.CHAOS_MINUTES ?? 0);
const NODES = Number(process.env.CHAOS_NODES ?? 3);
const isLong = MINUTES > 0;
/** A round of a long run: its fault, and the time until all is quiet. */
const ROUND_LIMIT_MS = 240_000;
const LIMIT_MS = isLong ? MINUTES * 60_000 + ROUND_LIMIT_MS : 600_000;

const TIMES = isLong
  ? { graceMs: 2_000, leaseMs: 10_000, pollMs: 2_000 }
  : { graceMs: 1_500, leaseMs: 3_000, pollMs: 500 };

/** A node that stands still is noticed in seconds, not in most of a minute. */
const COMMON = {
  ROOMCAST_RECOVERY__ENABLED: process.env.CHAOS_RECOVERY ?? 'true',
  ROOMCAST_SOCKET__PING_INTERVAL_MS: '2000',
  ROOMCAST_SOCKET__PING_TIMEOUT_MS: '2000',
  ROOMCAST_STORE__TIMEOUT_MS: '1500',
  ROOMCAST_PRESENCE__GRACE_MS: String(TIMES.graceMs),
};
const CLUSTER = {
  ROOMCAST_CLUSTER__LEASE_MS: String(TIMES.leaseMs),
  ROOMCAST_CLUSTER__POLL_MS: String(TIMES.pollMs),
};

function picked() {
  const wanted = process.env.CHAOS_FAULTS?.split(',');
  const all = Object.entries(NODES > 1 ? FAULTS : ALONE);
  return all.filter(([name]) => !wanted || wanted.some((part) => name.includes(part)));
}

/** Every fault once, or at random until the time is over. */
function* plan() {
  const faults = picked();
  if (!isLong) return yield* faults;
  const next = random(SEED ^ 0x5eed);
  for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
    yield faults[Math.floor(next() * faults.length)];
  }
}

/** Chance for the nth time of a fault, whatever else is run: a name picks the same each time. */
function chance(name, time) {
  const text = `${name} ${time}`;
  return random([...text].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, SEED));
}

test(`${NODES} nodes and everything that goes wrong (CHAOS_SEED=${SEED})`, { timeout: LIMIT_MS }, (t) =>
  withCluster(t, { nodes: NODES, env: { ...COMMON, ...(NODES > 1 && CLUSTER) } }, async (cluster) => {
    const crowd = new Crowd(cluster, TIMES);
    const times = {};
    try {
      for (const [name, fault] of plan()) {
        await t.test(name, { timeout: ROUND_LIMIT_MS }, async (round) => {
          times[name] = (times[name] ?? 0) + 1;
          const { faults, seen } = await crowd.round(fault, isLong ? LONG : SHORT, chance(name, times[name]));
          round.diagnostic(seen);
          assert.equal(faults.length, 0, `CHAOS_SEED=${SEED}: ${seen}\n${summary(faults)}\n${cluster.log}`);
        });
      }
      assert.deepEqual(cluster.panics, []);
    } finally {
      crowd.close();
    }
  }));
