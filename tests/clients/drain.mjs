// SIGTERM under load: what was accepted is kept, clients are closed at a pace and come back by
// themselves, the process ends in time.
//
// CONNECTIONS=n changes how many are connected.

import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { test } from 'node:test';

import { CONNECTED, Client, DIALECTS, DISCONNECTED } from './client.mjs';
import { MIB, elapse, eventually, history, upTo } from './observe.mjs';
import { freePort } from './proxy.mjs';
import { Raw, inBatches, within } from './raw.mjs';
import { API_KEY, Server, mint, request } from './server.mjs';

const CONNECTIONS = Number(process.env.CONNECTIONS ?? 2_000);
const SENDERS = 12;
const IN_FLIGHT = 4;
const PER_SECOND = 500;
const DEADLINE_MS = 30_000;
const LIMIT_MS = 180_000;
const ROOM = 'drained';
const BACK_WITHIN_MS = 20_000;
const FLOWS_WITHIN_MS = 60_000;
/** What stock clients come back from by themselves. */
const TRANSPORT_REASONS = ['transport close', 'transport error'];

/** WebSocket, polling with upgrade, and polling alone. */
const WAYS = [['websocket'], undefined, ['polling']];

const token = (sub) => mint({ sub, rooms: ['*'] });

/** A stock client that keeps some messages in flight for as long as it is connected. */
class Sender {
  constructor(url, n) {
    this.acked = [];
    this.refused = [];
    this.sent = 0;
    this.client = new Client(url, {
      dialect: DIALECTS['4.8'],
      transport: WAYS[n % WAYS.length],
      token: token(`sender-${n}`),
      label: `sender ${n}`,
    });
    this.gone = this.client.next(DISCONNECTED, undefined, LIMIT_MS);
  }

  async start() {
    await this.client.next(CONNECTED);
    assert.equal((await this.client.ask('join:room', ROOM)).ok, true);
    upTo(IN_FLIGHT).forEach(() => this.#send());
  }

  #send() {
    const { socket } = this.client;
    if (!socket.connected || this.isDone) return;
    this.sent += 1;
    const message = { roomId: ROOM, content: `${this.client.label}, message ${this.sent}` };
    socket.emit('message:send', message, (ack) => {
      if (ack.ok) this.acked.push(ack.message);
      else this.refused.push(ack.code);
      this.#send();
    });
  }

  /** Sends nothing after the disconnection that is to come. */
  async stopWhenGone() {
    const reason = await this.gone;
    this.isDone = true;
    return reason;
  }
}

