// Readers that are slow or stopped: they cost the others nothing, memory stays bounded, who comes
// back to it reads everything, and who does not is gone in time.
//
// MEMBERS=n changes how many share a room with one that has stopped reading.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RECOVERY } from './away.mjs';
import { MIB, Memory, assertComplete, elapse, eventually, metric, mib, samples, settles } from './observe.mjs';
import { Poller, Raw, inBatches, within } from './raw.mjs';
import { API_KEY, Server, mint, request } from './server.mjs';

const MEMBERS = Number(process.env.MEMBERS ?? 1_000);
const LIMIT_MS = 180_000;
const STALL_LIMIT_MS = 3_000;
const GRACE_MS = 300;
/** How much later than it must a test may see an end, on a machine that also runs 1,000 clients. */
const SLACK_MS = 5_000;
const GROWTH_LIMIT = 48 * MIB;
/** What is kept for recovery comes on top. */
const LOG_LIMIT = 64 * MIB;
const RECOVERING = { ...RECOVERY, ROOMCAST_RECOVERY__LOG_BYTES: String(LOG_LIMIT) };
/** More than the kernel holds for one connection of this machine. */
const FILLING_BYTES = 64 * MIB;
const FILLING_EACH = 100_000;

const STALLING = {
  ROOMCAST_SOCKET__STALL_LIMIT_MS: String(STALL_LIMIT_MS),
  ROOMCAST_PRESENCE__GRACE_MS: String(GRACE_MS),
  ROOMCAST_PRESENCE__AUDIENCE: 'roommates',
};

const token = (sub) => mint({ sub, rooms: ['*'] });

async function withServer(settings, run) {
  const server = await Server.start(settings);
  const clients = [];
  const member = async (name, room) => {
    const client = await Raw.member(server.url, room, { token: token(name), label: name });
    clients.push(client);
    return client;
  };
  try {
    await run(server, member);
  } finally {
    clients.forEach((client) => client.destroy());
    await server.stop();
  }
}

const service = async (server, method, path, body, status) => {
  const response = await request(server.url, method, path, { as: API_KEY, body });
  assert.equal(response.status, status, response.text);
};

/** Sends one socket more than the kernel keeps for it: from then on bytes wait in the server. */
async function fill(server, client) {
  const args = ['x'.repeat(FILLING_EACH)];
  for (let sent = 0; sent < FILLING_BYTES; sent += FILLING_EACH) {
    await service(server, 'POST', '/api/emit', { event: 'filling', args, to: { sockets: [client.id] } }, 202);
  }
}

/** Collects the `seq` of every message that the client hears. */
function collect(client, seqs = []) {
  client.on('message:new', ({ seq }) => seqs.push(seq));
  return seqs;
}

async function send(client, room, content) {
  const ack = await client.ask('message:send', { roomId: room, content });
  assert.equal(ack.ok, true, JSON.stringify(ack));
  return ack.message.seq;
}

const statusOf = async (client, user) => (await client.ask('presence:get', [user])).presence[user]?.status ?? 'offline';

/** Resolves with the milliseconds until the user is offline; the limit is what the settings promise. */
async function goes(asker, user) {
  const began = Date.now();
  const inTime = STALL_LIMIT_MS + GRACE_MS + 1_000 + SLACK_MS;
  await eventually(async () => (await statusOf(asker, user)) === 'offline', `${user} is offline`, inTime);
  return Date.now() - began;
}

/** The room and the metrics know nothing of somebody who was ended for not reading. */
async function assertGone(server, member, user, room, others) {
  const visitor = await member('visitor', `${room}-elsewhere`);
  const { members } = await visitor.ask('join:room', room);
  const listed = members.map((one) => one.userId ?? one);
  assert.ok(!listed.includes(user), `${user} is still listed`);
  assert.equal(listed.length, others + 1);
  await settles(server, 'roomcast_connections', others + 1);
  assert.equal(await metric(server, 'roomcast_disconnects_total', { reason: 'stalled' }), 1);
}

