// Garbage at each stage of handshake, upgrade and packet stream: the server lives, nobody else
// notices, and nothing of it stays.
//
// SEED=n repeats the random part.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { Client, CONNECTED, DIALECTS, DISCONNECTED } from './client.mjs';
import { BAD_PACKETS, BAD_PAYLOADS, BAD_REQUESTS, FORBIDDEN_FRAMES, TRUNCATED_FRAMES } from './garbage_samples.mjs';
import { MIB, mib, resident, settles } from './observe.mjs';
import { Poller, inBatches, within } from './raw.mjs';
import { Server, mint, request } from './server.mjs';
import { PATH, connected, opened, probed, stagesOf } from './stages.mjs';
import { OPCODE, Wire, frame } from './wire.mjs';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const LIMIT_MS = 120_000;
const AT_ONCE = 40;
/** The server's patience, and how much later than that is in time on a busy machine. */
const PATIENCE_MS = 1_000;
const SLACK_MS = 3_000;
const ROUNDS = 6;
const RANDOM_PER_ROUND = 400;
const GROWTH_LIMIT = 16 * MIB;

const ROOM = 'bystanders';
const TOKEN = mint({ sub: 'mallory', rooms: ['*'] });
const CONNECT = `40${JSON.stringify({ token: TOKEN })}`;
const QUESTION = frame('421["presence:get",[]]');

let server;
let stages;
let alice;
let bob;

const bystander = async (name) => {
  const token = mint({ sub: name, rooms: ['*'] });
  const client = new Client(server.url, { dialect: DIALECTS['4.8'], transport: ['websocket'], token, label: name });
  await client.next(CONNECTED);
  assert.equal((await client.ask('join:room', ROOM)).ok, true);
  return client;
};

before(async () => {
  server = await Server.start({
    ROOMCAST_SOCKET__CONNECT_TIMEOUT_MS: String(PATIENCE_MS),
    ROOMCAST_SOCKET__UPGRADE_TIMEOUT_MS: String(PATIENCE_MS),
    ROOMCAST_SOCKET__PING_INTERVAL_MS: String(PATIENCE_MS),
    ROOMCAST_SOCKET__PING_TIMEOUT_MS: String(PATIENCE_MS),
    ROOMCAST_PRESENCE__AUDIENCE: 'roommates',
  });
  stages = stagesOf(server.url, CONNECT);
  alice = await bystander('alice');
  bob = await bystander('bob');
});

afterEach(async () => {
  Wire.destroyAll();
  assert.equal((await request(server.url, 'GET', '/healthz')).status, 200);
  for (const [from, to] of [[alice, bob], [bob, alice]]) {
    const { ok, message } = await from.ask('message:send', { roomId: ROOM, content: 'still here?' });
    assert.equal(ok, true);
    await to.next('message:new', ({ id }) => id === message.id);
    assert.deepEqual(from.heard(DISCONNECTED), [], `${from.label} was disconnected`);
  }
  await settles(server, 'roomcast_connections', 2);
  await settles(server, 'roomcast_queued_events', 0);
  assert.deepEqual(server.panics, []);
});

after(async () => {
  alice.close();
  bob.close();
  await server.stop();
});

const entries = (samples, of = stages) =>
  Object.entries(of).flatMap(([stage, reach]) =>
    Object.entries(samples).map(([what, bytes]) => ({ what: `${what}, ${stage}`, reach, bytes })));

/** Runs each case with an own connection; all failures are told together. */
async function each(cases, run) {
  const failures = [];
  await inBatches(cases.length, AT_ONCE, (n) =>
    run(cases[n]).catch((error) => failures.push(`${cases[n].what}: ${error.message}`)));
  assert.deepEqual(failures, []);
}

test('a frame that RFC 6455 forbids ends its connection at once, at every stage', { timeout: LIMIT_MS }, async () => {
  // Where nothing ends by a timeout, only the frame can be the reason.
  const patient = await Server.start();
  try {
    await each(entries(FORBIDDEN_FRAMES, stagesOf(patient.url, CONNECT)), async ({ reach, bytes }) => {
      const wire = await reach(bytes);
      await within(SLACK_MS, wire.ended, 'it was not ended');
    });
    await settles(patient, 'roomcast_connections', 0);
    assert.deepEqual(patient.panics, []);
  } finally {
    await patient.stop();
  }
});

test('a frame whose rest never comes ends its connection by a timeout, at every stage', { timeout: LIMIT_MS }, () =>
  each(entries(TRUNCATED_FRAMES), async ({ reach, bytes }) => {
    const wire = await reach(bytes);
    wire.beats = false;
    await within(2 * PATIENCE_MS + SLACK_MS, wire.ended, 'it was not ended');
    wire.destroy();
  }));