/** Asks /readyz over one connection that was open before; resolves with the status or an error code. */
function readiness(server, agent) {
  return new Promise((resolve) => {
    get(`${server.url}/readyz`, { agent, timeout: 2_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', (error) => resolve(error.code));
  });
}

/** The most that fell into one second. */
function mostInASecond(times) {
  const sorted = [...times].sort((a, b) => a - b);
  let from = 0;
  return sorted.reduce((most, at, to) => {
    while (sorted[from] <= at - 1_000) from += 1;
    return Math.max(most, to - from + 1);
  }, 0);
}

const sentence = `SIGTERM under ${CONNECTIONS} connections loses nothing that was accepted, and ends in time`;
test(sentence, { timeout: LIMIT_MS }, async (t) => {
  const server = await Server.start({
    ROOMCAST_SERVER__DRAIN_PER_SECOND: String(PER_SECOND),
    ROOMCAST_PRESENCE__AUDIENCE: 'roommates',
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const raws = await inBatches(CONNECTIONS, 200, (n) =>
    Raw.connect(server.url, { token: token(`idle-${n}`), label: `idle ${n}` }));
  const senders = upTo(SENDERS).map((n) => new Sender(server.url, n));
  try {
    await Promise.all(senders.map((sender) => sender.start()));
    // Who polls may fall behind the others.
    const isFlowing = () => senders.every(({ acked }) => acked.length > 20);
    await eventually(isFlowing, 'messages are flowing', FLOWS_WITHIN_MS);
    assert.equal(await readiness(server, agent), 200);
    // One of them reads nothing, and more waits for it than the kernel takes.
    const [hanging, ...idle] = raws;
    hanging.pause();
    for (let bytes = 0; bytes < 32 * MIB; bytes += 500_000) {
      const body = { event: 'filling', args: ['x'.repeat(500_000)], to: { sockets: [hanging.id] } };
      await request(server.url, 'POST', '/api/emit', { as: API_KEY, body });
    }

    const began = Date.now();
    server.signal('SIGTERM');
    const answers = [];
    const firstGone = Promise.race([...idle.map((raw) => raw.ended), ...senders.map(({ gone }) => gone)]);
    let isDraining = false;
    firstGone.then(() => {
      isDraining = true;
    });
    const ended = server.ended().finally(() => agent.destroy());
    while (server.isRunning) {
      const isLate = isDraining;
      const answer = await readiness(server, agent);
      if (isLate || answer !== 200) answers.push(answer);
      await elapse(20);
    }
    const code = await within(DEADLINE_MS, ended, 'the process did not end');
    const took = Date.now() - began;
    const reasons = await Promise.all(senders.map((sender) => sender.stopWhenGone()));
    const times = (await Promise.all(idle.map((raw) => raw.ended))).map(({ at }) => at - began);
    const seconds = (Math.max(...times) - Math.min(...times)) / 1_000;
    const acked = senders.flatMap((sender) => sender.acked);
    const refused = senders.flatMap((sender) => sender.refused);
    const most = mostInASecond(times);
    t.diagnostic(`exit after ${took} ms; ${times.length} closes over ${seconds.toFixed(1)} s, at most ${most} in a second`);
    const kinds = (all) => [...new Set(all)].join(', ') || 'none';
    t.diagnostic(`${acked.length} acked, refused: ${kinds(refused)}; /readyz: ${kinds(answers)}`);

    assert.equal(code, 0);
    assert.equal(raws.reduce((sum, { goodbyes }) => sum + goodbyes, 0), 0, 'clients were told to stay away');
    assert.deepEqual(reasons.filter((reason) => !TRANSPORT_REASONS.includes(reason)), []);
    assert.ok(!answers.includes(200), `ready while draining: ${answers.slice(0, 20)}`);
    const expected = CONNECTIONS / PER_SECOND;
    assert.ok(seconds > expected / 2, `${times.length} closes within ${seconds} s`);
    assert.ok(most < 2 * PER_SECOND, `${most} closes within a second`);

    await server.startAgain();
    await Promise.all(senders.map(({ client }) => client.next(CONNECTED, undefined, BACK_WITHIN_MS)));
    const stored = await history(server, ROOM);
    assert.deepEqual(stored.map(({ seq }) => seq), upTo(stored.length), 'seq has a hole');
    const byId = new Map(stored.map((message) => [message.id, message]));
    const lost = acked.filter(({ id, seq, content }) => byId.get(id)?.seq !== seq || byId.get(id).content !== content);
    t.diagnostic(`${stored.length} stored`);
    assert.deepEqual(lost, [], 'acked and not stored');
  } finally {
    senders.forEach(({ client }) => client.close());
    raws.forEach((raw) => raw.destroy());
    await server.stop();
  }
});

/** A server that closes one connection a second, with more of them than it has seconds. */
async function sluggish(settings, run) {
  const server = await Server.start({ ROOMCAST_SERVER__DRAIN_PER_SECOND: '1', ...settings });
  const raws = await inBatches(60, 60, (n) => Raw.connect(server.url, { token: token(`idle-${n}`) }));
  try {
    await run(server, raws);
  } finally {
    raws.forEach((raw) => raw.destroy());
    await server.stop();
  }
}

test('who asks while it drains is told that it is not ready, and why', { timeout: LIMIT_MS }, async () => {
  const ops = `127.0.0.1:${await freePort()}`;
  await sluggish({ ROOMCAST_OPS__LISTEN: ops }, async (server, raws) => {
    const ready = () => request(`http://${ops}`, 'GET', '/readyz');
    assert.equal((await ready()).status, 200);
    server.signal('SIGTERM');
    await within(10_000, Promise.race(raws.map((raw) => raw.ended)), 'nothing was closed');
    const answer = await ready();
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.body.reasons, ['draining']);
    server.signal('SIGTERM');
  });
});

test('a second SIGTERM ends the process at once, with exit code 1', { timeout: LIMIT_MS }, (t) =>
  sluggish({}, async (server, raws) => {
    server.signal('SIGTERM');
    await within(10_000, Promise.race(raws.map((raw) => raw.ended)), 'nothing was closed');
    assert.ok(server.isRunning, 'the pace was not kept');
    const began = Date.now();
    server.signal('SIGTERM');
    assert.equal(await within(2_000, server.ended(), 'the process did not end'), 1);
    t.diagnostic(`ended after ${Date.now() - began} ms`);
  }));

test('a drain that would outlast its deadline is hurried', { timeout: LIMIT_MS }, (t) =>
  sluggish({ ROOMCAST_SERVER__DRAIN_DEADLINE_MS: '3000' }, async (server, raws) => {
    const began = Date.now();
    server.signal('SIGTERM');
    assert.equal(await within(3_000 + 2_000, server.ended(), 'the process did not end'), 0);
    t.diagnostic(`ended after ${Date.now() - began} ms`);
    await within(2_000, Promise.all(raws.map((raw) => raw.ended)), 'some were not closed');
    assert.equal(raws.reduce((sum, { goodbyes }) => sum + goodbyes, 0), 0);
  }));