test(`one of ${MEMBERS} members stops reading: the others hear everything, it is gone in time`, { timeout: LIMIT_MS }, (t) =>
  withServer(STALLING, async (server, member) => {
    const room = 'crowd';
    const began = Date.now();
    const members = await inBatches(MEMBERS, 100, (n) => member(`member-${n}`, room));
    t.diagnostic(`${MEMBERS} joined in ${Date.now() - began} ms`);
    const [stopped, asker, sender] = members;
    const others = members.slice(1);
    const heard = others.map((client) => collect(client));
    const memory = new Memory(server);
    stopped.pause();
    await fill(server, stopped);
    let sent = 0;
    let talking = true;
    const talk = async () => {
      while (talking) sent = Math.max(sent, await send(sender, room, 'm'.repeat(1_000)));
    };
    const talkers = Promise.all([talk(), talk(), talk(), talk()]);
    talkers.catch(() => {});
    const took = await goes(asker, 'member-0');
    await assertGone(server, member, 'member-0', room, others.length);
    talking = false;
    await talkers;
    await eventually(() => heard.every((seqs) => seqs.length >= sent), 'everybody heard everything', 30_000);
    heard.forEach((seqs, n) => assertComplete(seqs, sent, others[n].label));
    const growth = memory.growth();
    t.diagnostic(`offline ${took} ms after it was full; ${sent} messages to ${others.length} members`);
    t.diagnostic(`resident ${mib(memory.before)}, at most ${mib(growth)} more`);
    assert.ok(growth < GROWTH_LIMIT, `memory grew by ${mib(growth)}`);
    stopped.resume();
    await within(10_000, stopped.ended, 'the stopped one was not ended');
    assert.equal(stopped.goodbyes, 0);
  }));

test('a polling client that polls no more is gone in time', { timeout: LIMIT_MS }, (t) =>
  withServer(STALLING, async (server, member) => {
    const room = 'polled';
    const poller = await Poller.connect(server.url, token('poller'));
    await poller.post(`421["join:room","${room}"]`);
    await poller.until((packet) => packet.startsWith('431'));
    const asker = await member('asker', room);
    const seqs = collect(asker);
    const last = await send(asker, room, 'm'.repeat(1_000));
    const took = await goes(asker, 'poller');
    await assertGone(server, member, 'poller', room, 1);
    t.diagnostic(`offline after ${took} ms`);
    assert.equal((await poller.poll()).status, 400);
    assertComplete(seqs, last, 'asker');
  }));

const PATIENT = { ...STALLING, ROOMCAST_SOCKET__STALL_LIMIT_MS: '20000' };
const SMALL = { ...PATIENT, ROOMCAST_SOCKET__PENDING_BYTES: '65536', ROOMCAST_LIMITS__CONTENT_CHARS: '20000' };
const SLOW_READERS = 3;
const BURSTS = 6;
const BURST_MESSAGES = 500;
const LARGE = BURSTS * BURST_MESSAGES;
const FLOW_CONTENT = 'm'.repeat(16_000);
const READS_BYTES = 4 * MIB;
const RESTS_MS = 1_000;

/** Reads some megabytes, rests, and so on until it is told to stop. */
function readSlowly(client) {
  let bytes = 0;
  let rests = 0;
  let slow = true;
  client.ws.on('message', (data) => {
    bytes += data.length;
    if (!slow || bytes < READS_BYTES) return;
    bytes = 0;
    rests += 1;
    client.pause();
    setTimeout(() => client.resume(), RESTS_MS);
  });
  client.pause();
  setTimeout(() => client.resume(), 2 * RESTS_MS);
  return {
    get rests() {
      return rests;
    },
    stop() {
      slow = false;
    },
  };
}

async function flow(t, server, member, growthLimit) {
  const room = 'flow';
  const slow = [];
  for (let n = 1; n <= SLOW_READERS; n += 1) slow.push(await member(`slow ${n}`, room));
  const [sender, typist] = [await member('sender', room), await member('typist', room)];
  const heard = [sender, ...slow].map((client) => collect(client));
  let typing = 0;
  slow[0].on('typing:user', () => {
    typing += 1;
  });
  let signals = 0;
  const say = async (content) => {
    typist.tell(signals % 2 === 0 ? 'typing:start' : 'typing:stop', room);
    signals += 1;
    return send(sender, room, content);
  };
  // First as much without slow readers: what the store keeps in memory is not what is measured.
  assert.equal((await sender.ask('join:room', 'alone')).ok, true);
  for (let n = 0; n < LARGE; n += 1) await send(sender, 'alone', FLOW_CONTENT);
  heard[0].length = 0;
  const memory = new Memory(server);
  const reading = slow.map((client) => readSlowly(client));
  const began = Date.now();
  const lag = (upTo) => Math.max(...slow.map(({ isGone }, n) => (isGone ? 0 : upTo - (heard[n + 1].at(-1) ?? 0))));
  const lags = [];
  let sent = 0;
  for (let burst = 0; burst < BURSTS; burst += 1) {
    for (let n = 0; n < BURST_MESSAGES; n += 2) {
      sent = Math.max(...(await Promise.all([say(FLOW_CONTENT), say(FLOW_CONTENT)])));
    }
    lags.push(lag(sent));
    // Little messages come while they catch up with the large ones.
    for (const large = sent; lag(large) > 0; ) sent = await say('little');
  }
  await eventually(() => lag(sent) <= 0, 'the slow ones heard everything', 60_000);
  reading.forEach((one) => one.stop());
  const [took, rests] = [Date.now() - began, reading.map((one) => one.rests)];
  const growth = memory.growth();
  t.diagnostic(`${LARGE} large messages and ${sent - LARGE} little ones in ${took} ms, ${rests} rests`);
  t.diagnostic(`after each burst the slowest was ${lags} behind`);
  t.diagnostic(`${typing} of ${signals} typing signals; at most ${mib(growth)} more resident`);
  t.diagnostic((await samples(server, 'roomcast_drops_total')).join('; ') || 'no drops counted');
  slow.forEach(({ isGone, label }) => assert.ok(!isGone, `${label} was ended`));
  const last = await send(sender, room, 'and now?');
  await eventually(() => heard.every((seqs) => seqs.includes(last)), 'all hear what comes now');
  heard.forEach((seqs, n) => assertComplete(seqs, last, n === 0 ? 'the sender' : slow[n - 1].label));
  assert.ok(growth < growthLimit, `memory grew by ${mib(growth)}`);
}

