// Engine.IO v4: from polling to WebSocket, and everything that may race it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { rounds, sleep } from './protocol_peer.mjs';
import { OPCODE, Wire, frame } from './wire.mjs';

const ROUNDS = 25;
const PROBE = '2probe';
const PROBED = '3probe';
const UPGRADE = '5';

export function upgradeTests(endpoint) {
  describe(`${endpoint.path} upgrade`, () => {
    upgraded(endpoint);
    racing(endpoint);
    failing(endpoint);
    if (endpoint.path === '/engine.io/') complete(endpoint);
  });
}

/** A session in the middle of its upgrade: its probe has been answered. */
async function probed(endpoint) {
  const polling = await endpoint.open();
  const socket = await endpoint.rival(polling);
  socket.send(PROBE);
  await socket.hears(PROBED);
  return { polling, socket };
}

async function answers(endpoint, socket) {
  socket.send(endpoint.asks);
  await socket.hears(endpoint.hears);
}

/** The polling side must know nothing of the session any more. */
async function isRefused(request) {
  const { status, text } = await request;
  assert.equal(status, 400, text);
}

function upgraded(endpoint) {
  test('the probe is answered, a poll is let go, and the session goes on', async () => {
    const { polling, socket } = await probed(endpoint);
    const { status, text } = await polling.poll();
    assert.deepEqual([status, text], [200, '6']);
    socket.send(UPGRADE);
    await answers(endpoint, socket);
  });

  test('a poll that waits is let go by the probe', async () => {
    const polling = await endpoint.open();
    const waiting = polling.poll();
    const socket = await endpoint.rival(polling);
    socket.send(PROBE);
    await socket.hears(PROBED);
    const { status, text } = await waiting;
    assert.deepEqual([status, text], [200, '6']);
    socket.send(UPGRADE);
    await answers(endpoint, socket);
  });

  test('heartbeats go on over the WebSocket', async () => {
    const polling = await endpoint.open();
    const socket = await endpoint.rival(polling, { beats: false });
    socket.send(PROBE);
    await socket.hears(PROBED);
    socket.send(UPGRADE);
    for (let n = 0; n < 2; n += 1) {
      await socket.hears('2');
      socket.send('3');
    }
    await answers(endpoint, socket);
  });

  test('then no request is taken for the session', async () => {
    const { polling, socket } = await probed(endpoint);
    socket.send(UPGRADE);
    await answers(endpoint, socket);
    await isRefused(polling.poll());
    await isRefused(polling.post(endpoint.asks));
    await answers(endpoint, socket);
  });

  test('then no other WebSocket is taken for the session', async () => {
    const { polling, socket } = await probed(endpoint);
    socket.send(UPGRADE);
    await answers(endpoint, socket);
    const other = endpoint.socket(endpoint.query('websocket', polling.sid));
    await other.closed();
    await answers(endpoint, socket);
  });
}

/** What the client sends first counts, however soon the next thing follows. */
function racing(endpoint) {
  test('a poll right behind the upgrade is refused', () =>
    rounds(ROUNDS, async () => {
      const { polling, socket } = await probed(endpoint);
      socket.send(UPGRADE);
      await isRefused(polling.poll());
      await answers(endpoint, socket);
    }));

  test('a poll right behind probe and upgrade is refused', () =>
    rounds(ROUNDS, async () => {
      const polling = await endpoint.open();
      const socket = await endpoint.rival(polling);
      socket.send(PROBE, UPGRADE);
      await isRefused(polling.poll());
      await socket.hears(PROBED);
      await answers(endpoint, socket);
    }));

  test('a WebSocket right behind the upgrade is closed', () =>
    rounds(ROUNDS, async () => {
      const { polling, socket } = await probed(endpoint);
      socket.send(UPGRADE);
      await endpoint.socket(endpoint.query('websocket', polling.sid)).closed();
      await answers(endpoint, socket);
    }));

  test('a WebSocket right behind probe and upgrade is closed', () =>
    rounds(ROUNDS, async () => {
      const polling = await endpoint.open();
      const socket = await endpoint.rival(polling);
      socket.send(PROBE, UPGRADE);
      await endpoint.socket(endpoint.query('websocket', polling.sid)).closed();
      await socket.hears(PROBED);
      await answers(endpoint, socket);
    }));

  test('probe, upgrade and a message in one segment', () =>
    rounds(ROUNDS, async () => {
      const { sid } = await endpoint.open();
      const path = endpoint.target(endpoint.query('websocket', sid));
      const wire = await Wire.websocket(endpoint.url, path);
      await wire.until(({ text }) => text.startsWith('HTTP/1.1 101'), 'no WebSocket');
      wire.write(frame(PROBE), frame(UPGRADE), frame(endpoint.asks));
      await wire.frame(endpoint.hears);
      assert.deepEqual(wire.frames.slice(0, 2), [PROBED, endpoint.hears]);
    }));

  test('all of that behind the request for the WebSocket', () =>
    rounds(ROUNDS, async () => {
      const { sid } = await endpoint.open();
      const path = endpoint.target(endpoint.query('websocket', sid));
      const behind = Buffer.concat([PROBE, UPGRADE, endpoint.asks].map((text) => frame(text)));
      const wire = await Wire.websocket(endpoint.url, path, { behind });
      await wire.frame(endpoint.hears);
      assert.deepEqual(wire.frames.slice(0, 2), [PROBED, endpoint.hears]);
    }));

  test('a poll that waits while probe and upgrade come in one segment', () =>
    rounds(ROUNDS, async () => {
      const polling = await endpoint.open();
      const waiting = polling.poll();
      await sleep(5);
      const path = endpoint.target(endpoint.query('websocket', polling.sid));
      const wire = await Wire.websocket(endpoint.url, path);
      await wire.until(({ text }) => text.startsWith('HTTP/1.1 101'), 'no WebSocket');
      wire.write(frame(PROBE), frame(UPGRADE), frame(endpoint.asks));
      await wire.frame(endpoint.hears);
      const { status, text } = await waiting;
      assert.deepEqual([status, text], [200, '6']);
    }));
}

