// Engine.IO v4: handshakes, and packets over polling and WebSocket.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MAX_PACKETS, MAX_PAYLOAD, PING_INTERVAL_MS, PING_TIMEOUT_MS } from './protocol_peer.mjs';

const BINARY = { bytes: [1, 2, 3, 4], packet: 'bAQIDBA==' };
const LAST_BYTES = { bytes: [255, 0, 128], packet: 'b/wCA' };

/** What is wrong with a request without a session, and the code that says so. */
const REFUSED = {
  'no version': ['GET', 'transport=polling', 5],
  'a version that is no number': ['GET', 'EIO=abc&transport=polling', 5],
  'a version to come': ['GET', 'EIO=5&transport=polling', 5],
  'no transport': ['GET', 'EIO=4', 0],
  'an unknown transport': ['GET', 'EIO=4&transport=abc', 0],
  'POST before a session': ['POST', 'EIO=4&transport=polling', 2],
  'PUT before a session': ['PUT', 'EIO=4&transport=polling', 2],
  'a session that never was': ['GET', 'EIO=4&transport=polling&sid=abc', 1],
  'another session that never was': ['GET', `EIO=4&transport=polling&sid=${'A'.repeat(20)}`, 1],
  'a POST to no session': ['POST', 'EIO=4&transport=polling&sid=abc', 1],
  'a WebSocket that asks for none': ['GET', 'EIO=4&transport=websocket', 3],
};

const REFUSED_WEBSOCKETS = {
  'no version': 'transport=websocket',
  'a version that is no number': 'EIO=abc&transport=websocket',
  'no transport': 'EIO=4',
  'an unknown transport': 'EIO=4&transport=abc',
  'a session that never was': 'EIO=4&transport=websocket&sid=abc',
};

const EIO3 = 'EIO=3&transport=polling';

export function engineTests(endpoint) {
  describe(`${endpoint.path} handshake`, () => handshakeTests(endpoint));
  describe(`${endpoint.path} polling`, () => pollingTests(endpoint));
  describe(`${endpoint.path} WebSocket`, () => websocketTests(endpoint));
  if (endpoint.path === '/engine.io/') {
    describe(`${endpoint.path} says back what it hears`, () => echoTests(endpoint));
  }
}

function checkOpen(packet, upgrades) {
  assert.equal(packet[0], '0');
  const { sid, ...rest } = JSON.parse(packet.slice(1));
  assert.equal(typeof sid, 'string');
  const pingInterval = PING_INTERVAL_MS;
  const pingTimeout = PING_TIMEOUT_MS;
  assert.deepEqual(rest, { upgrades, pingInterval, pingTimeout, maxPayload: MAX_PAYLOAD });
  return sid;
}

const isNotStored = (answer) => assert.equal(answer.headers.get('cache-control'), 'no-store');

async function isRefused(endpoint, method, query, code) {
  const answer = await endpoint.http(method, query);
  assert.equal(answer.status, 400, answer.text);
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  const body = JSON.parse(answer.text);
  assert.deepEqual(Object.keys(body).sort(), ['code', 'message']);
  assert.equal(body.code, code);
  isNotStored(answer);
}

function handshakeTests(endpoint) {
  test('polling opens a session that can be upgraded', async () => {
    const sids = new Set();
    for (let n = 0; n < 3; n += 1) {
      const answer = await endpoint.http('GET', endpoint.query('polling'));
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type'), /^text\/plain; *charset=utf-8$/i);
      isNotStored(answer);
      sids.add(checkOpen(answer.text, ['websocket']));
    }
    assert.equal(sids.size, 3);
  });

  test('WebSocket opens a session that cannot', async () => {
    const socket = endpoint.socket(endpoint.query('websocket'));
    checkOpen(await socket.next(), []);
  });

  for (const [what, [method, query, code]] of Object.entries(REFUSED)) {
    test(`polling refuses ${what}`, () => isRefused(endpoint, method, query, code));
  }

  for (const [what, query] of Object.entries(REFUSED_WEBSOCKETS)) {
    test(`WebSocket refuses ${what}`, async () => {
      assert.equal(await endpoint.socket(query).refused(), 400);
    });
  }

  if (endpoint.path === '/engine.io/') {
    test('Engine.IO 3 is refused where it is switched off', async () => {
      await isRefused(endpoint, 'GET', EIO3, 5);
      assert.equal(await endpoint.socket('EIO=3&transport=websocket').refused(), 400);
    });
  }

  test('Engine.IO 3 cannot take a session of Engine.IO 4 over', async () => {
    const { sid } = await endpoint.open();
    const answer = await endpoint.http('GET', `${EIO3}&sid=${sid}`);
    assert.equal(answer.status, 400, answer.text);
  });
}

