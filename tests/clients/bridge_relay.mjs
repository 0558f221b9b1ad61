// Rules for other channels and for Redis Streams, on two nodes, and what becomes of messages that do
// not fit.

import assert from 'node:assert/strict';

import { RULED, counted, sum, three, withWorker } from './bridge_scene.mjs';
import { DISCONNECTED } from './client.mjs';
import { MIB, assertComplete, eventually, upTo } from './observe.mjs';
import { unique } from './server.mjs';
import { Station } from './sse.mjs';
import { onTwoNodes } from './two_nodes.mjs';

const MESSAGES = 300;
const PRODUCTS = 150;
const CHANGES = 3;
/** More than a client or a backend may send. */
const HUGE_BYTES = 2 * MIB;
const LOGGED_WITHIN_MS = 2_000;

/** What Redis knows of the group that reads the stock. */
const group = async (worker) => (await worker.run('XINFO', 'GROUPS', 'stock-stream')).join(' ');

const watch = async (client, table) => assert.equal((await client.ask('watch-table', table)).ok, true);

const read = (t, cluster, node, kind, owner) => Station.at(t, cluster.nodes[node]).feed(kind, owner);

/** Every line that a node writes from now on. */
function linesOf(node) {
  const { onLine } = node;
  const lines = [];
  node.onLine = (line) => {
    onLine(line);
    lines.push(line);
  };
  return lines;
}

const rules = {
  "a rule takes the id from the channel, the argument from the message": async ({ worker, a, b, both }) => {
    const [table, other] = [a.id('7'), a.id('8')];
    const [alice, bob, carol] = await three({ a, b });
    await watch(alice, table);
    await watch(bob, table);
    await watch(carol, other);
    const values = [{ free: true }, [1, 2], 'text', 0, false, null];
    for (const data of values) await worker.publish(`tables:${table}:changed`, { data, hidden: 'not told' });
    for (const client of [alice, bob]) await client.next('table-changed', (value) => value === null);
    await both.settle(alice, bob, carol);
    const heard = [alice, bob, carol].map((client) => client.heard('table-changed'));
    assert.deepEqual(heard, [values, values, []]);
  },

  "a rule takes the id from the message, which is the argument": async ({ worker, a, b, both }) => {
    const table = a.number();
    const [alice, bob] = [await a.connect(a.user('alice')), await b.connect(b.user('bob'))];
    await watch(alice, table);
    await watch(bob, String(table));
    const messages = [{ table: { id: table }, seat: 1 }, { table: { id: String(table) }, seat: 2 }];
    for (const message of messages) await worker.publish('seats', message);
    for (const client of [alice, bob]) await client.next('seat-taken', ({ seat }) => seat === 2);
    await both.settle(alice, bob);
    for (const client of [alice, bob]) assert.deepEqual(client.heard('seat-taken'), messages);
  },

  'of many messages of a rule each comes once and in order': async ({ worker, a, b, both }) => {
    const table = a.id('table');
    const clients = [await a.connect(a.user('alice')), await b.connect(b.user('bob'))];
    for (const client of clients) await watch(client, table);
    await Promise.all(upTo(MESSAGES).map((data) => worker.publish(`tables:${table}:changed`, { data })));
    for (const client of clients) {
      await eventually(() => client.heard('table-changed').length >= MESSAGES, 'all of them');
    }
    await both.settle(...clients);
    for (const client of clients) assertComplete(client.heard('table-changed'), MESSAGES, client.label);
  },

  "an event of a stream's entry comes once, with several fields or one": async ({ worker, a, b, both }) => {
    const table = a.id('table');
    const clients = [await a.connect(a.user('alice')), await b.connect(b.user('bob'))];
    for (const client of clients) await watch(client, table);
    await worker.add('seat-stream', { data: { table, seat: 1 }, trace: 'x' });
    await worker.add('seat-stream', { anything: { table, seat: 2 } });
    for (const client of clients) await eventually(() => client.heard('seat-free').length >= 2, 'both seats');
    await both.settle(...clients);
    for (const client of clients) assert.deepEqual(client.heard('seat-free').sort(), [1, 2]);
  },

  'orders and notifications of streams are stored once': async ({ t, cluster, worker, a, b, both }) => {
    const user = a.user('alice', { roles: ['vendor'] });
    const devices = [await a.connect(user), await b.connect(user)];
    const kinds = { orders: ['order-stream', 'new-order'], notifications: ['note-stream', 'notification'] };
    const numbers = upTo(MESSAGES).map((n) => ({ n, userId: user.id, vendorId: user.id }));
    for (const [kind, [stream, event]] of Object.entries(kinds)) {
      await Promise.all(numbers.map((message) => worker.addMessage(stream, message)));
      for (const device of devices) {
        await eventually(() => device.heard(event).length >= MESSAGES, `all ${kind}`);
      }
      await both.settle(...devices);
      const stored = (await read(t, cluster, 1, kind, user.id).entries()).map(({ n }) => n);
      assertComplete([...stored].sort((one, two) => one - two), MESSAGES, `${kind}, as stored`);
      for (const device of devices) assert.deepEqual(device.heard(event).map(({ n }) => n), stored);
    }
  },

  'stock of a stream ends at what was added last': async ({ worker, a, both }) => {
    const products = upTo(PRODUCTS).map(() => a.number());
    for (const productId of products) {
      for (const newInventory of upTo(CHANGES)) {
        await worker.addMessage('stock-stream', { productId, newInventory });
      }
    }
    const isTaken = async () => / pending 0 .* lag 0$/.test(await group(worker));
    await eventually(isTaken, 'every entry is taken up');
    const carol = await both.connect(both.user('carol'));
    const shown = await Promise.all(products.map((product) => carol.ask('join-product-room', product)));
    const older = shown.map(({ inventory }) => inventory).filter((stock) => stock !== CHANGES);
    assert.deepEqual(older, [], `${older.length} of ${PRODUCTS} products ended at an older stock`);
  },
};

