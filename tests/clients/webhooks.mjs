// What the operator's backend is told of sockets, rooms and users, and asked about clients that connect.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WEBSOCKET } from './away.mjs';
import { CONNECTED, DIALECTS, REFUSED } from './client.mjs';
import { HttpBackend, NEVER, json } from './http_backend.mjs';
import { eventually, metric } from './observe.mjs';
import { Server } from './server.mjs';
import { PATH, ofRoom, ofSocket, ofUser, status, storyOf, tells, told } from './webhooks_scene.mjs';
import { World, assertOk } from './world.mjs';

const LIMIT_MS = 60_000;
/** For a backend that does not answer. */
const TIMEOUT_MS = 1_000;
const HASTY = {
  ROOMCAST_WEBHOOKS__TIMEOUT_MS: String(TIMEOUT_MS),
  ROOMCAST_WEBHOOKS__CONNECT_TIMEOUT_MS: String(TIMEOUT_MS),
};
/** What was dropped is told within this time, once there is room. */
const AGAIN_WITHIN_MS = 30_000;
async function scene(t, settings) {
  const backend = await HttpBackend.start(t);
  const server = await Server.start(told(backend, settings));
  const world = new World(server, DIALECTS['4.8'], WEBSOCKET);
  t.after(async () => {
    world.close();
    await server.stop();
    assert.deepEqual(server.panics, []);
    assert.deepEqual(backend.faults, []);
  });
  return { backend, server, world };
}

const specify = (sentence, run) => test(sentence, { timeout: LIMIT_MS }, run);

specify('sockets, rooms and users are told as they come and go, with versions that rise', async (t) => {
  const { backend, world } = await scene(t);
  const [user, room] = [world.user('alice'), world.id('lobby')];
  const alice = await world.member(user, room);
  const { id } = alice;
  assertOk(await alice.ask('presence:update', 'away'));
  const bob = await world.member(world.user('bob'), room);
  assertOk(await alice.ask('leave:room', room));
  assertOk(await bob.ask('leave:room', room));
  alice.close();
  await tells(backend, ofSocket(id), ['connected', 'disconnected']);
  await tells(backend, ofRoom(room), ['room:occupied', 'room:vacated']);
  await tells(backend, ofUser(user), ['online', 'away', 'offline'], status);

  const [connected, disconnected] = storyOf(backend, ofSocket(id), (hook) => hook);
  const { timestamp, version, id: hookId, ...rest } = connected;
  const data = { socketId: id, namespace: '/', userId: user.id, username: user.name };
  assert.deepEqual(rest, { type: 'connected', data });
  assert.ok(version > 0 && Math.abs(Date.now() - Date.parse(timestamp)) < LIMIT_MS);
  assert.equal(backend.requests.find(({ body }) => body.id === hookId).headers['webhook-id'], hookId);
  assert.deepEqual(disconnected.data, { ...data, reason: 'client_disconnect' });
  const offline = storyOf(backend, ofUser(user), (hook) => hook).at(-1);
  assert.ok(Date.parse(offline.data.lastSeen) <= Date.now());
});

specify('a backend that was away is told what happened meanwhile, in order', async (t) => {
  const { backend, server, world } = await scene(t);
  await backend.stop();
  const [user, room] = [world.user('alice'), world.id('lobby')];
  const alice = await world.member(user, room);
  const { id } = alice;
  assertOk(await alice.ask('presence:update', 'busy'));
  await eventually(async () => {
    return (await metric(server, 'roomcast_webhooks_total', { outcome: 'failed' })) > 2;
  }, 'it was tried again');
  alice.close();
  await backend.listen();
  await tells(backend, ofSocket(id), ['connected', 'disconnected']);
  await tells(backend, ofRoom(room), ['room:occupied', 'room:vacated']);
  await tells(backend, ofUser(user), ['online', 'busy', 'offline'], status);
  const raw = backend.bodies(PATH, ({ data }) => ofUser(user)(data)).map(({ version }) => version);
  assert.deepEqual(raw, [...raw].sort((a, b) => a - b), 'they came in order');
  await eventually(async () => (await metric(server, 'roomcast_webhooks_pending')) === 0, 'nothing waits');
});

specify('what is slow or not taken is sent again, and never more at a time than may be', async (t) => {
  const { backend, world } = await scene(t, { ...HASTY, ROOMCAST_WEBHOOKS__IN_FLIGHT: '3' });
  const seen = new Map();
  backend.on(PATH, ({ id }) => {
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    if (count === 1) return NEVER;
    return count === 2 ? { status: 500 } : { status: 204 };
  });
  const users = ['alice', 'bob', 'carol', 'dave'].map((name) => world.user(name));
  for (const user of users) await world.connect(user);
  for (const user of users) await tells(backend, ofUser(user), ['online'], status, 30_000);
  // Taken too late for the server's limit is sent once more.
  await eventually(() => [...seen.values()].every((count) => count >= 3), 'each is sent until it is taken');
  assert.ok(backend.most <= 3, `${backend.most} at a time`);
});

