// Two nodes, and who is on which: `a` and `b` are worlds on one of them, `both` is on each in turn.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { WEBSOCKET } from './away.mjs';
import { DIALECTS } from './client.mjs';
import { startCluster } from './cluster.mjs';
import { unique } from './server.mjs';
import { Postgres, Redis } from './services.mjs';
import { World } from './world.mjs';

const LIMIT_MS = 90_000;

/** What the clusters of one file share, unless one is to lose it. */
const services = {};
async function shared() {
  services.redis ??= Redis.start();
  services.postgres ??= Postgres.start();
  return { redis: await services.redis, postgres: await services.postgres };
}
after(async () => {
  const [redis, postgres] = [await services.redis, await services.postgres];
  await Promise.all([redis?.stop(), postgres?.remove()]);
});

/**
 * Two nodes.
 *
 * @param hasOwn whether Redis and PostgreSQL are its own, which workers' channels and faults need
 * @param options of the cluster
 */
async function startTwo(env = {}, { hasOwn = false, ...options } = {}) {
  const all = { isDirect: true, ...(!hasOwn && (await shared())), ...options };
  const own = { ROOMCAST_CLUSTER__PREFIX: `two-${unique()}`, ...env };
  return startCluster({ nodes: 2, env: own, ...all });
}

/** Runs with worlds on these nodes, which end with it. */
export async function inWorlds(t, cluster, run) {
  const world = (nodes) => new World(nodes, DIALECTS['4.8'], WEBSOCKET);
  const [a, b, both] = [...cluster.nodes, cluster.nodes].map(world);
  try {
    await run({ t, cluster, a, b, both });
  } catch (error) {
    t.diagnostic(cluster.log);
    throw error;
  } finally {
    [a, b, both].forEach((one) => one.close());
  }
}

/** Tests on two nodes that outlive each of them. */
export function onTwoNodes(name, env, tests) {
  describe(name, { timeout: LIMIT_MS }, () => {
    let cluster;
    before(async () => {
      cluster = await startTwo(env);
    });
    after(async () => {
      await cluster?.stop();
      assert.deepEqual(cluster?.panics, []);
    });
    for (const [sentence, run] of Object.entries(tests)) {
      test(sentence, { timeout: LIMIT_MS }, (t) => inWorlds(t, cluster, run));
    }
  });
}

/** A test with two nodes of its own, to which it may do what it likes. */
export function testOnTwoNodes(sentence, { env, ...options }, run) {
  test(sentence, { timeout: LIMIT_MS }, async (t) => {
    const cluster = await startTwo(env, options);
    try {
      await inWorlds(t, cluster, run);
      assert.deepEqual(cluster.panics, []);
    } finally {
      await cluster.stop();
    }
  });
}

/** The client's next connection is to this node. */
export function moveTo(client, node) {
  client.socket.io.uri = node.url;
}
