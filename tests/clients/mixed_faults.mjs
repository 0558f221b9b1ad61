// A cluster of Node's servers and Roomcast's nodes whose members go, are replaced, and hear nonsense.

import { atOnce, called, onMixed, shared } from './mixed_scene.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClient } from 'redis';

import { WEBSOCKET } from './away.mjs';
import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { startCluster } from './cluster.mjs';
import { NodeServer } from './node_server.mjs';
import { eventually, metric } from './observe.mjs';
import { mint, unique } from './server.mjs';
import { assertOk } from './world.mjs';
import { Talk } from './worker.mjs';

const LIMIT_MS = 50_000;
const HEARD = 'roomcast_servers_heard_total';
const PACE_MS = 20;

/** Two nodes that speak Node's words, and no server of Node's yet. */
async function startNodes(adapter = 'node') {
  const [parts, key] = [await shared(), `key-${unique()}`];
  const env = {
    ROOMCAST_CLUSTER__PREFIX: `faults-${unique()}`,
    ROOMCAST_CLUSTER__NODE_KEY: key,
    ROOMCAST_CLUSTER__ADAPTER: adapter,
  };
  const cluster = await startCluster({ nodes: 2, env, isDirect: true, ...parts });
  return { cluster, key, redis: parts.redis };
}

/** Somebody who chats, on one server at a time, and on two while moving. */
class Person {
  heard = new Set();
  said = [];
  twice = [];

  constructor(name, room) {
    Object.assign(this, { name, room, token: mint({ sub: name, name, rooms: ['*'] }) });
  }

  async #enter(url) {
    const options = { auth: { name: this.name, token: this.token } };
    const how = { dialect: DIALECTS['4.8'], transport: WEBSOCKET };
    const client = new Client(url, { ...how, label: this.name, options });
    const own = new Set();
    client.socket.on('message:new', ({ clientId }) => {
      if (own.has(clientId)) this.twice.push(clientId);
      own.add(clientId);
      this.heard.add(clientId);
    });
    await client.next(CONNECTED);
    assertOk(await client.ask('join:room', this.room));
    return Object.assign(client, { own });
  }

  async say() {
    const clientId = `${this.name}-${this.said.length + 1}`;
    this.said.push(clientId);
    assertOk(await this.client.ask('message:send', { roomId: this.room, content: 'hello', clientId }));
    return clientId;
  }

  /** Leaves the old server once the new one has shown that nothing is missed. */
  async moveTo(url) {
    const old = this.client;
    this.client = await this.#enter(url);
    if (!old) return;
    const said = await this.say();
    await eventually(() => old.own.has(said) && this.client.own.has(said), `${this.name} hears on both`);
    old.close();
  }
}

test('servers of Node are replaced by nodes of Roomcast while people chat: none loses a word',
  { timeout: LIMIT_MS }, async (t) => {
    const [parts, key] = [await shared(), `key-${unique()}`];
    const before = await Promise.all(['one', 'two'].map((name) => NodeServer.start({ ...parts, key, name })));
    const room = `room-${unique()}`;
    const people = ['alice', 'bob', 'carol', 'dave'].map((name) => new Person(name, room));
    let cluster;
    try {
      for (const [n, person] of people.entries()) await person.moveTo(before[n % 2].url);
      const talks = people.map((person) => new Talk(() => person.say(), PACE_MS));
      const env = { ROOMCAST_CLUSTER__PREFIX: `rolling-${unique()}`, ROOMCAST_CLUSTER__NODE_KEY: key };
      Object.assign(env, { ROOMCAST_CLUSTER__ADAPTER: 'node' });
      cluster = await startCluster({ nodes: 2, env, isDirect: true, ...parts });
      for (const [n, server] of before.entries()) {
        await eventually(async () => (await server.count()) === 4 - n, 'all servers are there');
        for (const [m, person] of people.entries()) {
          if (m % 2 === n) await person.moveTo(cluster.nodes[n].url);
        }
        await server.stop();
      }
      const counts = await Promise.all(talks.map((talk) => talk.stop()));
      assert.ok(counts.every((count) => count > 20), `they have talked: ${counts}`);
      const all = people.flatMap(({ said }) => said);
      for (const { name, heard, twice } of people) {
        const lost = () => all.filter((one) => !heard.has(one));
        await eventually(() => lost().length === 0, `${name} has heard everything`).catch(() => {});
        assert.deepEqual([lost(), twice], [[], []], name);
      }
    } catch (error) {
      t.diagnostic(cluster?.log ?? '');
      throw error;
    } finally {
      people.forEach(({ client }) => client?.close());
      await Promise.allSettled(before.map((server) => server.stop()));
      await cluster?.stop();
    }
  });

