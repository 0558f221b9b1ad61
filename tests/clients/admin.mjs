// The namespace /admin as the Admin UI uses it, of a server that is alone.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import {
  Administrator, PASSWORD, USERNAME, adminSettings, byId, inRoom, named, roomsOf,
} from './admin_scene.mjs';
import { WEBSOCKET } from './away.mjs';
import { DIALECTS, DISCONNECTED } from './client.mjs';
import { eventually, metric } from './observe.mjs';
import { Server } from './server.mjs';
import { World, assertOk } from './world.mjs';

const LIMIT_MS = 60_000;
const ACTIONS = ['EMIT', 'JOIN', 'LEAVE', 'DISCONNECT', 'MJOIN', 'MLEAVE', 'MDISCONNECT'];
const SIGHTS = ['all_sockets', 'socket_connected', 'socket_disconnected', 'room_joined', 'event_received',
  'event_sent'];
const REFUSAL = { message: 'invalid credentials', data: { code: 'unauthenticated' } };
/** The most failures of one address in a minute. */
const MAX_FAILURES = 10;

const connect = (world, name) => world.connect(world.user(name));
const LOST = 'roomcast_admin_lost_total';
/** More events than are shown in two seconds. */
const MANY = 3_000;

const isTime = (text) => assert.ok(Math.abs(Date.now() - Date.parse(text)) < LIMIT_MS, text);
/** Figures with so many sockets of users. */
const connected = (count) => ({ namespaces }) =>
  namespaces.some(({ name, socketsCount }) => name === '/' && socketsCount === count);
/** Tests with a server of their own that is alone. */
function onServer(name, settings, tests) {
  describe(name, { timeout: LIMIT_MS }, () => {
    let server;
    before(async () => {
      server = await Server.start(await adminSettings(settings));
    });
    after(() => server?.stop());
    for (const [sentence, run] of Object.entries(tests)) {
      test(sentence, { timeout: LIMIT_MS }, async (t) => {
        const world = new World(server, DIALECTS['4.8'], WEBSOCKET);
        t.after(() => world.close());
        await run({ t, world, url: server.url });
        assert.deepEqual(server.panics, []);
      });
    }
  });
}

