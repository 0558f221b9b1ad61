// A server of Node's and two nodes of Roomcast are one cluster on a Redis Cluster, too: what is published on
// a sharded channel is heard where its slot is, and servers are counted wherever they listen.

import { argumentsOf, atOnce, called, onMixed } from './mixed_scene.mjs';
import assert from 'node:assert/strict';

import { eventually } from './observe.mjs';
import { ClusterRedis } from './redis_cluster.mjs';
import { assertOk } from './world.mjs';

const tests = {
  'events reach the clients of all servers, from each of them, once': async (scene) => {
    const room = scene.a.id('room');
    const all = await scene.threeIn(room);
    const heard = all.map((client) => argumentsOf(client, 'said'));
    scene.node.io.to(`room:${room}`).emit('said', 'node');
    for (const world of [scene.a, scene.b]) {
      const body = { event: 'said', args: ['roomcast'], to: { rooms: [`room:${room}`] } };
      assert.equal((await world.service('POST', '/api/emit', body)).status, 202);
    }
    await scene.settle(...all);
    for (const words of heard) assert.deepEqual(words.flat().sort(), ['node', 'roomcast', 'roomcast']);
  },

  'each server finds the sockets of all, and moves them': async (scene) => {
    const all = await scene.three();
    const backend = await scene.backend();
    const ids = all.map(({ id }) => id).sort();
    const among = (sockets) => sockets.map(({ id }) => id).filter((id) => ids.includes(id)).sort();
    assert.deepEqual(among(await atOnce(scene.node.io.fetchSockets(), 'fetchSockets')), ids);
    const fetched = await atOnce(backend.ask('servers:fetch', {}), 'fetch');
    assert.deepEqual([among(fetched.found), fetched.complete, fetched.servers], [ids, true, 3]);
    scene.node.io.in(ids).socketsJoin('vip');
    const inVip = async () => (await scene.node.io.in('vip').fetchSockets()).length === ids.length;
    await eventually(inVip, 'all are in the room');
    assertOk(await backend.ask('servers:leave', { rooms: ids, moves: ['vip'] }));
    const isEmpty = async () => (await scene.node.io.in('vip').fetchSockets()).length === 0;
    await eventually(isEmpty, 'nobody is in it any more');
  },

  'servers answer each other': async (scene) => {
    const pings = await atOnce(called(scene.node.io, 'cluster:ping'), 'ping');
    assert.equal(new Set(pings.map(({ server }) => server)).size, 2);
  },
};

for (const adapter of ['node', 'node-sharded']) onMixed(adapter, tests, () => ClusterRedis.start());
