// Two nodes under load: a room with a thousand members and many messages in flight, and drivers who
// report over many connections. Nothing is lost, nothing comes twice, and all agree on the order.
//
// LOAD_NODES=1 is one node with its own file. LOAD_MEMBERS (per node), LOAD_MESSAGES, LOAD_DRIVERS
// and LOAD_POSITIONS (per driver) change the amounts.

import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';

import { startCluster } from './cluster.mjs';
import { assertComplete, eventually, upTo } from './observe.mjs';
import { Raw, inBatches } from './raw.mjs';
import { API_KEY } from './server.mjs';

const amount = (name, usual) => Number(process.env[`LOAD_${name}`] ?? usual);
const NODES = amount('NODES', 2);
const MEMBERS = amount('MEMBERS', 500);
const MESSAGES = amount('MESSAGES', 500);
/** At most 180: the number of a driver is a longitude. */
const DRIVERS = amount('DRIVERS', 100);
const POSITIONS = amount('POSITIONS', 20);
const IN_FLIGHT = 64;
const CONNECTIONS = 128;
const WATCHERS = 4;
const ROOM = 'load-room';
const LIMIT_MS = 180_000;
const HEARD_WITHIN_MS = 30_000;
const AT_ONCE = 50;

let cluster;
before(async () => {
  cluster = await startCluster({ nodes: NODES });
});
after(() => cluster?.stop());

/** Takes numbers from 0 on until they are used up, so many at a time. */
async function inFlight(count, atOnce, run) {
  let next = 0;
  const worker = async (n) => {
    while (next < count) await run((next += 1) - 1, n);
  };
  await Promise.all(Array.from({ length: atOnce }, (_, n) => worker(n)));
}

/** So many raw clients on each node, user by user. */
const clients = (name, perNode, prepare) =>
  inBatches(perNode * NODES, AT_ONCE, async (n) => {
    const label = `${name}-${n}`;
    const client = await Raw.connect(cluster.urls[n % NODES], { token: cluster.token(label), label });
    await prepare(client);
    return client;
  });

/** What a member heard, compared with what the others did: which message has which seq. */
function listen(member, order) {
  member.seqs = [];
  member.differs = 0;
  member.on('message:new', ({ id, seq }) => {
    member.seqs.push(seq);
    order[seq] ??= id;
    if (order[seq] !== id) member.differs += 1;
  });
}

async function ask(client, event, argument) {
  const ack = await client.ask(event, argument);
  assert.equal(ack.ok, true, `${client.label}, ${event}: ${JSON.stringify(ack)}`);
  return ack;
}

/** A message from each node, in turn, behind everything: what came before it is all there is. */
async function nothingMore(members, already) {
  const heard = (count) => () => members.every(({ seqs }) => seqs.length >= count);
  for (const n of upTo(NODES)) {
    await ask(members[n - 1], 'message:send', { roomId: ROOM, content: `marker ${n}` });
    await eventually(heard(already + n), 'every member heard the marker', HEARD_WITHIN_MS).catch(() => {});
  }
  return already + NODES;
}

test(`${MEMBERS} members on each of ${NODES} nodes hear ${MESSAGES} messages once and in one order`, { timeout: LIMIT_MS }, async (t) => {
  const order = [];
  const members = await clients('member', MEMBERS, async (member) => {
    listen(member, order);
    await ask(member, 'join:room', ROOM);
  });
  try {
    const acked = [];
    const began = Date.now();
    await inFlight(MESSAGES, IN_FLIGHT, async (n) => {
      const content = `message ${n}`;
      const sender = members[n % members.length];
      const { message } = await ask(sender, 'message:send', { roomId: ROOM, content, clientId: content });
      acked.push(message);
    });
    const sentMs = Date.now() - began;
    const all = () => members.every(({ seqs }) => seqs.length >= MESSAGES);
    await eventually(all, 'every member heard everything', HEARD_WITHIN_MS).catch(() => {});
    t.diagnostic(`${MESSAGES} acked in ${sentMs} ms, heard by ${members.length} in ${Date.now() - began} ms`);
    assertComplete(acked.map(({ seq }) => seq).sort((one, other) => one - other), MESSAGES, 'the acks');
    const total = await nothingMore(members, MESSAGES);
    members.forEach(({ seqs, label }) => assertComplete(seqs, total, label));
    assert.deepEqual(members.filter(({ differs }) => differs > 0).map(({ label }) => label), [], 'one order');
    acked.forEach(({ id, seq }) => assert.equal(order[seq], id, `seq ${seq}`));
    assert.deepEqual(members.filter(({ isGone }) => isGone), [], 'nobody was let go');
  } finally {
    members.forEach((member) => member.close());
  }
});

