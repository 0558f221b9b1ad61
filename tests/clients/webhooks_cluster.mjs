// What the operator's backend is told by two nodes, also when one of them is killed.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startCluster } from './cluster.mjs';
import { HttpBackend } from './http_backend.mjs';
import { elapse, eventually } from './observe.mjs';
import { unique } from './server.mjs';
import { Postgres, Redis } from './services.mjs';
import { inWorlds } from './two_nodes.mjs';
import { ofRoom, ofSocket, ofUser, status, tells, told } from './webhooks_scene.mjs';
import { assertOk } from './world.mjs';

const LIMIT_MS = 120_000;
const ALL_MS = 300_000;
const LEASE_MS = 2_000;
/** A killed node's leases end, and what it had is found. */
const FOUND_WITHIN_MS = 40_000;

const services = {};

describe('webhooks of two nodes', { timeout: ALL_MS }, () => {
  before(async () => {
    [services.redis, services.postgres] = await Promise.all([Redis.start(), Postgres.start()]);
  });
  after(() => Promise.all([services.redis?.stop(), services.postgres?.remove()]));

  /** A test on two nodes of its own. */
  const specify = (sentence, run) => test(sentence, { timeout: LIMIT_MS }, async (t) => {
    const backend = await HttpBackend.start(t);
    const env = told(backend, {
      ROOMCAST_CLUSTER__PREFIX: `hooks-${unique()}`,
      ROOMCAST_CLUSTER__LEASE_MS: String(LEASE_MS),
    });
    const cluster = await startCluster({ nodes: 2, env, isDirect: true, ...services });
    try {
      await inWorlds(t, cluster, (worlds) => run({ backend, ...worlds }));
      assert.deepEqual([cluster.panics, backend.faults], [[], []]);
    } finally {
      await cluster.stop();
    }
  });

  specify('a room is occupied with the first of both nodes and vacated with the last', async ({ backend, a, b }) => {
    const [user, room] = [a.user('alice'), a.id('lobby')];
    const [one, other] = [await a.member(user, room), await b.member(user, room)];
    const bob = await b.member(b.user('bob'), room);
    for (const client of [one, other]) assertOk(await client.ask('leave:room', room));
    await tells(backend, ofRoom(room), ['room:occupied']);
    assertOk(await bob.ask('leave:room', room));
    await tells(backend, ofRoom(room), ['room:occupied', 'room:vacated']);
    const again = await a.member(user, room);
    await tells(backend, ofRoom(room), ['room:occupied', 'room:vacated', 'room:occupied']);
    for (const client of [one, other, again]) client.close();
    await tells(backend, ofUser(user), ['online', 'offline'], status);
  });

  specify('what a killed node had is told by the other', async ({ backend, cluster, a, b }) => {
    const [alice, bob, rooms] = [a.user('alice'), a.user('bob'), [a.id('both'), a.id('one')]];
    const gone = await a.connect(alice);
    const stays = [await a.connect(bob), await b.connect(bob)];
    // Who hears that the store is away asks again; nothing else is forgiven.
    const enter = (client, room) => eventually(async () => {
      const ack = await client.ask('join:room', room);
      if (ack.code !== 'store_unavailable') assertOk(ack);
      return ack.ok;
    }, 'it is in the room');
    for (const room of rooms) await enter(gone, room);
    for (const one of stays) await enter(one, rooms[0]);
    const ids = [gone, ...stays].map(({ id }) => id);
    for (const id of ids) await tells(backend, ofSocket(id), ['connected']);
    for (const room of rooms) await tells(backend, ofRoom(room), ['room:occupied']);
    for (const user of [alice, bob]) await tells(backend, ofUser(user), ['online'], status);

    await cluster.nodes[0].kill();
    [gone, stays[0]].forEach((client) => client.close());
    for (const id of ids.slice(0, 2)) {
      await tells(backend, ofSocket(id), ['connected', 'disconnected'], undefined, FOUND_WITHIN_MS);
    }
    await tells(backend, ofUser(alice), ['online', 'offline'], status, FOUND_WITHIN_MS);
    await tells(backend, ofRoom(rooms[1]), ['room:occupied', 'room:vacated'], undefined, FOUND_WITHIN_MS);

    // Bob is there by the other node, and so is the room that he is in.
    await tells(backend, ofSocket(ids[2]), ['connected']);
    await tells(backend, ofUser(bob), ['online'], status);
    await tells(backend, ofRoom(rooms[0]), ['room:occupied']);
    stays[1].close();
    await tells(backend, ofUser(bob), ['online', 'offline'], status);
    await tells(backend, ofRoom(rooms[0]), ['room:occupied', 'room:vacated']);
  });

  specify('a Redis that loses all that it knew has nobody told what is not so', async ({ backend, cluster, a, b }) => {
    const [alice, bob, room] = [a.user('alice'), b.user('bob'), a.id('lobby')];
    const [one, other] = [await a.member(alice, room), await b.member(bob, room)];
    for (const user of [alice, bob]) await tells(backend, ofUser(user), ['online'], status);
    await tells(backend, ofRoom(room), ['room:occupied']);
    await services.redis.stop();
    await services.redis.start();
    await cluster.ready();
    // Several looks at what was noted.
    await elapse(4 * LEASE_MS);
    for (const user of [alice, bob]) await tells(backend, ofUser(user), ['online'], status);
    await tells(backend, ofRoom(room), ['room:occupied']);
    for (const client of [one, other]) client.close();
    for (const user of [alice, bob]) await tells(backend, ofUser(user), ['online', 'offline'], status);
    await tells(backend, ofRoom(room), ['room:occupied', 'room:vacated'], undefined, FOUND_WITHIN_MS);
  });

  specify('a node that was held tells of its sockets again', async ({ backend, cluster, a }) => {
    const alice = await a.connect(a.user('alice'));
    const { id } = alice;
    await tells(backend, ofSocket(id), ['connected']);
    cluster.nodes[0].pause();
    await tells(backend, ofSocket(id), ['connected', 'disconnected'], undefined, FOUND_WITHIN_MS);
    cluster.nodes[0].resume();
    await tells(backend, ofSocket(id), ['connected', 'disconnected', 'connected'], undefined, FOUND_WITHIN_MS);
    alice.close();
    const all = ['connected', 'disconnected', 'connected', 'disconnected'];
    await tells(backend, ofSocket(id), all, undefined, FOUND_WITHIN_MS);
  });
});