/** Of each channel, as metrics name it: messages that do not fit. */
const WRONG = {
  'inventory-updates': [
    '', 'no JSON', '[1, 2]', '7', '{"productId": 1}', '{"productId": {}, "newInventory": 1}',
    '{"productId": 1, "newInventory": "7"}',
  ],
  orders: ['{"total": 1}', '{"vendorId": ""}', '{"vendorId": [1]}'],
  notifications: ['{"event": 7}', '{"event": "connect"}'],
  'broadcast:room': [
    '', '7', '[]', '{"data": 1}', '{"event": 7}', '{"event": "disconnect", "data": 1}', '{"event": "x"',
  ],
  'broadcast:user': ['', 'null', '{"data": {}}'],
};

/** A user who hears everything, and a device of theirs on each node. */
async function everywhere({ a, b }) {
  const user = a.user('alice', { roles: ['vendor'] });
  const ids = { user: user.id, room: a.id('room'), product: a.number(), table: a.id('table') };
  const devices = [await a.member(user, ids.room), await b.member(user, ids.room)];
  for (const device of devices) {
    await device.ask('join-product-room', ids.product);
    await watch(device, ids.table);
  }
  const channels = {
    'inventory-updates': 'inventory-updates',
    orders: 'orders',
    notifications: `notifications:${ids.user}`,
    'broadcast:room': `broadcast:room:${ids.room}`,
    'broadcast:user': `broadcast:user:${ids.user}`,
    tables: `tables:${ids.table}:changed`,
    seats: 'seats',
  };
  return { ids, devices, channels };
}

/** Shows that each channel and a stream are served on, and that nobody was disconnected. */
async function assertServed(worker, { ids, devices, channels }) {
  const mark = `mark ${unique()}`;
  const { user, product, table } = ids;
  const stock = Number.parseInt(unique(), 16);
  await worker.publish('inventory-updates', { productId: product, newInventory: stock });
  await worker.publish('orders', { vendorId: user, mark });
  await worker.publish(channels.notifications, { mark });
  await worker.publish(channels['broadcast:room'], { event: 'to-room', data: mark });
  await worker.publish(channels['broadcast:user'], { event: 'to-user', data: mark });
  await worker.publish(channels.tables, { data: mark });
  await worker.publish('seats', { table: { id: table }, mark });
  await worker.addMessage('seat-stream', { table, seat: mark });
  await worker.addMessage('note-stream', { userId: user, event: 'note', mark });
  for (const device of devices) {
    await device.next('inventory-update', (value) => value === stock);
    for (const event of ['to-room', 'to-user', 'table-changed', 'seat-free']) {
      await device.next(event, (value) => value === mark);
    }
    for (const event of ['new-order', 'notification', 'seat-taken', 'note']) {
      await device.next(event, (value) => value.mark === mark);
    }
    assert.deepEqual(device.heard(DISCONNECTED), []);
  }
}

