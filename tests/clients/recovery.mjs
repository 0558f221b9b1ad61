// Connection state recovery: what a stock client missed while its transport was gone, once and in
// order.
//
// CYCLES=n changes how often a client is dropped.

import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { RECOVERY, WEBSOCKET, comeBack, contents, inWorld, leave, onServer, pair, say } from './away.mjs';
import { CONNECTED, DISCONNECTED } from './client.mjs';
import { assertComplete, elapse, eventually, upTo } from './observe.mjs';
import { Proxy } from './proxy.mjs';
import { Server } from './server.mjs';
import { assertOk } from './world.mjs';

const CYCLES = Number(process.env.CYCLES ?? 200);
const LIMIT_MS = 180_000;
const CATCH_UP_MS = 30_000;
const LARGE_MESSAGES = 600;
/** Who is where is stored a few times a second; a kill right after a join may forget the join. */
const STORED_AFTER_MS = 1_000;

/** What most operators choose, what a client does by itself, and what is left behind some proxies. */
const WAYS = { WebSocket: WEBSOCKET, 'polling with upgrade': undefined, 'polling alone': ['polling'] };

/** Breaks the TCP connections under a client until it notices. */
async function cut(client, agent) {
  const sockets = () => {
    const { transport } = client.socket.io.engine;
    return transport.name === 'websocket' ? [transport.ws?._socket] : Object.values(agent.sockets).flat();
  };
  let isGone = false;
  client.next(DISCONNECTED).then(() => {
    isGone = true;
  });
  await eventually(() => {
    if (!isGone) sockets().forEach((socket) => socket?.destroy());
    return isGone;
  }, 'the client notices that its connection broke');
}

/**
 * Closes the client's transport. Not within an upgrade: there socket.io-client 4.8.4 first keeps the
 * events that came in the same tick for after the next connect, then gets them again.
 */
async function drop(client) {
  const { engine } = client.socket.io;
  await eventually(() => !engine.upgrading, 'the upgrade is done');
  client.drop();
  await client.next(DISCONNECTED);
}

/** Somebody talks without a pause until told to stop. */
class Talk {
  #going = true;
  #waiting = [];

  constructor(client, room) {
    this.said = 0;
    this.ended = this.#run(client, room);
    this.ended.catch(() => {});
  }

  async #run(client, room) {
    while (this.#going) {
      await say(client, room, `message ${this.said + 1}`);
      this.said += 1;
      this.#waiting.filter(({ at }) => at === this.said).forEach(({ resolve }) => resolve());
    }
  }

  /** Resolves when so many more messages are stored. */
  more(count) {
    const stored = new Promise((resolve) => {
      this.#waiting.push({ at: this.said + count, resolve });
    });
    return Promise.race([stored, this.ended]);
  }

  stop() {
    this.#going = false;
    return this.ended;
  }
}

/** Bob is dropped again and again while alice talks. */
async function dropAndRecover(w, t) {
  const room = w.id('room');
  const agent = new Agent();
  const bob = await w.connect(w.user('bob'), { agent });
  assertOk(await bob.ask('join:room', room));
  const alice = await w.connect(w.user('alice'), { transports: WEBSOCKET });
  assertOk(await alice.ask('join:room', room));
  const seqs = [];
  bob.socket.on('message:new', ({ seq }) => seqs.push(seq));
  const { id } = bob;
  const talk = new Talk(alice, room);
  const began = Date.now();
  for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
    // In turn: broken hard, closed by the client, and broken before it has heard anything.
    if (cycle % 3 !== 0) await talk.more(3);
    await (cycle % 3 === 2 ? drop(bob) : cut(bob, agent));
    await bob.next(CONNECTED);
    assert.equal(bob.socket.recovered, true, `cycle ${cycle} was not recovered`);
    assert.equal(bob.id, id, `cycle ${cycle} got another id`);
  }
  const took = Date.now() - began;
  await talk.stop();
  await eventually(() => seqs.at(-1) >= talk.said, 'bob heard the last message', CATCH_UP_MS);
  await w.settle(bob);
  agent.destroy();
  t.diagnostic(`${CYCLES} cycles in ${took} ms, ${talk.said} messages meanwhile`);
  assertComplete(seqs, talk.said, 'bob');
}

