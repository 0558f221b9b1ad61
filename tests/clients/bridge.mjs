// What workers publish on the channels that exist, and what they hear, on two nodes.

import assert from 'node:assert/strict';

import { three, withWorker } from './bridge_scene.mjs';
import { assertComplete, eventually, upTo } from './observe.mjs';
import { Station } from './sse.mjs';
import { onTwoNodes } from './two_nodes.mjs';

const MESSAGES = 400;
const STORED = 150;

/** What a client was given with an event: all of its arguments. */
const argumentsOf = (client, event) => {
  const heard = [];
  client.socket.on(event, (...args) => heard.push(args));
  return heard;
};

/** An entry without what is its own. */
const content = ({ id, createdAt, ...rest }) => {
  assert.equal(typeof id, 'string');
  assert.ok(!Number.isNaN(Date.parse(createdAt)), createdAt);
  return rest;
};

/** An event stream of each node that has begun. */
async function streamsOf(t, cluster, kind, owner) {
  const feeds = cluster.nodes.map((node) => Station.at(t, node).feed(kind, owner));
  const streams = await Promise.all(feeds.map((feed) => feed.read()));
  for (const stream of streams) await stream.next(({ event }) => event === 'connected', 'the stream begins');
  return { feeds, streams };
}

const told = (stream) => stream.events.filter(({ event }) => event !== 'connected');

