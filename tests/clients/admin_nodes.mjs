// The namespace /admin of two nodes: administrators are at one of them, sockets at both.

import assert from 'node:assert/strict';

import { Administrator, adminSettings, byId, inRoom, named } from './admin_scene.mjs';
import { DISCONNECTED } from './client.mjs';
import { eventually } from './observe.mjs';
import { onTwoNodes } from './two_nodes.mjs';
import { assertOk } from './world.mjs';

onTwoNodes('two nodes', await adminSettings(), {
  'an administrator of one node sees the sockets of both, old and new': async ({ t, a, b, cluster }) => {
    const [alice, bob] = [await a.connect(a.user('alice')), await b.connect(b.user('bob'))];
    const admin = await Administrator.enter(t, cluster.nodes[0].url);
    for (const one of [alice, bob]) assert.equal((await admin.shown(one.id)).nsp, '/');
    const servers = () => new Set(admin.all('server_stats').map(([{ serverId }]) => serverId)).size === 2;
    await eventually(servers, 'figures of both nodes');
    const [carol, room] = [await b.connect(b.user('carol')), b.id('room')];
    await admin.sees('socket_connected', ({ id }) => id === carol.id);
    assertOk(await carol.ask('join:room', room));
    await admin.sees('room_joined', inRoom(`room:${room}`, carol.id));
    await admin.sees('event_received', named('join:room', carol.id));
    const { id } = bob;
    bob.close();
    await admin.sees('socket_disconnected', byId(id));
  },

  'what an administrator does reaches the sockets of both': async ({ t, a, b, cluster }) => {
    const all = [await a.connect(a.user('alice')), await b.connect(b.user('bob'))];
    const admin = await Administrator.enter(t, cluster.nodes[0].url);
    const room = a.id('vip');
    for (const one of all) {
      admin.tell('join', '/', room, one.id);
      await admin.sees('room_joined', inRoom(room, one.id));
    }
    admin.tell('emit', '/', room, 'hello', 1);
    for (const one of all) assert.equal(await one.next('hello'), 1);
    admin.tell('leave', '/', room, all[1].id);
    await admin.sees('room_left', inRoom(room, all[1].id));
    admin.tell('_disconnect', '/', true, all[1].id);
    assert.equal(await all[1].next(DISCONNECTED), 'io server disconnect');
  },

  'a session of one node lets in at the other': async ({ t, cluster }) => {
    const [one, other] = cluster.nodes;
    const [sessionId] = await (await Administrator.enter(t, one.url)).sees('session');
    const admin = await Administrator.enter(t, other.url, { sessionId });
    await admin.sees('all_sockets');
  },

  'a node that comes back shows its sockets to who has stayed': async ({ t, b, cluster }) => {
    const admin = await Administrator.enter(t, cluster.nodes[0].url);
    assert.equal(await cluster.nodes[1].restart(), 0);
    const bob = await b.connect(b.user('bob'));
    await admin.shown(bob.id);
  },
});