describe('a stock client that loses its transport', () => {
  let server;
  before(async () => {
    server = await Server.start(RECOVERY);
  });
  after(() => server.stop());

  for (const [way, transport] of Object.entries(WAYS)) {
    const sentence = `over ${way} misses nothing in ${CYCLES} cycles of drop and recover`;
    test(sentence, { timeout: LIMIT_MS }, (t) =>
      inWorld(server, transport, (w) => dropAndRecover(w, t)));
  }

  test('recovers again though nothing happened since the last recovery', () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const { room, alice, bob } = await pair(w);
      const { id } = bob;
      for (const time of upTo(5)) {
        await leave(bob);
        assert.equal(await comeBack(bob), true, `time ${time}`);
        assert.equal(bob.id, id);
      }
      await leave(bob);
      await say(alice, room, 'missed');
      assert.equal(await comeBack(bob), true);
      await say(alice, room, 'live');
      await w.settle(bob);
      assert.deepEqual(contents(bob), ['before', 'missed', 'live']);
    }));

  test('hears what is kept nowhere else, typing and emits, but nothing volatile', () =>
    inWorld(server, undefined, async (w) => {
      const { room, alice, bob } = await pair(w);
      const emit = async (args, more = {}) => {
        const body = { event: 'news', args, to: { rooms: [`room:${room}`] }, ...more };
        assert.equal((await w.service('POST', '/api/emit', body)).status, 202);
      };
      await leave(bob);
      await emit(['first']);
      await emit(['never'], { volatile: true });
      assertOk(await alice.ask('typing:start', room));
      await emit(['second', 'with another argument']);
      await w.settle(alice);
      const news = [];
      bob.socket.on('news', (...args) => news.push(args.slice(0, -1)));
      assert.equal(await comeBack(bob), true);
      assert.equal((await bob.next('typing:user')).typing, true);
      await w.settle(bob);
      assert.deepEqual(news, [['first'], ['second', 'with another argument']]);
      assert.deepEqual(alice.heard('news'), ['first', 'never', 'second']);
    }));

  test('hears messages, typing and emits that it missed in the order in which they came', () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const { room, alice, bob } = await pair(w);
      const heard = [];
      bob.socket.onAny((event, payload) => heard.push(payload.content ?? event));
      await leave(bob);
      heard.length = 0;
      for (const n of upTo(3)) {
        await say(alice, room, `message ${n}`);
        const body = { event: `news ${n}`, args: [{}], to: { rooms: [`room:${room}`] } };
        assert.equal((await w.service('POST', '/api/emit', body)).status, 202);
        await alice.next(`news ${n}`);
      }
      assert.equal(await comeBack(bob), true);
      await w.settle(bob);
      const missed = heard.filter((name) => /^(message|news) \d/.test(name));
      assert.deepEqual(missed, upTo(3).flatMap((n) => [`message ${n}`, `news ${n}`]));
    }));

  test('gets more than may wait for one client at a time', { timeout: LIMIT_MS }, () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const { room, alice, bob } = await pair(w);
      await leave(bob);
      const missed = upTo(LARGE_MESSAGES).map((n) => `${n} `.padEnd(8_000, 'm'));
      await Promise.all(missed.map((content) => say(alice, room, content)));
      assert.equal(await comeBack(bob), true);
      await say(alice, room, 'live');
      await bob.next('message:new', ({ content }) => content === 'live', CATCH_UP_MS);
      assert.deepEqual(contents(bob), ['before', ...missed, 'live']);
    }));

  test('comes back though the server still takes its old connection for alive', () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const proxy = await Proxy.open(server.url);
      await inWorld(proxy, WEBSOCKET, async (behind) => {
        const { room, alice, bob } = await pair(w, behind);
        const { id } = bob;
        proxy.vanish();
        await bob.next(DISCONNECTED);
        await say(alice, room, 'into the void');
        await bob.next(CONNECTED);
        assert.equal(bob.socket.recovered, true);
        assert.equal(bob.id, id);
        await say(alice, room, 'live');
        await w.settle(bob);
        assert.deepEqual(contents(bob), ['before', 'into the void', 'live']);
      }).finally(() => proxy.close());
    }));

  test('is where it was: in its rooms, online, watching', () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const { room, users, alice, bob } = await pair(w);
      const driver = w.id('driver');
      assertOk(await bob.ask('watch-delivery', driver));
      await leave(bob);
      assert.equal(await comeBack(bob), true);
      await say(bob, room, 'without joining again');
      const sent = await w.service('POST', `/api/driver/${driver}/location`, { lat: 1, lng: 2 });
      assert.equal(sent.status, 204, sent.text);
      assert.equal((await bob.next('location-update')).lat, 1);
      const { presence } = assertOk(await alice.ask('presence:get', [users.bob.id]));
      assert.equal(presence[users.bob.id].status, 'online');
      assert.equal(presence[users.bob.id].devices, 1);
      const { members } = assertOk(await alice.ask('join:room', room));
      assert.ok(JSON.stringify(members).includes(users.bob.id), 'bob is not listed');
      await w.settle(alice);
      const moves = (event) => alice.heard(event, ({ userId }) => userId === users.bob.id).length;
      assert.equal(moves('user:joined') - moves('user:left'), 1);
    }));
});

for (const [signal, end] of [['SIGTERM', 'terminate'], ['SIGKILL', 'kill']]) {
  test(`sessions outlive a restart by ${signal}, those of clients that were away, too`, { timeout: LIMIT_MS }, () =>
    onServer(RECOVERY, async (w, server) => {
      const { room, users, alice, bob } = await pair(w);
      const carol = await w.member(w.user('carol'), room);
      const toBob = async (content) => assertOk(await alice.ask('send-message', { to: users.bob.id, content }));
      await say(alice, room, 'all there');
      await toBob('for bob');
      await bob.next('message');
      await carol.next('message:new');
      await elapse(STORED_AFTER_MS);
      const ids = [alice.id, bob.id, carol.id];
      await leave(bob);
      await say(alice, room, 'bob is away');
      await toBob('for bob, who is away');
      await server[end]();
      await server.startAgain();
      for (const client of [alice, carol]) {
        await client.next(CONNECTED);
        assert.equal(client.socket.recovered, true, `${client.label} was connected when the server ended`);
      }
      await say(alice, room, 'after the restart');
      await toBob('for bob after the restart');
      assert.equal(await comeBack(bob), true, 'bob was away when the server ended');
      await say(alice, room, 'live');
      await w.settle(bob, carol);
      assert.deepEqual([alice.id, bob.id, carol.id], ids);
      const all = ['all there', 'bob is away', 'after the restart', 'live'];
      assert.deepEqual(contents(bob), ['before', ...all]);
      assert.deepEqual(contents(carol), all);
      assert.deepEqual(contents(bob, 'message'), ['for bob', 'for bob, who is away', 'for bob after the restart']);
    }));
}
