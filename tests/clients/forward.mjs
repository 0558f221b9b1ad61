// Events that the operator's backend answers, also where it is slow, dead, or talks nonsense.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { WEBSOCKET } from './away.mjs';
import { DIALECTS } from './client.mjs';
import { ENVELOPE, HOOK_SECRET, HttpBackend, NEVER, configured, json } from './http_backend.mjs';
import { eventually, metric } from './observe.mjs';
import { ROOT, folder, start } from './program.mjs';
import { Server } from './server.mjs';
import { World, assertOk, assertRefused } from './world.mjs';

const LIMIT_MS = 60_000;
/** Longer than a backend takes that answers. */
const AMPLE_MS = 20_000;
/** For one that does not. */
const TIMEOUT_MS = 1_000;
const PAUSE_MS = 2_000;
const IN_FLIGHT = 4;
const FAILURES = 3;
const ANSWER_BYTES = 10_000;

const rule = (backend, event, more = '', timeoutMs = AMPLE_MS) => `
[[forward]]
event = "${event}"
url = "${backend.url(`/${event}`)}"
secret = "${HOOK_SECRET}"
timeout_ms = ${timeoutMs}
max_in_flight = ${IN_FLIGHT}
failures = ${FAILURES}
pause_ms = ${PAUSE_MS}
response_bytes = ${ANSWER_BYTES}
${more}
`;

/** A server that forwards these events, and a world on it. */
async function scene(t, rules, { dialect = '4.8', settings = {}, timeoutMs } = {}) {
  const backend = await HttpBackend.start(t);
  const lines = rules.map(([event, more]) => rule(backend, event, more, timeoutMs)).join('');
  const env = { ...configured(t, lines), ...DIALECTS[dialect].settings, ...settings };
  const server = await Server.start(env);
  const world = new World(server, DIALECTS[dialect], WEBSOCKET);
  t.after(async () => {
    world.close();
    await server.stop();
    assert.deepEqual(server.panics, []);
    assert.deepEqual(backend.faults, []);
  });
  return { backend, server, world };
}

/** Nothing waits for a backend any more. */
const idle = (server) =>
  eventually(async () => (await metric(server, 'roomcast_forwards_in_flight')) === 0, 'nothing is under way');

const specify = (sentence, run) => test(sentence, { timeout: LIMIT_MS }, run);

specify('an event goes to the backend, signed, and the response is the ack', async (t) => {
  const { backend, world } = await scene(t, [['order:place']]);
  backend.on('/order:place', ({ args }) => json({ ok: true, total: args[0].price * args[1] }));
  const room = world.id('lobby');
  const user = world.user('alice', { roles: ['vendor'] });
  const alice = await world.member(user, room);
  const ack = await alice.ask('order:place', { price: 5 }, 3);
  assert.deepEqual(ack, { ok: true, total: 15 });

  const [{ headers, body }] = backend.requests;
  const { id, rooms, sentAt, ...rest } = body;
  assert.deepEqual(rest, {
    event: 'order:place',
    args: [{ price: 5 }, 3],
    namespace: '/',
    socketId: alice.id,
    userId: user.id,
    username: user.name,
    roles: ['vendor'],
  });
  assert.equal(headers['webhook-id'], id);
  assert.deepEqual(rooms.sort(), [alice.id, `room:${room}`, `user:${user.id}`].sort());
  assert.ok(Math.abs(Date.now() - Date.parse(sentAt)) < LIMIT_MS);
  assertRefused(await alice.ask('order:cancel'), 'unknown_event');
});

specify('whatever JSON the response is, it is the ack as it stands', async (t) => {
  const { backend, world } = await scene(t, [['say']]);
  const alice = await world.connect(world.user('alice'));
  const looksLikeOne = { ack: 1, emit: [{ event: 'x', to: { sockets: [alice.id] } }] };
  for (const value of [{ ok: false, code: 'sold_out' }, [1, [2]], 'text', 0, null, looksLikeOne]) {
    backend.on('/say', () => json(value));
    assert.deepEqual(await alice.ask('say'), value);
  }
  backend.on('/say', () => ({ status: 204 }));
  assert.deepEqual(await alice.ask('say'), { ok: true });
  await world.settle(alice);
  assert.deepEqual(alice.heard('x'), []);
});

specify('an envelope has events sent before the ack, whoever asked for one', async (t) => {
  const { backend, world } = await scene(t, [['order:place']]);
  const room = world.id('kitchen');
  const [alice, bob] = [await world.member(world.user('alice'), room), await world.member(world.user('bob'), room)];
  const emit = [
    { event: 'order:new', args: [7, { table: 2 }], to: { rooms: [`room:${room}`] }, except: { sockets: [alice.id] } },
    { event: 'order:mine', args: [7], to: { sockets: [alice.id] } },
  ];
  backend.on('/order:place', () => json({ ack: { ok: true, id: 7 }, emit }, { type: `${ENVELOPE}; charset=utf-8` }));
  assert.deepEqual(await alice.ask('order:place'), { ok: true, id: 7 });
  assert.deepEqual(alice.heard('order:mine'), [7], 'before the ack');
  assert.equal(await bob.next('order:new'), 7);
  alice.tell('order:place');
  assert.equal(await bob.next('order:new'), 7);
  assert.equal(alice.heard('order:new').length, 0);
});

