// Engine.IO v4: how a session is kept alive, and what ends it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, test } from 'node:test';

import { EARLY_MS, EXPIRY_MS, PING_INTERVAL_MS, PONG, rounds, sleep } from './protocol_peer.mjs';

const PINGS = 3;
const ROUNDS = 25;
/** Time enough for a request to reach the server, not for much else. */
const SHORT_MS = 5;
const ARRIVAL_MS = 100;
/** How much later than it could a session may end, on a busy machine. */
const LATE_MS = 1_000;
const EXPIRING = 16;
const STAGGER_MS = 41;
const ATTEMPTS = 8;

export function lifetimeTests(endpoint) {
  describe(`${endpoint.path} heartbeat`, () => heartbeatTests(endpoint));
  describe(`${endpoint.path} end`, () => endTests(endpoint));
  describe(`${endpoint.path} requests at the same time`, () => overlapTests(endpoint));
}

function heartbeatTests(endpoint) {
  test('polling: pings that are answered keep a session', async () => {
    const began = performance.now();
    const polling = await endpoint.open();
    for (let n = 0; n < PINGS; n += 1) {
      const { status, text } = await polling.poll();
      assert.deepEqual([status, text], [200, '2']);
      await polling.posts(PONG);
    }
    assert.ok(performance.now() - began > PINGS * PING_INTERVAL_MS - EARLY_MS);
    await polling.posts(endpoint.asks);
    assert.equal((await polling.poll()).text, endpoint.hears);
  });

  test('WebSocket: pings that are answered keep a session', async () => {
    const began = performance.now();
    const socket = await endpoint.session({ beats: false });
    for (let n = 0; n < PINGS; n += 1) {
      await socket.hears('2');
      socket.send(PONG);
    }
    assert.ok(performance.now() - began > PINGS * PING_INTERVAL_MS - EARLY_MS);
    socket.send(endpoint.asks);
    await socket.hears(endpoint.hears);
  });

  test('polling: a session that is silent is unknown after interval and timeout', async () => {
    const expire = async (_, n) => {
      await sleep(n * STAGGER_MS);
      const polling = await endpoint.open();
      await sleep(EXPIRY_MS);
      const { status, text } = await polling.poll();
      return status === 400 ? 'unknown' : `${status} ${text}`;
    };
    const ends = await Promise.all(Array.from({ length: EXPIRING }, expire));
    assert.deepEqual(ends, Array(EXPIRING).fill('unknown'));
  });

  test('polling: and not earlier', async (t) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const began = performance.now();
      const polling = await endpoint.open();
      await sleep(EXPIRY_MS - EARLY_MS - 20 - (performance.now() - began));
      const { status, text } = await polling.poll();
      // A slow answer may be right to say otherwise.
      if (performance.now() - began > EXPIRY_MS - EARLY_MS) continue;
      assert.deepEqual([status, text], [200, '2']);
      return;
    }
    t.diagnostic('this machine is too busy to tell');
  });

  test('polling: a poll that waits when the time is over is answered', async () => {
    const polling = await endpoint.open();
    assert.equal((await polling.poll()).text, '2');
    const { status, text } = await polling.poll();
    assert.deepEqual([status, text], [200, '1']);
    await polling.isUnknown();
  });

  test('WebSocket: a session that is silent is closed after interval and timeout', async () => {
    const began = performance.now();
    const socket = await endpoint.session({ beats: false });
    await socket.hears('2');
    const took = (await socket.closed()) - began;
    assert.ok(took >= EXPIRY_MS - EARLY_MS, `closed after ${took} ms`);
    assert.ok(took <= EXPIRY_MS + LATE_MS, `closed after ${took} ms`);
  });

  test('WebSocket: words that are no answer do not keep a session', async () => {
    const socket = await endpoint.session({ beats: false });
    await socket.hears('2');
    const talking = setInterval(() => socket.send('6'), 20);
    await socket.closed().finally(() => clearInterval(talking));
  });
}

function endTests(endpoint) {
  test('polling: a goodbye ends the session and the poll that waits', async () => {
    const polling = await endpoint.open();
    const waiting = polling.poll();
    await sleep(50);
    await polling.posts('1');
    const { status, text } = await waiting;
    assert.deepEqual([status, text], [200, '6']);
    await polling.isUnknown();
  });

  test('polling: so it does when both are sent at once', () =>
    rounds(ROUNDS, async () => {
      const polling = await endpoint.open();
      const [{ status, text }] = await Promise.all([polling.poll(), polling.post('1')]);
      assert.deepEqual([status, text], [200, '6']);
      await polling.isUnknown();
    }));

  test('WebSocket: a goodbye ends the session', async () => {
    const socket = await endpoint.session();
    socket.send('1');
    await socket.closed();
    assert.equal((await endpoint.http('GET', endpoint.query('polling', socket.sid))).status, 400);
  });

  test('WebSocket: a client that closes is forgotten', async () => {
    const socket = await endpoint.session();
    socket.ws.close();
    await socket.closed();
    const { text } = await endpoint.http('GET', endpoint.query('polling', socket.sid));
    assert.equal(JSON.parse(text).code, 1);
  });
}

/** A POST of which the server waits for the rest. */
async function unfinished(polling) {
  const { endpoint, query } = polling;
  const headers = { 'content-length': 1_000 };
  const post = request(endpoint.url + endpoint.target(query), { method: 'POST', headers });
  post.on('error', () => {});
  post.write('4');
  const [socket] = await once(post, 'socket');
  if (socket.connecting) await once(socket, 'connect');
  await sleep(50);
  return post;
}

function overlapTests(endpoint) {
  test('a second poll closes the session', () =>
    rounds(ROUNDS, async () => {
      const polling = await endpoint.open();
      const later = sleep(SHORT_MS).then(() => polling.poll());
      const both = await Promise.all([polling.poll(), later]);
      // Which of them arrives first is the machine's choice.
      const [first, second] = both.sort((one, other) => one.status - other.status);
      assert.deepEqual([first.status, first.text], [200, '1']);
      assert.ok([400, 500].includes(second.status), second.text);
      await polling.isUnknown();
    }));

  test('a poll that is given up closes the session', () =>
    rounds(ROUNDS, async () => {
      const polling = await endpoint.open();
      const leaving = new AbortController();
      const left = polling.poll({ signal: leaving.signal }).catch(() => 'left');
      // Until it has arrived, on a busy machine too.
      await sleep(ARRIVAL_MS);
      leaving.abort();
      await polling.isUnknown();
      assert.equal(await left, 'left');
    }));

  test('it does so before anything else comes', async () => {
    const polling = await endpoint.open();
    const leaving = new AbortController();
    const left = polling.poll({ signal: leaving.signal }).catch(() => 'left');
    await sleep(50);
    leaving.abort();
    assert.equal(await left, 'left');
    await sleep(50);
    const { status, text } = await polling.post(endpoint.asks);
    assert.equal(status, 400);
    assert.equal(JSON.parse(text).code, 1);
  });

  test('a second POST closes the session', async () => {
    const polling = await endpoint.open();
    const post = await unfinished(polling);
    const { status } = await polling.post(endpoint.asks);
    assert.equal(status, 400);
    await polling.isUnknown();
    post.destroy();
  });

  test('a POST while a poll waits is no overlap', async () => {
    const polling = await endpoint.open();
    for (let n = 0; n < 5; n += 1) {
      const waiting = polling.poll();
      await polling.posts(endpoint.asks);
      assert.equal((await waiting).text, endpoint.hears);
    }
  });
}