specify('an answer that does not come holds up nothing but what it is about', async (t) => {
  const { backend, world } = await scene(t, {
    ROOMCAST_WEBHOOKS__IN_FLIGHT: '2',
    ROOMCAST_WEBHOOKS__TIMEOUT_MS: String(LIMIT_MS),
    ROOMCAST_WEBHOOKS__EVENTS: 'connected,disconnected',
  });
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  backend.on(PATH, ({ data }) => (data.userId === alice.id ? NEVER : { status: 204 }));
  const { id } = await world.connect(alice);
  await tells(backend, ofSocket(id), ['connected']);
  for (let n = 0; n < 3; n += 1) {
    const client = await world.connect(bob);
    const { id } = client;
    client.close();
    await tells(backend, ofSocket(id), ['connected', 'disconnected']);
  }
  assert.equal(storyOf(backend, ofSocket(id)).length, 1);
});

specify('of a backend that agrees nothing is read', async (t) => {
  const { backend, server, world } = await scene(t, {
    ROOMCAST_WEBHOOKS__EVENTS: 'connect,connected',
    ROOMCAST_AUTH__GUESTS: 'true',
  });
  const long = 'x'.repeat(1_000_000);
  backend.on(PATH, ({ data }) => ({ status: data.userId === null ? 403 : 200, text: long }));
  const { id } = await world.connect(world.user('alice'));
  await tells(backend, ofSocket(id), ['connected']);
  const count = (outcome) => metric(server, 'roomcast_webhooks_total', { outcome });
  await eventually(async () => (await count('delivered')) === 1, 'it is told');
  assert.equal(backend.bodies(PATH, ({ type }) => type === 'connected').length, 1);
  const refused = await world.dial(undefined).next(REFUSED);
  assert.deepEqual(refused.data, { code: 'connect_refused' });
});

specify('what nobody takes is given up and counted, and what does not fit is dropped', async (t) => {
  const { backend, server, world } = await scene(t, {
    ROOMCAST_WEBHOOKS__GIVE_UP_MS: '300',
    ROOMCAST_WEBHOOKS__MAX_PENDING: '2',
    ROOMCAST_WEBHOOKS__EVENTS: 'connected',
  });
  backend.on(PATH, () => ({ status: 500 }));
  const four = ['alice', 'bob', 'carol', 'dave'].map((name) => world.connect(world.user(name)));
  await Promise.all(four);
  const count = (outcome) => metric(server, 'roomcast_webhooks_total', { outcome });
  await eventually(async () => (await count('dropped')) > 0, 'some are dropped');
  await eventually(async () => (await count('given_up')) > 0, 'some are given up');
  await eventually(async () => (await metric(server, 'roomcast_webhooks_pending')) === 0, 'nothing waits');
  assert.equal((await count('dropped')) + (await count('given_up')), 4);
});

specify('who found no place while too much waited is told of when there is room', async (t) => {
  const { backend, server, world } = await scene(t, {
    ROOMCAST_WEBHOOKS__MAX_PENDING: '2',
    ROOMCAST_WEBHOOKS__EVENTS: 'connected,disconnected',
  });
  backend.on(PATH, () => ({ status: 500 }));
  const stay = await Promise.all(['alice', 'bob', 'carol'].map((name) => world.connect(world.user(name))));
  const dropped = () => metric(server, 'roomcast_webhooks_total', { outcome: 'dropped' });
  await eventually(async () => (await dropped()) === 1, 'one is dropped');
  const find = () => stay.find(({ id }) => storyOf(backend, ofSocket(id)).length > 0);
  await eventually(async () => find() !== undefined, 'one is told');
  const told = find();
  const { id } = told;
  told.close();
  await eventually(async () => (await dropped()) === 2, 'that it went is dropped');
  backend.on(PATH, () => ({ status: 204 }));
  for (const { id } of stay.filter((one) => one !== told)) {
    await tells(backend, ofSocket(id), ['connected'], undefined, AGAIN_WITHIN_MS);
  }
  await tells(backend, ofSocket(id), ['connected', 'disconnected'], undefined, AGAIN_WITHIN_MS);
});