specify('one socket\'s events wait for each other, those of others do not', async (t) => {
  const { backend, world } = await scene(t, [['step']]);
  const order = [];
  let answered;
  const bobIsAnswered = new Promise((resolve) => {
    answered = resolve;
  });
  backend.on('/step', async ({ args: [n], userId }) => {
    if (n === 1 && userId === slow.id) await bobIsAnswered;
    order.push(`${userId}:${n}`);
    return json(n);
  });
  const slow = world.user('alice');
  const [alice, bob] = [await world.connect(slow), await world.connect(world.user('bob'))];
  const all = [1, 2, 3].map((n) => alice.ask('step', n));
  assert.equal(await bob.ask('step', 1), 1);
  assert.ok(!order.includes(`${slow.id}:1`), 'bob did not wait for alice');
  answered();
  assert.deepEqual(await Promise.all(all), [1, 2, 3]);
  assert.deepEqual(order.filter((one) => one.startsWith(slow.id)), [1, 2, 3].map((n) => `${slow.id}:${n}`));
});

for (const dialect of ['4.8', 'msgpack']) {
  specify(`binary goes to the backend as base64, with the parser of ${dialect}`, async (t) => {
    const { backend, world } = await scene(t, [['upload']], { dialect });
    backend.on('/upload', ({ args }) => json(args));
    const alice = await world.connect(world.user('alice'));
    const ack = await alice.ask('upload', { file: Buffer.from([1, 2, 255]), name: 'a' }, Buffer.from('hi'));
    assert.deepEqual(ack, [{ file: { _binary: 'AQL/' }, name: 'a' }, { _binary: 'aGk=' }]);
  });
}

specify('who may send the event is a matter of the rule', async (t) => {
  const guests = { settings: { ROOMCAST_AUTH__GUESTS: 'true' } };
  const rules = [['public', 'who = "guest"'], ['private'], ['drive', 'who = "driver"']];
  const { backend, world } = await scene(t, rules, guests);
  const guest = await world.connect(undefined);
  assertOk(await guest.ask('public'));
  assert.deepEqual([backend.requests[0].body.userId, backend.requests[0].body.username], [null, null]);
  assertRefused(await guest.ask('private'), 'unauthenticated');
  const alice = await world.connect(world.user('alice'));
  assertRefused(await alice.ask('drive'), 'forbidden');
  assertOk(await (await world.connect(world.user('dora', { roles: ['driver'] }))).ask('drive'));
  assert.equal(backend.requests.length, 2);
});

specify('a refusal of the backend is told in its words, and does not count against it', async (t) => {
  const { backend, world } = await scene(t, [['pay']]);
  const alice = await world.connect(world.user('alice'));
  backend.on('/pay', () => json({ error: 'No such card' }, { status: 422 }));
  for (let n = 0; n < 2 * FAILURES; n += 1) {
    const ack = await alice.ask('pay');
    assert.deepEqual(ack, { ok: false, error: 'No such card', code: 'backend_refused' });
  }
  alice.tell('pay');
  const error = await alice.next('error');
  assert.deepEqual(error, { message: 'No such card', code: 'backend_refused', event: 'pay' });
  backend.on('/pay', () => json({ detail: 'Too late' }, { status: 409, type: 'application/problem+json' }));
  assert.equal((await alice.ask('pay')).error, 'Too late');
});

specify('a slow backend fails its event in time, and those beyond the limit at once', async (t) => {
  const { backend, server, world } = await scene(t, [['slow']], { timeoutMs: TIMEOUT_MS });
  backend.on('/slow', () => NEVER);
  const clients = [];
  for (let n = 0; n < IN_FLIGHT + 2; n += 1) clients.push(await world.connect(world.user(`u${n}`)));
  const began = Date.now();
  const first = clients.slice(0, IN_FLIGHT).map((one) => one.ask('slow'));
  await eventually(() => backend.now === IN_FLIGHT, 'as many as may are under way');
  for (const one of clients.slice(IN_FLIGHT)) assertRefused(await one.ask('slow'), 'backend_busy');
  assert.ok(Date.now() - began < TIMEOUT_MS, 'at once');
  for (const ack of await Promise.all(first)) assertRefused(ack, 'timed_out');
  assert.ok(Date.now() - began < 4 * TIMEOUT_MS, `after ${Date.now() - began} ms`);
  assert.equal(backend.most, IN_FLIGHT);
  await idle(server);
  await eventually(() => backend.now === 0, 'no connection is left behind');
});

