// What the stock @socket.io/redis-emitter publishes reaches the sockets of one node, and of two, once.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Emitter } from '@socket.io/redis-emitter';
import { createClient } from 'redis';

import { WEBSOCKET } from './away.mjs';
import { DIALECTS, DISCONNECTED, bytes } from './client.mjs';
import { startCluster } from './cluster.mjs';
import { eventually, metric } from './observe.mjs';
import { TARGET } from './program.mjs';
import { unique } from './server.mjs';
import { Postgres, Redis } from './services.mjs';
import { World } from './world.mjs';

const LIMIT_MS = 50_000;
const run = promisify(execFile);
const EMIT = fileURLToPath(new URL('python/emit.py', import.meta.url));
/** One with the packages of requirements.txt. */
const PYTHON = process.env.PYTHON ?? join(TARGET, 'client-tests', 'venv', 'bin', 'python');
const HEARD = 'roomcast_servers_heard_total';

/** Every argument of every event of this name. */
const argumentsOf = (client, event) => {
  const heard = [];
  client.socket.on(event, (...args) => heard.push(args));
  return heard;
};

const services = {};
before(async () => {
  [services.redis, services.postgres] = await Promise.all([Redis.start(), Postgres.start()]);
});
after(async () => {
  await Promise.all([services.redis?.stop(), services.postgres?.remove()]);
});

/** Tests that are given clients' worlds, and an emitter that no node knows of. */
function onNodes(count, dialect, env, tests) {
  describe(`${count} node(s), ${dialect}`, { timeout: LIMIT_MS }, () => {
    const key = `key-${unique()}`;
    let cluster;
    let redis;
    before(async () => {
      const prefix = { ROOMCAST_CLUSTER__PREFIX: `emitter-${unique()}`, ROOMCAST_CLUSTER__NODE_KEY: key };
      const settings = { ...prefix, ...DIALECTS[dialect].settings, ...env };
      const direct = { env: settings, shared: true, isDirect: true };
      cluster = await startCluster({ nodes: count, ...direct, ...services });
      redis = createClient({ url: services.redis.url });
      await redis.connect();
    });
    after(async () => {
      await redis?.close();
      await cluster?.stop();
      assert.deepEqual(cluster?.panics, []);
    });
    for (const [sentence, run] of Object.entries(tests)) {
      test(sentence, async (t) => {
        const world = new World(cluster.nodes, DIALECTS[dialect], WEBSOCKET);
        try {
          const redisUrl = services.redis.url;
          await run({ cluster, redis, redisUrl, world, key, emitter: new Emitter(redis, { key }) });
        } catch (error) {
          t.diagnostic(cluster.log);
          throw error;
        } finally {
          world.close();
        }
      });
    }
  });
}

/** Resolves once these have heard all that was emitted before: all of it takes one way. */
async function settle(emitter, ...clients) {
  for (const client of clients) {
    const mark = unique();
    emitter.to(client.id).emit('settled', mark);
    await client.next('settled', (text) => text === mark);
  }
}

const three = async (world) => [
  await world.connect(world.user('alice')),
  await world.connect(world.user('bob')),
  await world.connect(world.user('carol')),
];

const emits = {
  'an event is for everybody, a room, a user, a socket, or all but some': async ({ world, emitter }) => {
    const room = world.id('room');
    const bob = world.user('bob');
    const alice = await world.member(world.user('alice'), room);
    const [phone, laptop] = [await world.connect(bob), await world.member(bob, room)];
    const all = [alice, phone, laptop];
    const heard = all.map((client) => argumentsOf(client, 'said'));
    emitter.emit('said', 'all');
    emitter.to(`room:${room}`).emit('said', 'room');
    emitter.to(`user:${bob.id}`).emit('said', 'user');
    emitter.to(phone.id).emit('said', 'socket');
    emitter.to([`room:${room}`, `user:${bob.id}`]).emit('said', 'once each');
    emitter.to(`room:${room}`).except(`user:${bob.id}`).emit('said', 'but bob');
    emitter.except([laptop.id, alice.id]).emit('said', 'but two');
    emitter.to('room:nobody').emit('said', 'nobody');
    emitter.volatile.to(`room:${room}`).emit('said', 'volatile');
    await settle(emitter, ...all);
    assert.deepEqual(heard.map((calls) => calls.map(([word]) => word)), [
      ['all', 'room', 'once each', 'but bob', 'volatile'],
      ['all', 'user', 'socket', 'once each', 'but two'],
      ['all', 'room', 'user', 'once each', 'volatile'],
    ]);
  },

  'arguments arrive as they were, binary among them, in order': async ({ world, emitter }) => {
    const clients = await three(world);
    const heard = clients.map((client) => argumentsOf(client, 'stuff'));
    const when = new Date('2026-01-31T12:00:00.250Z');
    const nested = { list: [1, -2, 2.5, 'é日', null, true], deep: { file: Buffer.from([1, 2, 3]) }, when };
    emitter.emit('stuff', nested, Buffer.alloc(70_000, 7), 'last');
    emitter.emit('stuff');
    for (let n = 0; n < 100; n += 1) emitter.emit('stuff', n);
    await settle(emitter, ...clients);
    for (const [first, none, ...numbers] of heard) {
      const [{ list, deep, when: at }, large, last] = first;
      assert.deepEqual([list, bytes(deep.file), at, last],
        [nested.list, Buffer.from([1, 2, 3]), when.toISOString(), 'last']);
      assert.deepEqual(bytes(large), Buffer.alloc(70_000, 7));
      assert.deepEqual([none, numbers.map(([n]) => n)], [[], Array.from({ length: 100 }, (_, n) => n)]);
    }
  },
};