onTwoNodes('what workers publish reaches the clients of two nodes', {}, withWorker({
  'stock goes to the room of its product, which may be a number or text': async ({ worker, a, b, both }) => {
    const [product, other] = [a.number(), b.number()];
    const [alice, bob, carol] = await three({ a, b });
    const watch = async (client, id) => assert.equal((await client.ask('join-product-room', id)).ok, true);
    await watch(alice, product);
    await watch(bob, String(product));
    await watch(carol, other);
    const stock = [[product, 7], [String(product), 0], [product, 2.5]];
    for (const [productId, newInventory] of stock) {
      await worker.publish('inventory-updates', { productId, newInventory });
      for (const client of [alice, bob]) await client.next('inventory-update', (n) => n === newInventory);
    }
    await both.settle(alice, bob, carol);
    const heard = [alice, bob, carol].map((client) => client.heard('inventory-update'));
    assert.deepEqual(heard, [[7, 0, 2.5], [7, 0, 2.5], []]);
  },

  'who begins to look at a product is shown what a worker has published': async ({ worker, a, b }) => {
    const [product, alice] = [a.number(), await a.connect(a.user('alice'))];
    await alice.ask('join-product-room', product);
    await worker.publish('inventory-updates', { productId: product, newInventory: 12 });
    await alice.next('inventory-update');
    const bob = await b.connect(b.user('bob'));
    assert.equal((await bob.ask('join-product-room', String(product))).inventory, 12);
    assert.equal(await bob.next('inventory-update'), 12);
  },

  'an order is like a posted one: told, stored, replayed': async ({ t, cluster, worker, a, b, both }) => {
    const vendor = a.user('vendor', { roles: ['vendor'] });
    const devices = [await a.connect(vendor), await b.connect(vendor)];
    const stranger = await b.connect(b.user('stranger', { roles: ['vendor'] }));
    const { feeds, streams } = await streamsOf(t, cluster, 'orders', vendor.id);
    const order = { items: [{ sku: 'tea', count: 2 }], total: 12.5, note: 'no sugar ☕' };
    await worker.publish('orders', { vendorId: vendor.id, ...order });
    const first = await devices[0].next('new-order');
    await feeds[1].post(order);
    const isPosted = ({ id }) => id === feeds[1].posted[0];
    for (const stream of streams) await stream.next(isPosted, 'the order that was posted');
    const entries = told(streams[0]);
    assert.deepEqual(entries.map(({ event }) => event), ['new-order', 'new-order']);
    assert.deepEqual(content(entries[0].data), content(entries[1].data));
    assert.deepEqual(entries[0].data, first);
    const ids = entries.map(({ id }) => id);
    assert.deepEqual([streams[1].ids, await feeds[0].listed(), await feeds[1].listed()], [ids, ids, ids]);
    const replay = await feeds[1].read({ headers: { 'last-event-id': '0' } });
    await replay.next(({ id }) => id === ids[1], 'the replay');
    assert.deepEqual(replay.ids, ids);
    await both.settle(...devices, stranger);
    for (const device of devices) assert.deepEqual(device.heard('new-order').map(({ id }) => id), ids);
    assert.deepEqual(stranger.heard('new-order'), []);
  },

  "a notification is for its channel's user, and is stored": async ({ t, cluster, worker, a, b, both }) => {
    const [alice, bob] = [a.user('alice'), b.user('bob')];
    const devices = [await a.connect(alice), await b.connect(alice)];
    const other = await b.connect(bob);
    const { feeds, streams } = await streamsOf(t, cluster, 'notifications', alice.id);
    const texts = [{ title: 'one', userId: bob.id }, 'two', 3, ['four'], null, { event: 'parcel', n: 6 }];
    for (const text of texts) await worker.publish(`notifications:${alice.id}`, JSON.stringify(text));
    for (const device of devices) assert.equal((await device.next('parcel')).n, 6);
    for (const stream of streams) await stream.next(({ event }) => event === 'parcel', 'the last');
    await both.settle(...devices, other);
    for (const device of devices) {
      const [first, ...others] = device.heard('notification');
      assert.deepEqual(content(first), { title: 'one', userId: alice.id });
      assert.deepEqual(others, ['two', 3, ['four'], null]);
    }
    assert.deepEqual([other.heard('notification'), other.heard('parcel')], [[], []]);
    const entries = await feeds[1].entries();
    assert.deepEqual(entries.map(({ seq }) => seq), upTo(6));
    for (const stream of streams) assert.deepEqual(stream.ids, entries.map(({ id }) => id));
  },

  'an event goes to a chat room or to the devices of a user alone': async ({ worker, a, b, both }) => {
    const room = a.id('room');
    const users = { alice: a.user('alice'), bob: b.user('bob') };
    const alice = await a.member(users.alice, room);
    const [phone, laptop] = [await a.connect(users.bob), await b.member(users.bob, room)];
    const outside = await b.member(b.user('carol'), a.id('other'));
    const all = [alice, phone, laptop, outside];
    const heard = all.map((client) => ['sale', 'secret'].map((event) => argumentsOf(client, event)));
    for (const more of [{ data: { off: [10, null] } }, {}, { data: null }]) {
      await worker.publish(`broadcast:room:${room}`, { event: 'sale', ...more });
    }
    await worker.publish(`broadcast:user:${users.bob.id}`, { event: 'secret', data: 'for bob' });
    for (const device of [phone, laptop]) await device.next('secret');
    await both.settle(...all);
    const args = [[{ off: [10, null] }], [], [null]];
    const secret = [['for bob']];
    assert.deepEqual(heard, [[args, []], [[], secret], [args, secret], [[], []]]);
  },

  'an id may have colons and more than letters': async ({ worker, a, b, both }) => {
    const room = `${a.id('room')}:user:bob [*?] é日`;
    const [alice, bob] = [await a.member(a.user('alice'), room), await b.member(b.user('bob:x'), room)];
    await worker.publish(`broadcast:room:${room}`, { event: 'sale', data: 1 });
    await worker.publish(`notifications:${b.id('bob:x')}`, { n: 1 });
    for (const client of [alice, bob]) assert.equal(await client.next('sale'), 1);
    assert.equal((await bob.next('notification')).n, 1);
    await both.settle(alice, bob);
    for (const client of [alice, bob]) assert.deepEqual(client.heard('sale'), [1]);
    assert.equal(bob.heard('notification').length, 1);
  },

  'many messages come once, in the order of their channel': async ({ t, cluster, worker, a, b, both }) => {
    const room = a.id('room');
    const user = a.user('alice', { roles: ['vendor'] });
    const devices = [await a.member(user, room), await b.member(user, room)];
    const { streams } = await streamsOf(t, cluster, 'orders', user.id);
    const said = [];
    for (const n of upTo(MESSAGES)) {
      said.push(worker.publish(`broadcast:room:${room}`, { event: 'told', data: { n } }));
      said.push(worker.publish(`broadcast:user:${user.id}`, { event: 'whispered', data: { n } }));
      if (n > STORED) continue;
      said.push(worker.publish(`notifications:${user.id}`, { n }));
      said.push(worker.publish('orders', { vendorId: user.id, n }));
    }
    const listeners = await Promise.all(said);
    assert.deepEqual([...new Set(listeners)], [cluster.nodes.length]);
    const counts = { told: MESSAGES, whispered: MESSAGES, notification: STORED, 'new-order': STORED };
    for (const [event, count] of Object.entries(counts)) {
      for (const device of devices) {
        await eventually(() => device.heard(event).length >= count, `${count} of ${event}`);
      }
    }
    await both.settle(...devices);
    for (const [event, count] of Object.entries(counts)) {
      for (const device of devices) assertComplete(device.heard(event).map(({ n }) => n), count, event);
    }
    for (const stream of streams) {
      await eventually(() => told(stream).length >= STORED, 'all on the stream');
      assertComplete(told(stream).map(({ data }) => data.n), STORED, 'the stream');
    }
  },

  'the same message published twice is two messages': async ({ worker, a, b, both }) => {
    const room = a.id('room');
    const devices = [await a.member(a.user('alice'), room), await b.member(b.user('bob'), room)];
    for (let n = 0; n < 10; n += 1) await worker.publish(`broadcast:room:${room}`, { event: 'tick' });
    for (const device of devices) await eventually(() => device.heard('tick').length >= 10, 'ten ticks');
    await both.settle(...devices);
    for (const device of devices) assert.equal(device.heard('tick').length, 10);
  },

  'workers hear of each change of presence once, whichever node it is on': async ({ worker, a, b }) => {
    const updates = await worker.listen('presence:updates');
    const user = a.user('alice');
    const of = ({ id }) => updates.filter(({ userId }) => userId === id);
    const hears = (who, count) => eventually(() => of(who).length >= count, `${count} changes of ${who.id}`);
    const phone = await a.connect(user);
    await hears(user, 1);
    const laptop = await b.connect(user);
    await laptop.ask('presence:update', 'busy');
    await hears(user, 2);
    phone.close();
    laptop.close();
    await hears(user, 3);
    // What a node published before these is heard before them.
    for (const world of [a, b]) {
      const bob = world.user(`bob-${world.url.slice(-5)}`);
      await world.connect(bob);
      await hears(bob, 1);
    }
    assert.deepEqual(of(user).map(({ status }) => status), ['online', 'busy', 'offline']);
    for (const { lastSeen, ...update } of of(user)) {
      assert.deepEqual(Object.keys(update).sort(), ['status', 'userId']);
      const isTime = !Number.isNaN(Date.parse(lastSeen));
      assert.ok(isTime || update.status === 'online', `${update.status}: ${lastSeen}`);
    }
  },
}));