function pollingTests(endpoint) {
  test('a packet is posted and answered by a poll', async () => {
    const polling = await endpoint.open();
    const posted = await polling.post(endpoint.asks);
    assert.deepEqual([posted.status, posted.text], [200, 'ok']);
    isNotStored(posted);
    const polled = await polling.poll();
    assert.deepEqual([polled.status, polled.text], [200, endpoint.hears]);
    assert.match(polled.headers.get('content-type'), /^text\/plain; *charset=utf-8$/i);
    isNotStored(polled);
  });

  test('a poll waits for its answer', async () => {
    const polling = await endpoint.open();
    const waiting = polling.poll();
    await polling.posts(endpoint.asks);
    const { status, text } = await waiting;
    assert.deepEqual([status, text], [200, endpoint.hears]);
  });

  for (const agent of ['python-requests/2.32.3', 'Python/3.11 aiohttp/3.10', 'curl/8', '']) {
    test(`an answer to ${JSON.stringify(agent)} has ${MAX_PACKETS} packets at most`, async () => {
      const polling = await endpoint.open();
      await polling.posts(...Array(MAX_PACKETS * 2 + 8).fill(endpoint.asks));
      const sizes = [];
      const headers = { 'User-Agent': agent };
      for (let n = 0; n < 3; n += 1) sizes.push((await polling.poll({ headers })).packets.length);
      assert.deepEqual(sizes, [MAX_PACKETS, MAX_PACKETS, 8]);
    });
  }

  for (const agent of ['Mozilla/5.0 (X11)', 'node-XMLHttpRequest', 'okhttp/4.12.0']) {
    test(`an answer to ${JSON.stringify(agent)} has all that waits`, async () => {
      const polling = await endpoint.open();
      const count = MAX_PACKETS * 2 + 8;
      await polling.posts(...Array(count).fill(endpoint.asks));
      const { packets } = await polling.poll({ headers: { 'User-Agent': agent } });
      assert.equal(packets.length, count);
    });
  }

  for (const packet of ['abc', '', '7', '2', 'b?', `${endpoint.asks}\x1eabc`]) {
    test(`a session that posts ${JSON.stringify(packet)} is closed`, async () => {
      const polling = await endpoint.open();
      assert.equal((await polling.post(packet)).status, 400);
      await polling.isUnknown();
    });
  }

  test('a request over the limit closes its session', async () => {
    const polling = await endpoint.open();
    const { status } = await polling.post(`4${'x'.repeat(MAX_PAYLOAD)}`);
    assert.equal(status, 413);
    await polling.isUnknown();
  });

  test('other methods are no way to a session', async () => {
    const polling = await endpoint.open();
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      assert.equal((await endpoint.http(method, polling.query)).status, 400, method);
    }
    await polling.posts(endpoint.asks);
  });
}

function websocketTests(endpoint) {
  test('a packet is sent and answered', async () => {
    const socket = await endpoint.session();
    socket.send(endpoint.asks);
    await socket.hears(endpoint.hears);
  });

  for (const packet of ['abc', '', '7', '2', '2probe']) {
    test(`a session that sends ${JSON.stringify(packet)} is closed`, async () => {
      const socket = await endpoint.session();
      socket.send(packet);
      await socket.closed();
    });
  }

  test('a session that begins with WebSocket cannot be polled', async () => {
    const socket = await endpoint.session();
    const query = endpoint.query('polling', socket.sid);
    assert.equal((await endpoint.http('GET', query)).status, 400);
    assert.equal((await endpoint.http('POST', query, { body: endpoint.asks })).status, 400);
    socket.send(endpoint.asks);
    await socket.hears(endpoint.hears);
  });
}

/** For the endpoint that knows nothing of Socket.IO. */
function echoTests(endpoint) {
  const payloads = {
    'one text': ['4hello'],
    'several texts': ['4test1', '4test2', '4test3'],
    'text and binary': ['4hello', BINARY.packet],
    'several binaries': [BINARY.packet, LAST_BYTES.packet, '4between', BINARY.packet],
    'text beyond ASCII': ['4€ 😀 ü', '4\u0000'],
    'nothing in a message': ['4', 'b'],
    'as much as fits': [`4${'x'.repeat(MAX_PAYLOAD - 1)}`],
  };
  for (const [what, packets] of Object.entries(payloads)) {
    test(`polling: ${what}`, async () => {
      const polling = await endpoint.open();
      await polling.posts(...packets);
      const { status, text } = await polling.poll();
      assert.equal(status, 200);
      assert.equal(text, packets.join('\x1e'));
    });
  }

  test('polling: many packets keep their order over several answers', async () => {
    const polling = await endpoint.open();
    const packets = Array.from({ length: 50 }, (_, n) => (n % 5 === 0 ? BINARY.packet : `4${n}`));
    await polling.posts(...packets.slice(0, 25));
    await polling.posts(...packets.slice(25));
    assert.deepEqual(await polling.collect(packets.length), packets);
  });

  test('WebSocket: text', async () => {
    const socket = await endpoint.session();
    const texts = ['4hello', '4€ 😀 ü', '4', `4${'x'.repeat(MAX_PAYLOAD - 1)}`];
    for (const text of texts) {
      socket.send(text);
      await socket.hears(text);
    }
  });

  test('WebSocket: binary', async () => {
    const socket = await endpoint.session();
    socket.send(BINARY.bytes, [], LAST_BYTES.bytes);
    await socket.hears(BINARY.bytes, [], LAST_BYTES.bytes);
    const large = Array.from({ length: 100_000 }, (_, n) => n % 256);
    socket.send(large);
    await socket.hears(large);
  });

  test('WebSocket: text and binary keep their order', async () => {
    const socket = await endpoint.session();
    const messages = Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? [n, n] : `4${n}`));
    socket.send(...messages);
    await socket.hears(...messages);
  });
}