onServer('a server alone', {}, {
  'who cannot log in is told the same, whatever is wrong': async ({ t, url }) => {
    for (const auth of [
      { username: USERNAME, password: 'a guess' },
      { username: 'admin', password: PASSWORD },
      { username: USERNAME },
      { sessionId: '4102444800.00' },
      {},
    ]) {
      assert.deepEqual(await Administrator.refused(t, url, auth), REFUSAL, JSON.stringify(auth));
    }
  },

  'who logs in is told what may be done, and has a session for the next time': async ({ t, url }) => {
    const first = await Administrator.enter(t, url);
    const [{ supportedFeatures }] = await first.sees('config');
    assert.deepEqual([...supportedFeatures].sort(), [...ACTIONS, 'AGGREGATED_EVENTS', 'ALL_EVENTS'].sort());
    const [sessionId] = await first.sees('session');
    first.close();
    const again = await Administrator.enter(t, url, { sessionId });
    await again.sees('all_sockets');
    assert.deepEqual(again.all('session'), [], 'it needs no other session');
    const forged = sessionId.replace(/.$/, (letter) => (letter === '0' ? '1' : '0'));
    assert.deepEqual(await Administrator.refused(t, url, { sessionId: forged }), REFUSAL);
  },

  'who comes is told of the sockets that are there, and their rooms': async ({ t, url, world }) => {
    const user = world.user('alice');
    const room = world.id('room');
    const alice = await world.member(user, room);
    const admin = await Administrator.enter(t, url);
    const [sockets] = await admin.sees('all_sockets');
    const socket = sockets.find(({ id }) => id === alice.id);
    assert.deepEqual([socket.nsp, socket.transport], ['/', 'websocket']);
    assert.deepEqual(roomsOf(socket), [alice.id, `room:${room}`, `user:${user.id}`].sort());
    assert.deepEqual(socket.data, { userId: user.id, username: user.name });
    assert.match(socket.clientId, /^[0-9a-f]{12}$/);
    assert.ok(!alice.socket.io.engine.id.includes(socket.clientId), 'it is no part of the session id');
    assert.equal(socket.handshake.address, '127.0.0.1');
    isTime(socket.handshake.time);
    assert.deepEqual(socket.handshake.auth, {}, 'the token stays with the server');
    assert.ok(sockets.some(({ id, nsp }) => id === admin.id && nsp === '/admin'));
  },

  'the figures of the server come every two seconds': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    const alice = await world.connect(world.user('alice'));
    const [stats] = await admin.sees('server_stats', connected(1));
    assert.ok(stats.serverId.startsWith(`${stats.hostname}#`), stats.serverId);
    assert.deepEqual([stats.clientsCount, stats.pollingClientsCount], [2, 0]);
    assert.ok(stats.uptime > 0 && stats.pid > 0);
    alice.close();
    const left = ({ type, count }) => type === 'rawDisconnection' && count === 1;
    await admin.sees('server_stats', ({ aggregatedEvents }) => aggregatedEvents.some(left));
  },

  'sockets are shown as they come, move between rooms, and go': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    await admin.sees('all_sockets');
    const [user, room] = [world.user('alice'), world.id('room')];
    const alice = await world.connect(user);
    const [socket, at] = await admin.sees('socket_connected', ({ id }) => id === alice.id);
    assert.deepEqual(roomsOf(socket), [alice.id, `user:${user.id}`].sort());
    isTime(at);
    assertOk(await alice.ask('join:room', room));
    await admin.sees('room_joined', inRoom(`room:${room}`, alice.id));
    assertOk(await alice.ask('leave:room', room));
    isTime((await admin.sees('room_left', inRoom(`room:${room}`, alice.id)))[3]);
    const { id } = alice;
    alice.close();
    const [, , reason] = await admin.sees('socket_disconnected', byId(id));
    assert.match(reason, /^(client disconnect|transport close)$/);
    await admin.sees('room_left', inRoom(`user:${user.id}`, id));
  },

  'a client that upgrades is shown to': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    await admin.sees('all_sockets');
    const alice = await world.connect(world.user('alice'), { transports: ['polling', 'websocket'] });
    const [{ id, nsp }] = await admin.sees('socket_updated', ({ transport }) => transport === 'websocket');
    assert.deepEqual([id, nsp], [alice.id, '/']);
  },

  'events are shown in both directions, with their arguments': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    await admin.sees('all_sockets');
    const [alice, bob] = [await connect(world, 'alice'), await connect(world, 'bob')];
    const room = world.id('room');
    for (const one of [alice, bob]) assertOk(await one.ask('join:room', room));
    assertOk(await alice.ask('message:send', { roomId: room, content: 'hello' }));
    const [nsp, , args, at] = await admin.sees('event_received', named('message:send', alice.id));
    assert.deepEqual([nsp, args], ['/', ['message:send', { roomId: room, content: 'hello' }]]);
    isTime(at);
    for (const one of [alice, bob]) {
      const [, , [, message]] = await admin.sees('event_sent', named('message:new', one.id));
      assert.equal(message.content, 'hello');
    }
    await alice.ask('auth:refresh', 'a.secret.token');
    await alice.ask('later');
    await admin.sees('event_received', named('later', alice.id));
    assert.ok(!JSON.stringify(admin.all('event_received')).includes('secret'), 'tokens are not shown');
    const body = { event: 'news', args: ['x'.repeat(20_000)], to: { sockets: [bob.id] } };
    assert.equal((await world.service('POST', '/api/emit', body)).status, 202);
    const [, , large] = await admin.sees('event_sent', named('news', bob.id));
    assert.match(large[1], /^\(\d+ bytes\)$/, 'of what is large its size is shown');
    const own = admin.all('event_sent').filter(([namespace]) => namespace === '/admin');
    assert.deepEqual(own, [], 'what administrators are told is not told them again');
  },

  'more events than can be shown are left out, and later ones are shown': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    await admin.sees('all_sockets');
    const alice = await connect(world, 'alice');
    for (let n = 0; n < MANY; n += 1) alice.tell('many', n);
    const lost = () => metric({ url }, LOST, { reason: 'rate' });
    await eventually(async () => (await lost()) > 0, 'some are left out');
    await alice.ask('many', MANY);
    const shown = admin.all('event_received').filter(([, , [name]]) => name === 'many');
    assert.ok(shown.length < MANY, `${shown.length} are shown`);
    await eventually(() => {
      alice.tell('later');
      return admin.all('event_received').some(([, , [name]]) => name === 'later');
    }, 'later ones are shown');
  },

  'an administrator emits, and lets sockets join, leave and end': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    const [alice, bob] = [await connect(world, 'alice'), await connect(world, 'bob')];
    admin.tell('join', '/', 'vip', alice.id);
    await admin.sees('room_joined', inRoom('vip', alice.id));
    admin.tell('emit', '/', 'vip', 'hello', { n: 1 }, Buffer.from([1, 2]));
    assert.deepEqual(await alice.next('hello'), { n: 1 });
    admin.tell('emit', '/', undefined, 'everybody');
    for (const one of [alice, bob]) await one.next('everybody');
    assert.deepEqual(bob.heard('hello'), []);
    admin.tell('leave', '/', 'vip', alice.id);
    await admin.sees('room_left', inRoom('vip', alice.id));
    admin.tell('_disconnect', '/', false, bob.id);
    assert.equal(await bob.next(DISCONNECTED), 'io server disconnect');
    assert.ok(alice.socket.connected);
  },

  'what does not fit is refused, and the next one is done': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    const alice = await world.connect(world.user('alice'));
    for (const wrong of [
      ['emit', '/nowhere', alice.id, 'hello'],
      ['emit', '/', alice.id, 'disconnect'],
      ['emit', '/', { a: 1 }, 'hello'],
      ['emit'],
      ['join', '/', ''],
      ['_disconnect'],
    ]) {
      assert.equal((await admin.ask(...wrong)).ok, false, JSON.stringify(wrong));
    }
    assertOk(await admin.ask('emit', '/', alice.id, 'hello', 1));
    assert.equal(await alice.next('hello'), 1);
  },
});

