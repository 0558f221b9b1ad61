// One cluster of a Node server and two nodes of Roomcast: alice and bob are on these, carol on that.

import './beside_node.mjs';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { WEBSOCKET } from './away.mjs';
import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { startCluster } from './cluster.mjs';
import { NodeServer } from './node_server.mjs';
import { eventually } from './observe.mjs';
import { unique } from './server.mjs';
import { Postgres, Redis } from './services.mjs';
import { World, assertOk } from './world.mjs';

const LIMIT_MS = 50_000;
/** Node's calls fail after 5 s: what takes less than this has waited for nobody. */
const AT_ONCE_MS = 1_500;

const services = {};
export async function shared() {
  services.redis ??= Redis.start();
  services.postgres ??= Postgres.start();
  return { redis: await services.redis, postgres: await services.postgres };
}
after(async () => {
  const [redis, postgres] = [await services.redis, await services.postgres];
  await Promise.all([redis?.stop(), postgres?.remove()]);
});

/** Every argument of every event of this name. */
export const argumentsOf = (client, event) => {
  const heard = [];
  client.socket.on(event, (...args) => heard.push(args));
  return heard;
};

/** Resolves with what came of it, which must not take as long as a time-out of Node's. */
export async function atOnce(doing, what) {
  const began = Date.now();
  const result = await doing;
  assert.ok(Date.now() - began < AT_ONCE_MS, `${what} took ${Date.now() - began} ms`);
  return result;
}

/** What a call of `serverSideEmit` gathers. */
export const called = (io, ...args) => new Promise((resolve, reject) => {
  io.serverSideEmit(...args, (error, answers) => (error ? reject(error) : resolve(answers)));
});

/** What one test sees. */
class Scene {
  #clients = [];

  constructor(t, cluster, node, adapter, key) {
    Object.assign(this, { t, cluster, node, adapter, key });
    const world = (nodes) => new World(nodes, DIALECTS['4.8'], WEBSOCKET);
    [this.a, this.b] = cluster.nodes.map(world);
  }

  /** A client of a Node server. */
  async onNode(name, node = this.node) {
    const options = { auth: { name } };
    const how = { dialect: DIALECTS['4.8'], transport: WEBSOCKET };
    const client = new Client(node.url, { ...how, label: name, options });
    this.#clients.push(client);
    await client.next(CONNECTED);
    return client;
  }

  /** Alice, bob and carol, each on a server of their own. */
  async three() {
    const users = [this.a.user('alice'), this.b.user('bob')];
    const [alice, bob] = [await this.a.connect(users[0]), await this.b.connect(users[1])];
    return Object.assign([alice, bob, await this.onNode('carol')], { users });
  }

  /** The same, in a chat room. */
  async threeIn(room) {
    const all = await this.three();
    for (const client of all) assertOk(await client.ask('join:room', room));
    return all;
  }

  /** A backend with a socket on the first node, which may call the servers. */
  async backend() {
    return this.a.connect(this.a.user('backend', { roles: ['service'] }));
  }

  /** Resolves once these have heard all that each server has sent before. */
  async settle(...clients) {
    for (const client of clients) {
      const mark = unique();
      const is = (n) => (text) => text === `${mark}/${n}`;
      for (const [n, world] of [this.a, this.b].entries()) {
        const body = { event: 'settled', args: [`${mark}/${n}`], to: { rooms: [client.id] } };
        assert.equal((await world.service('POST', '/api/emit', body)).status, 202);
        await client.next('settled', is(n));
      }
      this.node.io.to(client.id).emit('settled', `${mark}/node`);
      await client.next('settled', is('node'));
    }
  }

  close() {
    [this.a, this.b].forEach((world) => world.close());
    this.#clients.forEach((client) => client.close());
  }
}

/** Tests on such a cluster; `redis`: what starts another one than all others share. */
export function onMixed(adapter, tests, redis) {
  const where = redis ? ' on a Redis Cluster' : '';
  describe(`cluster.adapter = "${adapter}"${where}`, { timeout: LIMIT_MS }, () => {
    const key = `key-${unique()}`;
    let cluster;
    let node;
    let own;
    before(async () => {
      own = await redis?.();
      const parts = { ...await shared(), ...(own && { redis: own }) };
      const env = {
        ROOMCAST_CLUSTER__PREFIX: `mixed-${unique()}`,
        ROOMCAST_CLUSTER__NODE_KEY: key,
        ROOMCAST_CLUSTER__ADAPTER: adapter,
      };
      cluster = await startCluster({ nodes: 2, env, isDirect: true, ...parts });
      node = await NodeServer.start({ redis: parts.redis, key, adapter });
      await eventually(async () => (await node.count()) === 3, 'three servers');
    });
    after(async () => {
      // The client of a Redis Cluster does not outlive a goodbye.
      await (own ? node?.die() : node?.stop());
      await cluster?.stop();
      await own?.stop();
      assert.deepEqual(cluster?.panics, []);
    });
    for (const [sentence, run] of Object.entries(tests)) {
      test(sentence, async (t) => {
        const scene = new Scene(t, cluster, node, adapter, key);
        try {
          await run(scene);
        } catch (error) {
          t.diagnostic(cluster.log);
          throw error;
        } finally {
          scene.close();
        }
      });
    }
  });
}