/** An upgrade that comes to nothing leaves the session where it was. */
function failing(endpoint) {
  const wrong = {
    'another probe': [PROBE.slice(0, -1)],
    'a message in place of the probe': [endpoint.asks],
    'a message in place of the upgrade': [PROBE, endpoint.asks],
    'bytes in place of the probe': [[2]],
  };
  for (const [what, messages] of Object.entries(wrong)) {
    test(`${what}: the WebSocket is closed, polling goes on`, async () => {
      const polling = await endpoint.open();
      const socket = await endpoint.rival(polling);
      socket.send(...messages);
      await socket.closed();
      await polling.posts(endpoint.asks);
      assert.equal((await polling.poll()).text, endpoint.hears);
    });
  }

  test('a WebSocket that is lost before its upgrade leaves a session that polls and can upgrade', async () => {
    const { polling, socket } = await probed(endpoint);
    socket.ws.terminate();
    await socket.closed();
    await sleep(50);
    await polling.posts(endpoint.asks);
    assert.equal((await polling.poll()).text, endpoint.hears);
    const again = await endpoint.rival(polling);
    again.send(PROBE);
    await again.hears(PROBED);
    again.send(UPGRADE);
    await answers(endpoint, again);
  });

  test('a session that ends takes the WebSocket along that wants to take it over', async () => {
    const { polling, socket } = await probed(endpoint);
    await polling.posts('1');
    socket.send(UPGRADE);
    await socket.closed();
  });

  test('WebSocket pings are answered before and after the upgrade', async () => {
    const { sid } = await endpoint.open();
    const wire = await Wire.websocket(endpoint.url, endpoint.target(endpoint.query('websocket', sid)));
    const pong = (data) => wire.until(({ text }) => text.includes(`\x8a\x05${data}`), `no pong ${data}`);
    wire.write(frame('early', { opcode: OPCODE.ping }));
    await pong('early');
    wire.write(frame(PROBE), frame(UPGRADE), frame('later', { opcode: OPCODE.ping }));
    await pong('later');
  });
}

/** For the endpoint that says back what it hears. */
function complete(endpoint) {
  test('what waits when the upgrade comes follows over the WebSocket, binary too', async () => {
    const { polling, socket } = await probed(endpoint);
    await polling.posts('4one', 'bAQID', '4two');
    socket.send(UPGRADE, '4three');
    await socket.hears('4one', [1, 2, 3], '4two', '4three');
  });

  test('nothing is lost or doubled on the way', () =>
    rounds(ROUNDS, async () => {
      const numbers = (from, to) => Array.from({ length: to - from }, (_, n) => `4${from + n}`);
      const polling = await endpoint.open();
      await polling.posts(...numbers(0, 20));
      const waiting = polling.poll();
      const socket = await endpoint.rival(polling);
      socket.send(PROBE);
      await socket.hears(PROBED);
      await polling.posts(...numbers(20, 30));
      const heard = (await waiting).packets;
      socket.send(UPGRADE, ...numbers(30, 40));
      while (heard.length < 40) heard.push(await socket.next());
      assert.deepEqual(heard, numbers(0, 40));
    }));
}