specify('a dead backend is left alone after some failures, and tried again after a while', async (t) => {
  const { backend, server, world } = await scene(t, [['ask']]);
  const alice = await world.connect(world.user('alice'));
  backend.on('/ask', () => json('alive'));
  assert.equal(await alice.ask('ask'), 'alive');
  await backend.stop();
  for (let n = 0; n < FAILURES; n += 1) assertRefused(await alice.ask('ask'), 'backend_unavailable');
  assert.equal(await metric(server, 'roomcast_forward_circuit_open', { event: 'ask' }), 1);

  // It is back, but nobody asks it before the time.
  await backend.listen();
  const before = backend.requests.length;
  assertRefused(await alice.ask('ask'), 'backend_unavailable');
  assert.equal(backend.requests.length, before);
  await eventually(async () => (await alice.ask('ask')) === 'alive', 'it is asked again');
  assert.equal(await alice.ask('ask'), 'alive');
  assert.equal(await metric(server, 'roomcast_forward_circuit_open', { event: 'ask' }), 0);
});

specify('one probe decides for all that wait for a backend', async (t) => {
  const { backend, world } = await scene(t, [['ask']]);
  const clients = [];
  for (let n = 0; n < 3; n += 1) clients.push(await world.connect(world.user(`u${n}`)));
  backend.on('/ask', () => ({ status: 503 }));
  for (let n = 0; n < FAILURES; n += 1) assertRefused(await clients[0].ask('ask'), 'backend_failed');
  backend.on('/ask', () => NEVER);
  const before = backend.requests.length;
  let probe;
  await eventually(() => {
    probe ??= clients[0].ask('ask').then((ack) => {
      if (ack?.code === 'backend_unavailable') probe = undefined;
      return ack;
    });
    return backend.requests.length > before;
  }, 'a probe is under way');
  for (const one of clients.slice(1)) assertRefused(await one.ask('ask'), 'backend_unavailable');
  backend.on('/ask', () => json('well'));
  backend.release(json('well'));
  assert.equal(await probe, 'well');
  for (const one of clients) assert.equal(await one.ask('ask'), 'well');
});

specify('what is no answer is a failure of its event, and changes nothing', async (t) => {
  const { backend, server, world } = await scene(t, [['odd']]);
  const alice = await world.connect(world.user('alice'));
  const emit = { event: 'x', to: { sockets: [alice.id] } };
  const envelope = (body) => json(body, { type: ENVELOPE });
  const nonsense = [
    { text: '<h1>Welcome</h1>', type: 'text/html' },
    { text: '{"ok":', type: 'application/json' },
    { text: '', type: ENVELOPE },
    envelope({ ack: 1, emits: [] }),
    envelope({ ack: 1, emit: [emit, { ...emit, event: 'disconnect' }] }),
    envelope({ ack: 1, emit: [emit, { event: 'x', to: {} }] }),
    json('x'.repeat(ANSWER_BYTES)),
    { status: 302, headers: { location: backend.url('/elsewhere') } },
    { status: 500, text: 'no' },
  ];
  for (const answer of nonsense) {
    backend.on('/odd', () => answer);
    assertRefused(await alice.ask('odd'), 'backend_failed');
    backend.on('/odd', () => json('well'));
    assert.equal(await alice.ask('odd'), 'well');
  }
  await world.settle(alice);
  assert.deepEqual(alice.heard('x'), [], 'none of an answer that does not fit');
  assert.equal(backend.bodies('/elsewhere').length, 0);
  await idle(server);
});

specify('a client that goes does not leave its event behind', async (t) => {
  const { backend, server, world } = await scene(t, [['slow']], { timeoutMs: TIMEOUT_MS });
  backend.on('/slow', () => NEVER);
  for (let n = 0; n < IN_FLIGHT; n += 1) {
    const client = await world.connect(world.user(`u${n}`));
    client.tell('slow');
    await backend.body('/slow', ({ userId }) => userId === world.id(`u${n}`));
    client.close();
  }
  await idle(server);
  backend.on('/slow', () => json('well'));
  const alice = await world.connect(world.user('alice'));
  await eventually(async () => (await alice.ask('slow')) === 'well', 'there is place again');
});

specify('the example of a backend answers, and has the kitchen told', async (t) => {
  const env = { SECRET: HOOK_SECRET, PORT: '0' };
  const file = join(ROOT, 'examples', 'backend', 'backend.py');
  const example = start(t, `exec python3 '${file}'`, { cwd: await folder(t), env });
  const port = await eventually(() => /^listening on (\d+)$/.exec(example.lines[0])?.[1], 'it listens');
  const url = (path) => `http://127.0.0.1:${port}${path}`;
  const lines = ['order:place', 'order:other'].map((event) => rule({ url }, event)).join('');
  const server = await Server.start(configured(t, lines));
  const world = new World(server, DIALECTS['4.8'], WEBSOCKET);
  t.after(async () => {
    world.close();
    await server.stop();
  });
  const user = world.user('alice');
  const [alice, bob] = [await world.connect(user), await world.member(world.user('bob'), 'kitchen')];
  const { order } = assertOk(await alice.ask('order:place', ['soup']));
  assert.deepEqual([order.of, order.items], [user.id, ['soup']]);
  assert.deepEqual(await bob.next('order:new'), order);
  assert.equal((await alice.ask('order:other')).error, 'No such event');
  const unsigned = await fetch(url('/'), { method: 'POST', body: '{}' });
  assert.equal(unsigned.status, 401);
});
