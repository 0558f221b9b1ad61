// Two nodes whose Redis is behind Sentinels, a Redis Cluster, or spoken to over TLS: they act as one, and
// when a master is lost they are one again soon after a replica has taken its place.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { CHECKS, RELAY } from './as_one.mjs';
import { Node, startCluster } from './cluster.mjs';
import { elapse, eventually, metric } from './observe.mjs';
import { ClusterRedis } from './redis_cluster.mjs';
import { SentinelRedis, TlsRedis, field } from './redis_forms.mjs';
import { survive } from './redis_failover.mjs';
import { unique } from './server.mjs';
import { Postgres } from './services.mjs';
import { inWorlds } from './two_nodes.mjs';

const LIMIT_MS = 60_000;
const AT_ONCE = 4;
const NODES = 2;
const PREFIX = 'roomcast';
const TRIES = 3;
const FLOOD_MS = 4_000;
const TAKEN_OVER_WITHIN_MS = 10_000;
const TAKEN_UP = 'roomcast_bridge_messages_total';
const [KILL, HANG] = ['stop', 'pause'];
/** All keys of nodes are where this one is. */
const KEYS = `{${PREFIX}}:`;

const given = {};
before(async () => {
  given.postgres = await Postgres.start();
  given.folder = await mkdtemp(join(tmpdir(), 'roomcast-modes-'));
  given.config = join(given.folder, 'relay.toml');
  await writeFile(given.config, RELAY);
});
after(async () => {
  await given.postgres?.remove();
  if (given.folder) await rm(given.folder, { recursive: true, force: true });
});

const settings = () => ({
  ROOMCAST_CONFIG: given.config,
  ROOMCAST_CLUSTER__PREFIX: PREFIX,
  // Shorter than it takes until a replica has taken over.
  ROOMCAST_CLUSTER__LEASE_MS: '1500',
  ROOMCAST_CLUSTER__REDIS_TIMEOUT_MS: '1000',
});

function startNodes(form) {
  const env = { ...settings(), ...form.env };
  return startCluster({ nodes: NODES, env, isDirect: true, redis: form, postgres: given.postgres });
}

/** A node that has not got the settings that this form needs. */
async function without(t, form) {
  const DATABASE_URL = await given.postgres.database(`roomcast_${unique()}`);
  const env = { ...settings(), REDIS_URL: form.url, DATABASE_URL, ROOMCAST_STORE__PATH: '' };
  const node = new Node(NODES, env);
  t.after(() => node.stop());
  await node.start();
  return node;
}

/** Kills the node that takes up what workers publish, while they do. */
async function takenOver({ cluster, form, a, b, both }) {
  const room = a.id('room');
  const members = [await a.member(a.user('alice'), room), await b.member(b.user('bob'), room)];
  const end = await form.flood(`broadcast:room:${room}`, (n) => ({ event: 'worked', data: n }));
  await elapse(FLOOD_MS);
  const counts = await Promise.all(cluster.nodes.map((node) => metric(node, TAKEN_UP, { outcome: 'done' })));
  const index = counts.indexOf(Math.max(...counts));
  await cluster.nodes[index].kill();
  const survivor = members[1 - index];
  const heard = () => survivor.heard('worked');
  const before = heard().length;
  await eventually(() => heard().length > before, 'the other node takes it up', TAKEN_OVER_WITHIN_MS);
  const last = await end();
  await eventually(() => heard().includes(last), 'all is taken up', TAKEN_OVER_WITHIN_MS);
  await cluster.nodes[index].startAgain();
  await cluster.ready();
  await both.settle(survivor);
  const seen = new Set();
  assert.deepEqual(heard().filter((n) => seen.has(n) || !seen.add(n)), [], 'some came twice');
}

/**
 * Two nodes with Redis in this form.
 *
 * @param losses what it loses one after the other: how, and which server
 * @param tests what else is to hold in this form
 */
function onRedis(name, start, losses = {}, tests = {}) {
  describe(name, () => {
    let form;
    let cluster;
    before(async () => {
      form = await start();
      cluster = await startNodes(form);
    });
    after(async () => {
      await cluster?.stop();
      await form?.stop();
      assert.deepEqual(cluster?.panics, []);
    });
    const within = (t, run) => inWorlds(t, cluster, (scene) => run({ ...scene, t, form }));

    describe('two nodes act as one', { concurrency: AT_ONCE }, () => {
      for (const [sentence, check] of Object.entries(CHECKS)) {
        test(sentence, { timeout: LIMIT_MS }, (t) => within(t, check));
      }
    });

    for (const [sentence, run] of Object.entries(tests)) {
      test(sentence, { timeout: LIMIT_MS }, (t) => within(t, run));
    }

    for (const [what, [how, choose]] of Object.entries(losses)) {
      test(`they are one again after ${what}`, { timeout: LIMIT_MS }, (t) =>
        within(t, async (scene) => survive(scene, await choose(form), how)));
    }
  });
}

onRedis('Redis behind Sentinels', () => SentinelRedis.start(), {
  'the master stopped answering': [HANG, (form) => form.master()],
});

onRedis('Redis with a password behind Sentinels without', () => SentinelRedis.start({ password: 'secret' }), {
  'the master was killed': [KILL, (form) => form.master()],
});

onRedis('a Redis Cluster', () => ClusterRedis.start(), {
  'the master with what nodes know was killed': [KILL, (form) => form.master(KEYS)],
  'all masters that they were told of are gone': [KILL, async (form) => {
    const [last, ...others] = form.named;
    for (const server of others) {
      await form.lose(server, KILL);
      // Two masters at once are too many.
      await form.whole();
    }
    return last;
  }],
  'the master with what nodes know stopped answering': [HANG, (form) => form.master(KEYS)],
  'what nodes know was moved to another master, and a third was killed': [KILL, (form) => form.move(KEYS)],
}, {
  'what workers publish comes once though the node that takes it up is killed': takenOver,
});

onRedis('Redis over TLS', () => TlsRedis.start(), {}, {
  'a certificate that nobody vouches for is not accepted': async ({ t, form }) => {
    const node = await without(t, form);
    const master = await form.master();
    const stats = () => form.ask(master, 'INFO', 'stats');
    const tries = async () => Number(field(await stats(), 'total_connections_received'));
    const before = await tries();
    await eventually(async () => (await tries()) > before + TRIES, 'the node tries again and again');
    assert.equal((await node.readiness()).body.degraded, 'redis');
  },
});