/** One kept connection to a node. */
class Line {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url) {
    this.url = url;
  }

  /** Resolves with the status and the text of the answer. */
  send(method, path, body, as) {
    return new Promise((resolve, reject) => {
      const text = body && JSON.stringify(body);
      const headers = { authorization: `Bearer ${as}` };
      if (text) Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      const sent = httpRequest(this.url + path, { method, headers, agent: this.#agent }, (answer) => {
        let got = '';
        answer.setEncoding('utf8').on('data', (part) => {
          got += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode, text: got }));
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

const driverPath = (driver) => `/api/driver/${driver}/location`;
/** An update names no driver: the longitude says which it is, the latitude which position. */
const latOf = (n) => n / 1_000;

/** Posts every driver's positions over all lines; those that were refused as older, with their times. */
async function drive(drivers, lines, start) {
  /** When which position of a driver was first on its way. */
  const sentAt = drivers.map(() => []);
  const stale = [];
  await inFlight(drivers.length * POSITIONS, lines.length, async (job, line) => {
    const d = job % drivers.length;
    const n = Math.floor(job / drivers.length);
    sentAt[d][n] = Date.now();
    const body = { lat: latOf(n), lng: d, recordedAt: start + n };
    const { status, text } = await lines[line].send('POST', driverPath(drivers[d]), body, API_KEY);
    if (status === 409 && text.includes('position_stale')) stale.push({ d, n, at: Date.now() });
    else assert.equal(status, 204, text);
  });
  const wrong = stale.filter(({ d, n, at }) => !sentAt[d].some((sent, other) => other > n && sent <= at));
  assert.deepEqual(wrong, [], 'only what is older is refused');
  return stale.length;
}

test(`${DRIVERS} drivers report over ${CONNECTIONS} connections to ${NODES} nodes, and all see where they are`, { timeout: LIMIT_MS }, async (t) => {
  const drivers = upTo(DRIVERS).map((n) => `driver-${n}`);
  const lines = upTo(CONNECTIONS).map((n) => new Line(cluster.urls[n % NODES]));
  const token = cluster.token('reader');
  const watchers = await clients('watcher', WATCHERS, async (watcher) => {
    watcher.last = [];
    watcher.on('location-update', ({ lat, lng }) => {
      watcher.last[lng] = lat;
    });
    for (const driver of drivers) await ask(watcher, 'watch-delivery', driver);
  });
  try {
    const start = Date.now() - POSITIONS - 1_000;
    const began = Date.now();
    const stale = await drive(drivers, lines, start);
    t.diagnostic(`${DRIVERS * POSITIONS} posts in ${Date.now() - began} ms, ${stale} of them older than another`);
    const last = latOf(POSITIONS - 1);
    const isThere = (watcher) => drivers.every((_, d) => watcher.last[d] === last);
    await eventually(() => watchers.every(isThere), 'the last that every watcher heard is the last', HEARD_WITHIN_MS);
    for (const url of cluster.urls) {
      const line = new Line(url);
      for (const driver of drivers) {
        const { status, text } = await line.send('GET', driverPath(driver), undefined, token);
        assert.equal(status, 200, text);
        assert.equal(JSON.parse(text).lat, last, `${driver} at ${url}`);
      }
      line.close();
    }
  } finally {
    watchers.forEach((watcher) => watcher.close());
    lines.forEach((line) => line.close());
  }
});