/** What somebody without manners publishes, and how it is counted. */
const hostile = (key) => {
  const deep = Buffer.concat([Buffer.from('93a178', 'hex'), Buffer.alloc(50_000, 0x91)]);
  // Of an event that only a server's own library sends.
  const reserved = Buffer.from('93a17883a47479706502a46461746191aa646973636f6e6e656374a36e7370a12f' +
    '83a5726f6f6d7390a665786365707490a5666c61677380', 'hex');
  const endless = Buffer.from('93a17882a474797065ddffffffff', 'hex');
  const text = (value) => JSON.stringify(value);
  return [
    [`${key}#/#`, Buffer.from('93a7656d6974746572', 'hex'), 'broadcast', 'malformed'],
    [`${key}#/#`, deep, 'broadcast', 'malformed'],
    [`${key}#/#`, endless, 'broadcast', 'malformed'],
    [`${key}#/#`, Buffer.alloc(0), 'broadcast', 'malformed'],
    [`${key}#/#`, Buffer.alloc(17_000_000, 0xc0), 'broadcast', 'too_large'],
    [`${key}#/#`, '{"uid":"x","type":3}', 'broadcast', 'malformed'],
    [`${key}-request#/#`, '{"type":', 'request', 'malformed'],
    [`${key}-request#/#`, text({ type: 99, uid: 'x' }), 'request', 'unknown'],
    [`${key}-request#/#`, text({ type: 2, opts: { rooms: 7 }, rooms: [] }), 'request', 'malformed'],
    [`${key}#/#`, reserved, 'broadcast', 'event'],
    [`${key}-request#/#`, `${'['.repeat(10_000)}`, 'request', 'malformed'],
    [`${key}-response#/#`, 'nonsense', 'response', 'malformed'],
    [`${key}-response#/#`, text({ requestId: 'x', type: 50 }), 'response', 'unknown'],
  ];
};

test('nonsense on the channels is counted, logged once a minute, and harms nobody', { timeout: LIMIT_MS },
  async (t) => {
    const { cluster, key, redis } = await startNodes();
    const stranger = createClient({ url: redis.url });
    let node;
    try {
      await stranger.connect();
      const packets = hostile(key);
      for (const round of [1, 2]) {
        for (const [channel, packet] of packets) await stranger.publish(channel, packet);
        // Another key's, and an answer that nobody has asked for, are nothing to us.
        await stranger.publish(`${key}-other#/#`, 'nonsense');
        await stranger.publish(`${key}-response#/#`, JSON.stringify({ requestId: 'x', sockets: [1, {}] }));
        for (const one of cluster.nodes) {
          for (const [, , channel, outcome] of packets) {
            const count = packets.filter((packet) => packet[2] === channel && packet[3] === outcome).length;
            const counted = async () => (await metric(one, HEARD, { channel, outcome })) === count * round;
            await eventually(counted, `${channel} ${outcome} ${count * round} times`);
          }
        }
      }
      const reasons = new Set(packets.map(([, , channel, outcome]) => `${channel} ${outcome}`));
      for (const one of cluster.nodes) {
        const lines = one.log.split('\n').filter((line) => line.includes('does not fit'));
        assert.equal(lines.length, reasons.size, one.log);
      }
      node = await NodeServer.start({ redis, key });
      await eventually(async () => (await node.count()) === 3, 'three servers');
      await atOnce(node.io.fetchSockets(), 'fetchSockets');
      assert.equal((await atOnce(called(node.io, 'cluster:ping'), 'ping')).length, 2);
      assert.deepEqual(cluster.panics, []);
    } catch (error) {
      t.diagnostic(cluster.log);
      throw error;
    } finally {
      stranger.destroy();
      await node?.stop();
      await cluster.stop();
    }
  });

const dying = {
  'a server that has died is waited for by nobody': async (scene) => {
    const { cluster, key, adapter, node } = scene;
    const other = await NodeServer.start({ redis: cluster.redis, key, adapter, name: 'other' });
    await eventually(async () => (await node.count()) === 4, 'four servers');
    const backend = await scene.backend();
    other.die();
    await eventually(async () => (await node.count()) === 3, 'three again');
    const fetched = await atOnce(backend.ask('servers:fetch', {}), 'fetch');
    assert.deepEqual([fetched.complete, fetched.servers], [true, 3]);
    await cluster.nodes[1].kill();
    await eventually(async () => (await node.count()) === 2, 'two servers');
    await atOnce(node.io.fetchSockets(), 'fetchSockets');
    assert.equal((await atOnce(called(node.io, 'cluster:ping'), 'ping')).length, 1);
  },
};

onMixed('node', dying);
onMixed('node-sharded', dying);