specify('a killed server\'s sockets, rooms and users are told to have gone when it is back', async (t) => {
  const { backend, server, world } = await scene(t);
  const [user, room] = [world.user('alice'), world.id('lobby')];
  const alice = await world.member(user, room);
  const { id } = alice;
  await tells(backend, ofSocket(id), ['connected']);
  await tells(backend, ofRoom(room), ['room:occupied']);
  await tells(backend, ofUser(user), ['online'], status);
  await server.kill();
  alice.close();
  await server.startAgain();
  await tells(backend, ofSocket(id), ['connected', 'disconnected'], undefined, 20_000);
  await tells(backend, ofRoom(room), ['room:occupied', 'room:vacated'], undefined, 20_000);
  await tells(backend, ofUser(user), ['online', 'offline'], status, 20_000);
  const lost = storyOf(backend, ofSocket(id), ({ data }) => data).at(-1);
  assert.deepEqual([lost.reason, lost.userId], ['node_lost', user.id]);

  // Versions go on from there.
  const again = await world.member(user, room);
  await tells(backend, ofRoom(room), ['room:occupied', 'room:vacated', 'room:occupied']);
  await tells(backend, ofUser(user), ['online', 'offline', 'online'], status);
  again.close();
});

specify('what was noted before a kill is told after it', async (t) => {
  const { backend, server, world } = await scene(t);
  await backend.stop();
  const user = world.user('alice');
  const alice = await world.connect(user);
  assertOk(await alice.ask('presence:update', 'away'));
  await eventually(async () => (await metric(server, 'roomcast_webhooks_pending')) > 0, 'they are noted');
  await server.kill();
  alice.close();
  await backend.listen();
  await server.startAgain();
  await eventually(() => storyOf(backend, ofUser(user), status).at(-1) === 'offline', 'all is told');
  assert.ok(storyOf(backend, ofUser(user), status).includes('online'));
});

specify('a server that is told to stop tells what came of that', async (t) => {
  const { backend, server, world } = await scene(t);
  const alice = await world.connect(world.user('alice'));
  const { id } = alice;
  await tells(backend, ofSocket(id), ['connected']);
  alice.socket.io.reconnection(false);
  assert.equal(await server.terminate(), 0);
  await server.startAgain();
  await tells(backend, ofSocket(id), ['connected', 'disconnected']);
  const { reason } = storyOf(backend, ofSocket(id), ({ data }) => data).at(-1);
  assert.equal(reason, 'server_shutdown');
});

const ASKED = { ROOMCAST_WEBHOOKS__EVENTS: 'connect' };

specify('a backend that is asked lets clients in, or refuses them in its words', async (t) => {
  const { backend, world } = await scene(t, { ...ASKED, ROOMCAST_AUTH__GUESTS: 'true' });
  const [alice, mallory] = [world.user('alice', { roles: ['driver'] }), world.user('mallory')];
  backend.on(PATH, ({ data }) =>
    data.userId === mallory.id ? json({ error: 'Banned' }, { status: 403 }) : { status: 204 });
  await world.connect(alice);
  const { type, data } = await backend.body(PATH);
  assert.equal(type, 'connect');
  assert.deepEqual(data, { namespace: '/', userId: alice.id, username: alice.name, roles: ['driver'] });
  const refused = await world.dial(mallory).next(REFUSED);
  assert.deepEqual([refused.message, refused.data], ['Banned', { code: 'connect_refused' }]);
  await world.connect(undefined);
  assert.equal(backend.requests.at(-1).body.data.userId, null);
  assert.equal(backend.requests.length, 3, 'nothing else is told');
});

specify('a backend that is slow, dead or talks nonsense refuses, clearly and in time', async (t) => {
  const { backend, world } = await scene(t, { ...ASKED, ...HASTY });
  const refusal = async () => (await world.dial(world.user('alice')).next(REFUSED)).data.code;
  backend.on(PATH, () => NEVER);
  const began = Date.now();
  assert.deepEqual(await Promise.all([refusal(), refusal()]), Array(2).fill('backend_unavailable'));
  assert.ok(Date.now() - began < 4 * TIMEOUT_MS);
  for (const answer of [{ status: 500 }, { status: 302, headers: { location: '/in' } }]) {
    backend.on(PATH, () => answer);
    assert.equal(await refusal(), 'backend_unavailable');
  }
  await backend.stop();
  assert.equal(await refusal(), 'backend_unavailable');
  await backend.listen();
  backend.on(PATH, () => ({ status: 204 }));
  await world.connect(world.user('alice'));
});

specify('clients beyond those that may be asked about at a time wait for their turn', async (t) => {
  const { backend, world } = await scene(t, { ...ASKED, ROOMCAST_WEBHOOKS__CONNECTS_IN_FLIGHT: '2' });
  backend.on(PATH, () => NEVER);
  const clients = Array.from({ length: 5 }, (_, n) => world.dial(world.user(`u${n}`)));
  await eventually(() => backend.now === 2, 'two are asked about');
  backend.on(PATH, () => ({ status: 204 }));
  backend.release({ status: 204 });
  for (const client of clients) await client.next(CONNECTED);
  assert.equal(backend.most, 2);
});
