// The examples of backends and drivers, unchanged: the Python driver and the Node worker.

import assert from 'node:assert/strict';
import { appendFile, copyFile, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { WEBSOCKET } from './away.mjs';
import { DIALECTS } from './client.mjs';
import { withCluster } from './cluster.mjs';
import { eventually, metric } from './observe.mjs';
import { Program, ROOT, folder, start } from './program.mjs';
import { Proxy } from './proxy.mjs';
import { Station, Stream } from './sse.mjs';
import { Worker } from './worker.mjs';
import { World } from './world.mjs';

const LIMIT_MS = 40_000;
const EXAMPLES = join(ROOT, 'examples');
const MODULES = join(ROOT, 'tests', 'clients', 'node_modules');
const DRIVER = `python3 '${join(EXAMPLES, 'python-driver', 'driver.py')}'`;
const TOO_FAST = /not sent: HTTP Error 429/;
const DRIVERS_ROUTE = '/api/driver/{driverId}/location';

const serve = async (t, settings) => (await Station.start(t, settings)).server;

/** A world on these nodes that is gone after the test. */
function inhabit(t, nodes) {
  const world = new World(nodes, DIALECTS['4.8'], WEBSOCKET);
  t.after(() => world.close());
  return world;
}

const reports = (server, status) =>
  metric(server, 'roomcast_http_requests_total', { route: DRIVERS_ROUTE, method: 'POST', status });

const DRIVER_OFFLINE = 'the Python driver sends what it kept without a network as one list';
test(DRIVER_OFFLINE, { timeout: LIMIT_MS }, async (t) => {
  const server = await serve(t);
  const [line, cwd] = [await Proxy.open(server.url), await folder(t)];
  t.after(() => line.close());
  const world = inhabit(t, server);
  const dora = world.user('dora', { roles: ['driver'] });
  const alice = await world.connect(world.user('alice'));
  assert.equal((await alice.ask('watch-delivery', dora.id)).location, null);

  const gps = join(cwd, 'gps');
  await writeFile(gps, '');
  const env = { SERVER_URL: line.url, TOKEN: dora.token };
  const driver = start(t, `tail -n +1 -f gps | ${DRIVER} ${dora.id} 2>&1`, { cwd, env });
  await appendFile(gps, '52.52,13.40,90,8.3\n');
  const { timestamp, ...first } = await alice.next('location-update');
  assert.deepEqual(first, { driverId: dora.id, lat: 52.52, lng: 13.4, heading: 90, speed: 8.3 });
  assert.ok(Math.abs(Date.now() - timestamp) < LIMIT_MS);
  await driver.says(/^1 sent$/);

  line.cut();
  await appendFile(gps, '52.53,13.41\n');
  await driver.says(/^1 not sent: /);
  await appendFile(gps, '52.54,13.42\n52.55,13.43\n');
  await driver.says(/^3 not sent: /);
  line.mend();
  await driver.says(/^3 sent$/);
  const last = await alice.next('location-update');
  assert.deepEqual([last.lat, last.lng], [52.55, 13.43]);
  assert.equal(await reports(server, '204'), 2);

  // A latitude that there is not makes the server refuse the whole list; the next one is sent.
  line.cut();
  const before = driver.lines.length;
  const says = (pattern) =>
    eventually(() => driver.lines.slice(before).some((said) => pattern.test(said)), String(pattern));
  await appendFile(gps, 'no fix\n95.00,13.44\n52.56,13.44\n');
  await says(/^no position: no fix$/);
  await says(/^2 not sent: /);
  line.mend();
  await says(/^2 not sent: HTTP Error 400/);
  await appendFile(gps, '52.57,13.45\n');
  assert.equal((await alice.next('location-update')).lat, 52.57);
  assert.deepEqual([await reports(server, '204'), await reports(server, '400')], [3, 1]);
});

test('the Python driver waits as it is told, and drops what is refused', { timeout: LIMIT_MS }, async (t) => {
  const server = await serve(t, { ROOMCAST_LIMITS__REQUESTS_PER_SECOND: '1' });
  const [world, cwd] = [inhabit(t, server), await folder(t)];
  const dora = world.user('dora', { roles: ['driver'] });
  const env = { SERVER_URL: server.url, TOKEN: dora.token };

  // Reports as fast as they go are too fast, soon.
  const gps = join(cwd, 'gps');
  await writeFile(gps, '');
  const driver = start(t, `tail -n +1 -f gps | ${DRIVER} ${dora.id} 2>&1`, { cwd, env });
  let positions = 0;
  for (const seen = () => driver.lines.length; !driver.lines.some((line) => TOO_FAST.test(line)); ) {
    const before = seen();
    positions += 1;
    await appendFile(gps, '52.52,13.40\n');
    await eventually(() => seen() > before, 'the driver has tried');
  }
  const sent = () => driver.lines.map((line) => Number(/^(\d+) sent$/.exec(line)?.[1] ?? 0));
  await eventually(() => sent().reduce((sum, n) => sum + n) === positions, 'all are sent');
  const early = driver.lines.filter((line, n) => TOO_FAST.test(line) && TOO_FAST.test(driver.lines[n - 1]));
  assert.deepEqual(early, []);

  await driver.stop();
  const refused = await new Program(`echo 52.52,13.40 | ${DRIVER} another`, { cwd, env }).ended();
  assert.deepEqual([refused.code, refused.stdout], [0, ''], refused.stderr);
  assert.match(refused.stderr, /^1 not sent: HTTP Error 403/m);
  assert.equal(await reports(server, '403'), 1);
});

const read = async (...path) => JSON.parse(await readFile(join(...path, 'package.json'), 'utf8'));

/** The worker in a folder where `npm install` has been run. */
async function installed(t) {
  const cwd = await folder(t);
  for (const file of ['package.json', 'worker.mjs']) {
    await copyFile(join(EXAMPLES, 'node-worker', file), join(cwd, file));
  }
  await symlink(MODULES, join(cwd, 'node_modules'));
  const [{ dependencies }, { version }] = [await read(cwd), await read(MODULES, 'redis')];
  assert.deepEqual(dependencies, { redis: `^${version}` });
  return cwd;
}

/** Two devices of each of these users, one on each node, in this room. */
async function devicesOf(world, users, room) {
  const both = async (user) => [await world.member(user, room), await world.member(user, room)];
  const devices = {};
  for (const [name, user] of Object.entries(users)) devices[name] = await both(user);
  return devices;
}

const LISTENED = ['inventory-update', 'new-order', 'notification', 'order:paid'];
const counts = (client) => LISTENED.map((event) => client.heard(event).length);

const WORKER = 'what the Node worker publishes reaches each of its readers once, on two nodes';
test(WORKER, { timeout: LIMIT_MS }, (t) => withCluster(t, { nodes: 2, isDirect: true }, async (cluster) => {
  const world = inhabit(t, cluster.nodes);
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const vera = world.user('vera', { roles: ['vendor'] });
  const [room, productId] = [world.id('kitchen'), world.number()];
  const devices = await devicesOf(world, { alice, bob, vera }, room);
  for (const one of devices.bob) await one.ask('join-product-room', String(productId));
  const path = `/api/vendor/${vera.id}/notifications/stream`;
  const stream = await Stream.open(world.url, path, { as: vera.token });
  t.after(() => stream.close());
  await stream.next(({ event }) => event === 'connected', 'the stream is open');

  const env = { REDIS_URL: cluster.redis.url };
  const worker = start(t, 'exec node worker.mjs', { cwd: await installed(t), env });
  await worker.says(/^waiting for checkouts$/);
  const order = { id: 'o1', vendorId: vera.id, userId: alice.id, productId };
  const checkout = JSON.stringify({ ...order, roomId: room, left: 6 });
  await Worker.at(t, cluster.redis).run('RPUSH', 'checkouts', 'no order', checkout);

  for (const one of devices.bob) assert.equal(await one.next('inventory-update'), 6);
  for (const one of devices.vera) assert.deepEqual(ordered(await one.next('new-order')), order);
  const { data } = await stream.next(({ event }) => event === 'new-order', 'the order');
  assert.deepEqual(ordered(data), order);
  for (const one of devices.alice) {
    const { title, orderId } = await one.next('notification');
    assert.deepEqual([title, orderId], ['We have your order', 'o1']);
  }
  const all = Object.values(devices).flat();
  for (const one of all) assert.deepEqual(await one.next('order:paid'), { orderId: 'o1' });

  await world.settle(...all);
  const expected = { alice: [0, 0, 1, 1], bob: [1, 0, 0, 1], vera: [0, 1, 0, 1] };
  for (const [name, both] of Object.entries(devices)) {
    for (const one of both) assert.deepEqual(counts(one), expected[name], name);
  }
  assert.equal(stream.events.filter(({ event }) => event === 'new-order').length, 1);
  assert.equal((await worker.stop()).code, 0);
}));

/** An order without what the server adds to it. */
const ordered = ({ entryId, createdAt, ...order }) => {
  assert.ok(entryId && Date.parse(createdAt));
  return order;
};