test('a connection that breaks within a frame leaves nothing, at every stage', { timeout: LIMIT_MS }, () =>
  each(entries(TRUNCATED_FRAMES), async ({ reach, bytes }) => {
    const wire = await reach(bytes);
    wire.socket.end();
    await within(PATIENCE_MS + SLACK_MS, wire.ended, 'it was not ended');
    wire.destroy();
  }));

test('after a packet without meaning the connection is ended, or it serves on', { timeout: LIMIT_MS }, () =>
  each(Object.entries(BAD_PACKETS).map(([what, bytes]) => ({ what, bytes })), async ({ bytes }) => {
    const wire = await connected(server.url, CONNECT);
    wire.write(bytes, QUESTION);
    await within(SLACK_MS, Promise.race([wire.ended, wire.frame('431')]), 'it was neither ended nor served');
    wire.destroy();
  }));

test('a packet without meaning in the place of CONNECT is no harm either', { timeout: LIMIT_MS }, () =>
  each(Object.entries(BAD_PACKETS).map(([what, bytes]) => ({ what, bytes })), async ({ bytes }) => {
    const wire = await opened(server.url);
    wire.write(bytes, frame(CONNECT));
    const answered = Promise.race([wire.frame('40{"sid"'), wire.frame('44')]);
    await within(PATIENCE_MS + SLACK_MS, Promise.race([wire.ended, answered]), 'it was neither ended nor served');
    wire.destroy();
  }));

test('10,000 claimed attachments that all come are refused or served', { timeout: LIMIT_MS }, async (t) => {
  const before = resident(server);
  const wire = await connected(server.url, CONNECT);
  const attachments = Array.from({ length: 10_000 }, () => frame([7], { opcode: OPCODE.binary }));
  wire.write(frame('4510000-["e"]'), ...attachments, QUESTION);
  await within(10_000, Promise.race([wire.ended, wire.frame('431')]), 'it was neither ended nor served');
  wire.destroy();
  t.diagnostic(`${mib(resident(server) - before)} more`);
});

test('a polling body that is no payload is refused, and its session ended or served', { timeout: LIMIT_MS }, () =>
  each(Object.entries(BAD_PAYLOADS).map(([what, body]) => ({ what, body })), async ({ body }) => {
    const poller = await Poller.connect(server.url, TOKEN);
    const sent = await fetch(poller.address, { method: 'POST', body, signal: AbortSignal.timeout(SLACK_MS) })
      .then((response) => response.status)
      .catch((error) => error.cause?.code ?? error.message);
    assert.ok([200, 400, 413, 'ECONNRESET', 'EPIPE'].includes(sent), `answered ${sent}`);
    const asked = await poller.post('421["presence:get",[]]');
    if (asked.status === 400) return;
    assert.equal(asked.status, 200, asked.text);
    await within(SLACK_MS, poller.until((packet) => packet.startsWith('431')), 'it was not served').catch((error) => {
      assert.match(error.message, /answered 400/);
    });
    await poller.post('1');
  }));

test('a request that is none is answered with an error, or ended', { timeout: LIMIT_MS }, () =>
  each(Object.entries(BAD_REQUESTS).map(([what, bytes]) => ({ what, bytes })), async ({ bytes }) => {
    const wire = await Wire.open(server.url);
    wire.write(bytes);
    const refused = wire.until(({ text }) => /^HTTP\/1\.1 [45]\d\d /.test(text), 'it was not refused');
    await Promise.race([wire.ended, refused]);
    assert.doesNotMatch(wire.text, /^HTTP\/1\.1 ([123]\d\d|500) /);
    wire.destroy();
  }));

test('of two upgrades of one session one wins, and the session goes on there', async () => {
  const { poller, wire: first } = await probed(server.url);
  const second = await Wire.websocket(server.url, `${PATH}&sid=${poller.sid}`);
  second.write(frame('2probe'));
  first.write(frame('5'));
  second.write(frame('5'));
  await within(PATIENCE_MS + SLACK_MS, second.ended, 'the second was not ended');
  first.write(frame(CONNECT));
  await first.frame('40');
  const third = await Wire.websocket(server.url, `${PATH}&sid=${poller.sid}`, { behind: frame('2probe') });
  await within(PATIENCE_MS + SLACK_MS, third.ended, 'the third was not ended');
  first.write(QUESTION);
  await first.frame('431');
  assert.equal((await poller.poll()).status, 400);
  [first, second, third].forEach((wire) => wire.destroy());
});