for (const [sentence, settings, limit] of [
  ['slow readers with a small budget hear every message once and in order', SMALL, GROWTH_LIMIT],
  ['so they do where sessions can be recovered', { ...SMALL, ...RECOVERING }, GROWTH_LIMIT + LOG_LIMIT],
]) {
  test(sentence, { timeout: LIMIT_MS }, (t) => withServer(settings, (server, member) => flow(t, server, member, limit)));
}

test('a slow watcher skips positions, and ends with the newest', { timeout: LIMIT_MS }, (t) =>
  withServer(PATIENT, async (server, member) => {
    const count = 500;
    const watcher = await member('watcher', 'anywhere');
    const heard = [];
    watcher.on('location-update', ({ lat }) => heard.push(lat));
    assert.equal((await watcher.ask('watch-delivery', 'driver')).ok, true);
    watcher.pause();
    await fill(server, watcher);
    for (let n = 1; n <= count; n += 1) {
      await service(server, 'POST', '/api/driver/driver/location', { lat: n / 10, lng: 0 }, 204);
    }
    watcher.resume();
    await eventually(() => heard.includes(count / 10), 'the newest position is heard', 30_000);
    assert.equal((await watcher.ask('presence:get', [])).ok, true);
    t.diagnostic(`${heard.length} of ${count} positions heard`);
    assert.equal(heard.at(-1), count / 10);
    assert.deepEqual(heard, [...heard].sort((a, b) => a - b), 'it went backwards');
    assert.ok(heard.length < count / 2, 'older positions were not replaced');
  }));

test('who rests for a while with nothing to read is not stalled', { timeout: LIMIT_MS }, () =>
  withServer(STALLING, async (server, member) => {
    const [resting, sender] = [await member('resting', 'rest'), await member('sender', 'rest')];
    const seqs = collect(resting);
    resting.pause();
    await elapse(STALL_LIMIT_MS + 1_000);
    assert.equal(await statusOf(sender, 'resting'), 'online');
    resting.resume();
    await send(sender, 'rest', 'good morning');
    await eventually(() => seqs.length === 1, 'it hears the next message');
    assert.equal(await metric(server, 'roomcast_disconnects_total', { reason: 'stalled' }), 0);
  }));

/** What a client may ask for in one go: each answer is large, and it reads all of them. */
const ASKED_AT_ONCE = {
  'five pages of messages': (reader, room) =>
    Array.from({ length: 5 }, () => reader.ask('messages:since', { roomId: room, limit: 100 })),
  'two hundred long messages': (reader, room) =>
    Array.from({ length: 200 }, () => reader.ask('message:send', { roomId: room, content: 'ü'.repeat(8_000) })),
};

for (const [what, ask] of Object.entries(ASKED_AT_ONCE)) {
  test(`who reads what comes is not ended for asking much at once: ${what}`, { timeout: LIMIT_MS }, (t) =>
    withServer(PATIENT, async (server, member) => {
      const room = 'archive';
      const reader = await member('reader', room);
      for (let n = 0; n < 100; n += 1) await send(reader, room, 'm'.repeat(8_000));
      const acks = await Promise.all(ask(reader, room));
      acks.forEach((ack) => assert.equal(ack.ok, true, JSON.stringify(ack).slice(0, 200)));
      t.diagnostic(`${acks.length} answers of ${JSON.stringify(acks[0]).length} characters`);
    }));
}
