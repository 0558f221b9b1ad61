// What shows that two nodes act as one: each check has its own users and takes what it needs of Redis.

import assert from 'node:assert/strict';

import { say } from './away.mjs';
import { DISCONNECTED } from './client.mjs';
import { eventually, upTo } from './observe.mjs';
import { assertOk } from './world.mjs';

const AT_ONCE_MS = 1_000;
/** What a worker publishes waits for a node that takes it up, which may have gone: 3 s, and time to look. */
const TAKEN_UP_MS = 8_000;
const BERLIN = { lat: 52.52, lng: 13.405 };

/** The stream that nodes are to read, as lines of a configuration. */
export const STREAM = 'order-stream';
export const RELAY = `[[relay]]\nstream = "${STREAM}"\nas = "orders"\n`;

/** A device on each node, of two users who share a room. */
async function roommates({ a, b }) {
  const room = a.id('room');
  const users = { alice: a.user('alice'), bob: b.user('bob') };
  return { room, users, alice: await a.member(users.alice, room), bob: await b.member(users.bob, room) };
}

/** What the watcher has heard of this user. */
export const statusesOf = (watcher, { id }) =>
  watcher.heard('presence:changed', ({ userId }) => userId === id).map(({ status }) => status);

/** The values that it heard. The last one may come again: nodes read anew what they may have missed. */
const stocks = (watcher) =>
  watcher.heard('inventory-update').filter((value, n, all) => value !== all[n - 1]);

export const CHECKS = {
  'messages of both nodes come to both in one order': async (scene) => {
    const { room, alice, bob } = await roommates(scene);
    const sent = [];
    for (const n of upTo(10)) sent.push(await say(n % 2 ? alice : bob, room, `message ${n}`));
    await scene.both.settle(alice, bob);
    for (const client of [alice, bob]) assert.deepEqual(client.heard('message:new'), sent);
  },

  'a user with a device on each node comes online once and goes offline once': async ({ a, b, both }) => {
    const watchers = [await a.connect(a.user('alice')), await b.connect(b.user('bob'))];
    const carol = a.user('carol');
    const devices = [await a.connect(carol), await b.connect(carol)];
    for (const watcher of watchers) {
      const isThere = async () => {
        const { presence } = assertOk(await watcher.ask('presence:get', [carol.id]));
        return presence[carol.id].status === 'online' && presence[carol.id].devices === 2;
      };
      await eventually(isThere, 'both devices are known', AT_ONCE_MS);
    }
    devices.forEach((device) => device.close());
    const isOver = ({ userId, status }) => userId === carol.id && status === 'offline';
    for (const watcher of watchers) await watcher.next('presence:changed', isOver);
    await both.settle(...watchers);
    for (const watcher of watchers) assert.deepEqual(statusesOf(watcher, carol), ['online', 'offline']);
  },

  'typing is seen on the other node': async (scene) => {
    const { room, users, alice, bob } = await roommates(scene);
    assertOk(await alice.ask('typing:start', room));
    const isTyping = ({ userId, typing }) => userId === users.alice.id && typing;
    await bob.next('typing:user', isTyping, AT_ONCE_MS);
    await scene.both.settle(bob);
    assert.equal(bob.heard('typing:user').length, 1);
  },

  'a driver is watched on the other node, by late watchers too': async ({ a, b }) => {
    const driver = a.user('driver', { roles: ['driver'] });
    const drive = async (position) => {
      const path = `/api/driver/${driver.id}/location`;
      assert.equal((await a.http('POST', path, { as: driver, body: position })).status, 204);
    };
    const alice = await b.connect(b.user('alice'));
    assertOk(await alice.ask('watch-delivery', driver.id));
    await drive(BERLIN);
    assert.equal((await alice.next('location-update', undefined, AT_ONCE_MS)).lat, BERLIN.lat);
    const bob = await b.connect(b.user('bob'));
    assert.equal(assertOk(await bob.ask('watch-delivery', driver.id)).location.lat, BERLIN.lat);
  },

  'stock that is set at one node comes to the watchers of both': async ({ a, b, both }) => {
    const product = a.id('lamp');
    const watchers = [await a.connect(a.user('alice')), await b.connect(b.user('bob'))];
    for (const watcher of watchers) assertOk(await watcher.ask('join-product-room', product));
    const put = await a.service('PUT', `/api/products/${product}/inventory`, { newInventory: 7 });
    assert.equal(put.status, 204, put.text);
    for (const watcher of watchers) {
      assert.equal(await watcher.next('inventory-update', undefined, AT_ONCE_MS), 7);
    }
    await both.settle(...watchers);
    for (const watcher of watchers) assert.deepEqual(stocks(watcher), [7]);
  },

  'what workers publish is heard once on each node': async (scene) => {
    const { form, a, both } = scene;
    const { room, alice, bob } = await roommates(scene);
    const product = a.id('lamp');
    for (const client of [alice, bob]) assertOk(await client.ask('join-product-room', product));
    for (const n of upTo(5)) {
      await form.publish(`broadcast:room:${room}`, { event: 'worked', data: n });
      await form.publish('inventory-updates', { productId: product, newInventory: n });
    }
    for (const client of [alice, bob]) {
      await client.next('worked', (n) => n === 5, TAKEN_UP_MS);
      await client.next('inventory-update', (n) => n === 5, TAKEN_UP_MS);
    }
    await both.settle(alice, bob);
    for (const client of [alice, bob]) {
      assert.deepEqual(client.heard('worked'), upTo(5));
      assert.deepEqual(stocks(client), upTo(5));
    }
  },

  'what workers add to a stream is heard once on each node': async ({ form, a, b, both }) => {
    const vendor = a.user('vendor', { roles: ['vendor'] });
    const devices = [await a.connect(vendor), await b.connect(vendor)];
    for (const n of upTo(5)) await form.append(STREAM, { vendorId: vendor.id, n });
    for (const device of devices) await device.next('new-order', ({ n }) => n === 5, TAKEN_UP_MS);
    await both.settle(...devices);
    for (const device of devices) {
      assert.deepEqual(device.heard('new-order').map(({ n }) => n), upTo(5));
    }
  },

  "a user's sessions are ended on the other node within a second": async ({ a, b }) => {
    const users = { alice: a.user('alice'), bob: b.user('bob') };
    const [alice, bob] = [await b.connect(users.alice, { reconnection: false }), await b.connect(users.bob)];
    const ended = await a.service('DELETE', `/api/users/${users.alice.id}/sessions`);
    assert.equal(ended.status, 204, ended.text);
    await alice.next(DISCONNECTED, undefined, AT_ONCE_MS);
    await b.settle(bob);
    assert.deepEqual(bob.heard(DISCONNECTED), []);
  },
};