test('nobody gets into the session of somebody else from another connection', async () => {
  for (const sid of [alice.socket.io.engine.id, alice.id]) {
    const stranger = new Poller(server.url, sid);
    for (const packet of ['41', '1', '42["message:send",{"roomId":"bystanders","content":"not hers"}]']) {
      assert.equal((await stranger.post(packet)).status, 400);
    }
    assert.equal((await stranger.poll()).status, 400);
    const behind = Buffer.concat([frame('2probe'), frame('5')]);
    const wire = await Wire.websocket(server.url, `${PATH}&sid=${sid}`, { behind });
    await within(PATIENCE_MS + SLACK_MS, wire.ended, 'it was not ended');
    wire.destroy();
  }
  assert.equal(bob.heard('message:new', ({ content }) => content === 'not hers').length, 0);
});

test('a probe that never finishes is ended, and its session polls on', async () => {
  const poller = await Poller.connect(server.url, TOKEN);
  const wire = await Wire.websocket(server.url, `${PATH}&sid=${poller.sid}`, { behind: frame('2probe') });
  await wire.frame('3probe');
  let probing = true;
  wire.ended.then(() => {
    probing = false;
  });
  for (const end = Date.now() + PATIENCE_MS + SLACK_MS; probing; ) {
    assert.ok(Date.now() < end, 'the probe was not ended');
    const { status, packets } = await poller.poll();
    assert.equal(status, 200);
    if (packets.includes('2')) await poller.post('3');
  }
  await poller.post('421["presence:get",[]]');
  await poller.until((packet) => packet.startsWith('431'));
  await poller.post('1');
});

/** A server with little patience for headers; not the one that is asked how it is between the tests. */
async function withHasty(run) {
  const hasty = await Server.start({ ROOMCAST_SERVER__HEADER_READ_TIMEOUT_MS: String(PATIENCE_MS) });
  const began = Date.now();
  const wire = await Wire.open(hasty.url);
  try {
    await run(wire, () => within(PATIENCE_MS + SLACK_MS, wire.ended, 'it was not ended'));
    assert.ok(Date.now() - began >= PATIENCE_MS - 100, 'there was no patience at all');
    assert.deepEqual(hasty.panics, []);
  } finally {
    wire.destroy();
    await hasty.stop();
  }
  return Date.now() - began;
}

test('a header now and then does not keep a connection', async (t) => {
  const took = await withHasty(async (wire, ended) => {
    wire.write('GET /healthz HTTP/1.1\r\nhost: x\r\n');
    const drip = setInterval(() => wire.write('x: y\r\n'), PATIENCE_MS / 3);
    await ended().finally(() => clearInterval(drip));
  });
  t.diagnostic(`ended after ${took} ms`);
});

test('a connection that says nothing is ended', async (t) => {
  t.diagnostic(`ended after ${await withHasty((_, ended) => ended())} ms`);
});

test('a client that never sends CONNECT is ended, though it answers pings', async () => {
  const wire = await Wire.websocket(server.url, PATH);
  await within(PATIENCE_MS + SLACK_MS, wire.ended, 'the WebSocket was not ended');
  const poller = await Poller.open(server.url);
  const gone = poller.until(() => false).catch((error) => error.message);
  assert.match(await within(PATIENCE_MS + SLACK_MS, gone, 'the session was not ended'), /answered 400/);
});

/** Whole numbers below a bound, the same ones for the same seed (a linear congruential generator). */
function numbers(seed) {
  let state = BigInt(seed);
  return (below) => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(below));
  };
}

const SCRAPS = [...'0123456789-,/[]{}":eb\u0000€', '["e"]', '451-', '42', '40'];

/** Bytes of any kind, or frames of any kind with what looks like packets, or both and cut. */
function noise(next) {
  const any = (list) => list[next(list.length)];
  const packet = () => Array.from({ length: next(30) }, () => any(SCRAPS)).join('');
  const framed = () =>
    frame(packet(), { opcode: next(16), fin: next(4) > 0, rsv: next(8) === 0 ? next(8) : 0, mask: next(8) > 0 });
  const raw = () => Buffer.from(Array.from({ length: next(200) }, () => next(256)));
  const pieces = Buffer.concat(Array.from({ length: 1 + next(6) }, () => (next(4) > 0 ? framed() : raw())));
  return next(3) > 0 ? pieces : pieces.subarray(0, next(pieces.length + 1));
}

test(`random garbage at random stages leaves nothing behind (SEED=${SEED})`, { timeout: LIMIT_MS }, async (t) => {
  const next = numbers(SEED);
  const reaches = Object.values(stages);
  const sizes = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await inBatches(RANDOM_PER_ROUND, AT_ONCE, async () => {
      const wire = await reaches[next(reaches.length)](noise(next));
      wire.write(QUESTION);
      if (next(2) === 0) wire.socket.end();
      else wire.destroy();
      await wire.ended;
    });
    await settles(server, 'roomcast_connections', 2);
    sizes.push(resident(server));
  }
  t.diagnostic(`resident after each round: ${sizes.map(mib).join(', ')}`);
  assert.ok(sizes.at(-1) - sizes[1] < GROWTH_LIMIT, 'memory grows with garbage');
});