onServer('a server whose administrators only look', { ROOMCAST_ADMIN__READ_ONLY: 'true' }, {
  'they are shown everything, and can do nothing': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    const [{ supportedFeatures }] = await admin.sees('config');
    assert.deepEqual([...supportedFeatures].sort(), ['AGGREGATED_EVENTS', 'ALL_EVENTS']);
    const alice = await world.connect(world.user('alice'));
    await admin.shown(alice.id);
    for (const action of [
      ['emit', '/', alice.id, 'hello'],
      ['join', '/', 'vip', alice.id],
      ['leave', '/', alice.id, alice.id],
      ['_disconnect', '/', true, alice.id],
    ]) {
      assert.equal((await admin.ask(...action)).code, 'unknown_event');
    }
    await world.settle(alice);
    assert.deepEqual(alice.heard('hello'), []);
    assert.deepEqual(admin.all('room_joined').filter(([, room]) => room === 'vip'), []);
  },
});

onServer('a server in production', { ROOMCAST_ADMIN__MODE: 'production' }, {
  'figures are shown, and neither sockets nor events': async ({ t, url, world }) => {
    const admin = await Administrator.enter(t, url);
    const [{ supportedFeatures }] = await admin.sees('config');
    assert.deepEqual([...supportedFeatures].sort(), [...ACTIONS, 'AGGREGATED_EVENTS'].sort());
    const alice = await world.member(world.user('alice'), world.id('room'));
    await admin.sees('server_stats', connected(1));
    alice.close();
    await admin.sees('server_stats', connected(0));
    for (const event of SIGHTS) assert.deepEqual(admin.all(event), [], event);
  },
});

onServer('a server whose password is guessed', {}, {
  'who has failed too often is refused with the right one, too; a session goes on': async ({ t, url }) => {
    const [sessionId] = await (await Administrator.enter(t, url)).sees('session');
    const guess = { username: USERNAME, password: 'a guess' };
    for (let n = 0; n < MAX_FAILURES; n += 1) {
      assert.deepEqual(await Administrator.refused(t, url, guess), REFUSAL);
    }
    assert.deepEqual(await Administrator.refused(t, url, undefined), REFUSAL);
    await Administrator.enter(t, url, { sessionId });
  },
});

test('without a configuration there is no such namespace', { timeout: LIMIT_MS }, async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const { message } = await Administrator.refused(t, server.url);
  assert.equal(message, 'Invalid namespace');
});
