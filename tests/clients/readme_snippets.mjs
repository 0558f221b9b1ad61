// The JavaScript of the guide does what the guide says; that of the tour's last step is run with its server.

import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { EventSource } from 'eventsource';

import { blocks, runSnippet as run, snippet } from './readme_text.mjs';
import { API_KEY, Server, mint, request } from './server.mjs';

const require = createRequire(import.meta.url);
const { io } = require('sio-4-8');
const LIMIT_MS = 60_000;
async function serve(t, settings) {
  const server = await Server.start(settings);
  t.after(() => server.stop());
  return server;
}

async function connect(t, server, sub) {
  const socket = io(server.url, { auth: { token: mint({ sub, rooms: ['*'] }) }, forceNew: true });
  t.after(() => socket.close());
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

test('the loop over `sync` shows each message that was missed once', { timeout: LIMIT_MS }, async (t) => {
  const server = await serve(t);
  const [alice, bob] = [await connect(t, server, 'alice'), await connect(t, server, 'bob')];
  for (const socket of [alice, bob]) await socket.emitWithAck('join:room', 'lobby');
  const say = async (from, to) => {
    for (let n = from; n < to; n += 1) {
      const message = { roomId: 'lobby', content: String(n) };
      assert.equal((await alice.emitWithAck('message:send', message)).ok, true);
    }
  };
  await say(0, 150);
  const shown = [];
  const localStorage = {};
  const names = { socket: bob, localStorage, show: (message) => shown.push(message.content) };
  await run(snippet("'sync'"), names);
  await say(150, 160);
  await run(snippet("'sync'"), names);
  assert.deepEqual(shown, Array.from({ length: 160 }, (_, n) => String(n)));
});

test('the vendor hears of orders', { timeout: LIMIT_MS }, async (t) => {
  const server = await serve(t);
  const heard = [];
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  class Here extends EventSource {
    constructor(path) {
      super(server.url + path);
      t.after(() => this.close());
      this.addEventListener('connected', () => tell());
    }
  }
  let log;
  const logged = new Promise((resolve) => (log = resolve));
  const console = { log: (...args) => (heard.push(args), log()) };
  const token = mint({ sub: 'v1', roles: ['vendor'] });
  await run(snippet('new-order'), { EventSource: Here, console, token });
  await told;
  const body = { vendorId: 'v1', total: 7 };
  const { body: stored } = await request(server.url, 'POST', '/api/orders', { as: API_KEY, body });
  await logged;
  assert.equal(heard[0][0], stored.id);
  assert.equal(heard[0][1].total, 7);
});

test('a browser is subscribed', { timeout: LIMIT_MS }, async (t) => {
  const vapid = createECDH('prime256v1');
  vapid.generateKeys();
  const server = await serve(t, {
    ROOMCAST_PUSH__VAPID_PRIVATE_KEY: vapid.getPrivateKey('base64url'),
    ROOMCAST_PUSH__VAPID_SUBJECT: 'mailto:ops@example.com',
  });
  const browser = createECDH('prime256v1');
  const asked = [];
  // What a browser's push service would give.
  const subscribe = async (options) => {
    asked.push(options);
    return {
      endpoint: 'https://fcm.googleapis.com/fcm/send/one',
      keys: { p256dh: browser.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') },
    };
  };
  const statuses = [];
  const fetchHere = async (path, options) => {
    const response = await fetch(server.url + path, options);
    statuses.push(response.status);
    return response;
  };
  const names = { registration: { pushManager: { subscribe } }, token: mint({ sub: 'alice' }), fetch: fetchHere };
  await run(snippet('pushManager'), names);
  assert.deepEqual(statuses, [200, 201]);
  assert.equal(asked[0].applicationServerKey, vapid.getPublicKey('base64url'));
});

test('what a backend emits reaches rooms and users', { timeout: LIMIT_MS }, async (t) => {
  const server = await serve(t);
  const [alice, bob] = [await connect(t, server, 'alice'), await connect(t, server, 'bob')];
  await alice.emitWithAck('join:room', 'lobby');
  const heard = [alice, bob].map((socket) => new Promise((resolve) => socket.once('maintenance', resolve)));
  const statuses = [];
  const fetchHere = async (...request) => {
    const response = await fetch(...request);
    statuses.push(response.status);
  };
  await run(snippet('/api/emit'), { server: server.url, apiKey: API_KEY, fetch: fetchHere });
  assert.deepEqual(await Promise.all(heard), ['at noon', 'at noon']);
  assert.deepEqual(statuses, [202]);
});

test('every snippet is run, here or with the command for its server', () => {
  const markers = ["'sync'", 'new-order', 'pushManager', '/api/emit', "'wave'"];
  assert.deepEqual(new Set(markers.map(snippet)), new Set(blocks('js')));
  assert.equal(blocks('js').length, markers.length);
});