const complaints = (lines, channel) =>
  lines.filter((line) => line.includes('does not fit') && line.includes(`"${channel}"`)).length;

/** Some node complains of it, and none more than once. */
async function assertComplained(lines, channel) {
  const counts = () => lines.map((ofNode) => complaints(ofNode, channel));
  const isSaid = () => Math.max(...counts()) > 0;
  await eventually(isSaid, `${channel} is named in the log`, LOGGED_WITHIN_MS);
  assert.equal(Math.max(...counts()), 1, `${channel}: the nodes logged it ${counts()} times`);
}

const misfits = {
  'what does not fit is counted, logged once, the next is served': async ({ cluster, worker, ...worlds }) => {
    const scene = await everywhere(worlds);
    const lines = cluster.nodes.map(linesOf);
    for (const [channel, messages] of Object.entries(WRONG)) {
      for (const message of messages) await worker.publish(scene.channels[channel], message);
    }
    await assertServed(worker, scene);
    const found = {};
    for (const channel of Object.keys(WRONG)) {
      const bad = ['invalid', 'refused'].map((outcome) => counted(cluster, { channel, outcome }));
      found[channel] = sum((await Promise.all(bad)).flat());
    }
    const expected = Object.entries(WRONG).map(([channel, { length }]) => [channel, length]);
    assert.deepEqual(found, Object.fromEntries(expected));
    for (const channel of Object.keys(WRONG)) await assertComplained(lines, channel);
  },

  'what does not fit a rule or a stream is logged under its name': async ({ cluster, worker, ...worlds }) => {
    const scene = await everywhere(worlds);
    const lines = cluster.nodes.map(linesOf);
    for (let n = 0; n < 3; n += 1) {
      await worker.publish(scene.channels.tables, { other: 1 });
      await worker.publish('seats', { table: { id: {} } });
      await worker.add('seat-stream', { one: '{}', two: '{}' });
      await worker.addMessage('order-stream', { total: 1 });
    }
    await assertServed(worker, scene);
    for (const name of ['tables:{id}:changed', 'seats', 'seat-stream', 'order-stream']) {
      await assertComplained(lines, name);
    }
  },

  'bytes, depths and names that are no text are harmless': async ({ worker, ...worlds }) => {
    const scene = await everywhere(worlds);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const deep = '['.repeat(100_000);
    const payloads = [
      bytes, deep, deep + deep.replaceAll('[', ']'), '\0', '', `{"event": "x", "data": ${'9'.repeat(400)}}`,
      '{"event": "x", "event": 2}', '{"event": "x", "data": 1e999}', '{"data": "\\ud800"}',
    ];
    const names = [bytes, '', ' ', 'x'.repeat(257), 'a\nb', '\0', '../..', Buffer.from([0xff, 0xfe])];
    for (const prefix of ['broadcast:room:', 'broadcast:user:', 'notifications:', 'tables:']) {
      for (const name of names) {
        const channel = Buffer.concat([Buffer.from(prefix), Buffer.from(name)]);
        await worker.publish(channel, { event: 'x', data: 1 });
      }
    }
    for (const payload of payloads) {
      for (const channel of Object.values(scene.channels)) await worker.publish(channel, payload);
      await worker.add('note-stream', { data: payload });
    }
    await assertServed(worker, scene);
  },

  'what is larger than any client may send is refused, as over HTTP': async ({ worker, ...worlds }) => {
    const scene = await everywhere(worlds);
    const { user } = scene.ids;
    const data = 'x'.repeat(HUGE_BYTES);
    const posted = await worlds.a.service('POST', '/api/orders', { vendorId: user, data });
    assert.equal(posted.status, 413);
    await worker.publish('orders', { vendorId: user, data });
    await worker.publish(scene.channels['broadcast:room'], { event: 'huge', data });
    await worker.publish(scene.channels.tables, { data });
    await worker.addMessage('note-stream', { userId: user, event: 'huge', data });
    await worker.publish(scene.channels['broadcast:room'], data);
    await assertServed(worker, scene);
    for (const device of scene.devices) {
      const huge = ['huge', 'new-order', 'table-changed'].flatMap((event) =>
        device.heard(event, (value) => JSON.stringify(value).length > HUGE_BYTES));
      assert.equal(huge.length, 0, `${huge.length} were heard`);
    }
  },
};

onTwoNodes('rules for other channels and for streams, and what does not fit', RULED,
  withWorker({ ...rules, ...misfits }));