const sockets = {
  'sockets join and leave rooms, and what follows at once finds them there': async ({ world, emitter }) => {
    const [alice, bob, carol] = await three(world);
    const heard = [alice, bob, carol].map((client) => argumentsOf(client, 'news'));
    const [sports, tables] = [world.id('sports'), world.id('tables')];
    emitter.in([alice.id, bob.id]).socketsJoin([sports, tables]);
    emitter.to(sports).emit('news', 1);
    emitter.in(sports).except(bob.id).socketsLeave(sports);
    emitter.to(sports).emit('news', 2);
    emitter.to(tables).emit('news', 3);
    emitter.socketsJoin(sports);
    emitter.to(sports).emit('news', 4);
    await settle(emitter, alice, bob, carol);
    assert.deepEqual(heard, [[[1], [3], [4]], [[1], [2], [3], [4]], [[4]]]);
  },

  'who is put into a chat room hears its messages, and members hear of that': async ({ world, emitter }) => {
    const room = world.id('room');
    const users = [world.user('alice'), world.user('bob')];
    const [alice, bob] = [await world.member(users[0], room), await world.connect(users[1])];
    emitter.in(bob.id).socketsJoin(`room:${room}`);
    assert.equal((await alice.next('user:joined')).userId, users[1].id);
    await alice.ask('message:send', { roomId: room, content: 'welcome' });
    assert.equal((await bob.next('message:new')).content, 'welcome');
    emitter.in(bob.id).socketsLeave(`room:${room}`);
    assert.equal((await alice.next('user:left')).userId, users[1].id);
  },

  'sockets are ended, those that are meant alone': async ({ world, emitter }) => {
    const [alice, bob, carol] = await three(world);
    emitter.in(bob.id).disconnectSockets();
    assert.equal(await bob.next(DISCONNECTED), 'io server disconnect');
    emitter.in(carol.id).disconnectSockets(true);
    await carol.next(DISCONNECTED);
    await settle(emitter, alice);
    assert.deepEqual(alice.heard(DISCONNECTED), []);
  },

  'what servers are told by emitters is taken': async ({ cluster, emitter }) => {
    const taken = () => Promise.all(cluster.nodes.map((node) =>
      metric(node, HEARD, { channel: 'request', outcome: 'done' })));
    const before = await taken();
    emitter.serverSideEmit('hello', 'world');
    await eventually(async () => (await taken()).every((count, n) => count > before[n]), 'all have heard');
  },
};

const python = {
  'the emitter for Python is heard as well': async ({ world, redisUrl, key, emitter }) => {
    const [alice, bob] = await three(world);
    const heard = [alice, bob].map((client) => argumentsOf(client, 'said'));
    const events = [[[], 'said', 'all', { n: [1, null] }], [[bob.id], 'said', 'é']];
    await run(PYTHON, [EMIT, redisUrl, key, ...events.map((event) => JSON.stringify(event))]);
    await settle(emitter, alice, bob);
    const all = ['all', { n: [1, null] }];
    assert.deepEqual(heard, [[all], [all, ['é']]]);
  },
};

const strangers = {
  'other keys and namespaces are not ours, and what does not fit harms nobody': async (
    { cluster, redis, world, key, emitter },
  ) => {
    const alice = await world.connect(world.user('alice'));
    const heard = argumentsOf(alice, 'said');
    new Emitter(redis, { key: `${key}x` }).emit('said', 'another key');
    emitter.of('/nowhere').emit('said', 'another namespace');
    await redis.publish(`${key}#/#`, Buffer.from('93a7656d6974746572', 'hex'));
    await redis.publish(`${key}#/#`, Buffer.alloc(17_000_000, 0x91));
    await redis.publish(`${key}#/#`, '{"a":1}');
    await redis.publish(`${key}-request#/#`, 'nonsense');
    await redis.publish(`${key}-request#/#`, '{"type":77}');
    emitter.emit('said', 'ours');
    await settle(emitter, alice);
    assert.deepEqual(heard, [['ours']]);
    for (const node of cluster.nodes) {
      const count = (channel, outcome) => metric(node, HEARD, { channel, outcome });
      const isCounted = async () => (await count('request', 'unknown')) === 1;
      await eventually(isCounted, 'an unknown request is counted');
      assert.equal(await count('broadcast', 'malformed'), 2);
      assert.equal(await count('broadcast', 'too_large'), 1);
      assert.equal(await count('request', 'malformed'), 1);
      const lines = node.log.split('\n').filter((line) => line.includes('does not fit'));
      assert.equal(lines.length, 4, 'once for each reason');
    }
  },
};

onNodes(1, '4.8', {}, { ...emits, ...sockets });
onNodes(2, '4.8', {}, { ...emits, ...sockets, ...python, ...strangers });
onNodes(2, 'msgpack', {}, emits);
onNodes(1, '4.8', { ROOMCAST_BRIDGE__EMITTERS: 'false' }, {
  'an emitter is not heard where that is switched off': async ({ world, emitter, cluster }) => {
    const alice = await world.connect(world.user('alice'));
    emitter.emit('said', 1);
    await world.settle(alice);
    assert.deepEqual([alice.heard('said'), await metric(cluster.nodes[0], HEARD)], [[], 0]);
  },
});
