// How nodes start: what is refused, in one line that says why, and nodes that start at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startCluster } from './cluster.mjs';
import { folder, start } from './program.mjs';
import { freePort } from './proxy.mjs';
import { SECRET, Server, mint, request, unique } from './server.mjs';
import { Postgres, Redis } from './services.mjs';

const LIMIT_MS = 90_000;
const NODES = 2;

/** How the server ended that was started with these settings. */
async function refusal(t, env) {
  const cwd = await folder(t);
  const server = start(t, 'exec "$SERVER" serve', {
    cwd,
    env: { SERVER: process.env.ROOMCAST_BIN ?? 'roomcast', JWT_SECRET: SECRET, PORT: '0', ...env },
  });
  const { code, stdout, stderr } = await server.ended();
  return { code, stdout, lines: stderr.trim().split('\n') };
}

const nowhere = async (scheme) => `${scheme}://somebody:hunter2@127.0.0.1:${await freePort()}/roomcast`;

/** What is refused, and what its line says. */
const REFUSED = {
  'a cluster without a shared database': [async () => ({ REDIS_URL: await nowhere('redis') }), /DATABASE_URL|postgres/i],
  'an address of Redis with another scheme': [
    async () => ({ REDIS_URL: await nowhere('http'), DATABASE_URL: await nowhere('postgres') }),
    /REDIS_URL.*redis:\/\//,
  ],
  'a database that does not answer': [
    async () => ({ REDIS_URL: await nowhere('redis'), DATABASE_URL: await nowhere('postgres') }),
    /127\.0\.0\.1:\d+\/roomcast/,
  ],
  'an address of a database that is none': [
    async () => ({ REDIS_URL: await nowhere('redis'), DATABASE_URL: 'postgres://somebody:hunter2@:x:y/roomcast' }),
    /DATABASE_URL|store\.path|postgres/i,
  ],
};

for (const [what, [env, says]] of Object.entries(REFUSED)) {
  test(`${what} is refused at start, in one clear line`, { timeout: LIMIT_MS }, async (t) => {
    const { code, stdout, lines } = await refusal(t, await env());
    assert.notEqual(code, 0);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], says);
    assert.doesNotMatch(lines[0], /hunter2/, 'the password is shown');
    assert.doesNotMatch(stdout, /listening/);
  });
}

test('a database that does not answer is refused though Redis does', { timeout: LIMIT_MS }, async (t) => {
  const redis = await Redis.start();
  t.after(() => redis.stop());
  const { code, lines } = await refusal(t, { REDIS_URL: redis.url, DATABASE_URL: await nowhere('postgres') });
  assert.notEqual(code, 0);
  assert.equal(lines.length, 1, lines.join('\n'));
});

test('a node starts without Redis, degraded, and joins the others when Redis comes', { timeout: LIMIT_MS }, async (t) => {
  const cluster = await startCluster({ nodes: NODES, isDirect: true });
  t.after(() => cluster.stop());
  await cluster.redis.stop();
  assert.equal(await cluster.nodes[1].restart(), 0);
  const { status, body } = await cluster.nodes[1].readiness();
  assert.deepEqual([status, body.degraded], [200, 'redis']);
  await cluster.redis.start();
  await cluster.ready();
});

test('nodes that start at once on an empty database come up, and are one cluster', { timeout: LIMIT_MS }, async (t) => {
  const [redis, postgres] = await Promise.all([Redis.start(), Postgres.start()]);
  t.after(() => Promise.all([redis.stop(), postgres.remove()]));
  for (const round of [1, 2, 3]) {
    const env = {
      REDIS_URL: redis.url,
      DATABASE_URL: await postgres.database(`empty_${round}`),
      ROOMCAST_STORE__PATH: '',
      ROOMCAST_CLUSTER__PREFIX: unique(),
    };
    const nodes = Array.from({ length: NODES }, () => new Server(env));
    try {
      await Promise.all(nodes.map((node) => node.start()));
      const as = mint({ sub: 'worker', roles: ['service'] });
      const body = { userId: 'alice', title: 'is it there?' };
      const { body: posted } = await request(nodes[0].url, 'POST', '/api/notifications', { as, body });
      const alice = mint({ sub: 'alice' });
      const listed = await request(nodes[1].url, 'GET', '/api/notifications?after=0', { as: alice });
      assert.deepEqual(listed.body.notifications.map(({ id }) => id), [posted.id]);
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
  }
});
