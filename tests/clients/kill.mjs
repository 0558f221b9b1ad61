// kill -9 while 50 clients send: every acked message is there once, and seq has no hole.
//
// SEED=n repeats a run; KILLS=n changes how often the server dies.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { random } from './random.mjs';
import { Server, mint, request } from './server.mjs';

const CLIENTS = 50;
const KILLS = Number(process.env.KILLS ?? 20);
const MOST_ACKS_BETWEEN_KILLS = 400;
const IN_FLIGHT_PER_CLIENT = 3;
const PAGE = 100;
const START_ATTEMPTS = 20;
const LIMIT_MS = 360_000;
const ROOM = 'kill-room';
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** Keeps a few messages in flight, and sends again whatever was not acked. */
class Sender {
  #unacked = new Map();
  #count = 0;
  #sending = true;
  #whenIdle;

  constructor(url, name, onAck) {
    this.name = name;
    this.onAck = onAck;
    this.acked = new Map();
    this.refusals = [];
    this.client = new Client(url, {
      dialect: DIALECTS['4.8'],
      transport: ['websocket'],
      token: mint({ sub: name, rooms: ['*'] }),
      label: name,
    });
    this.client.socket.on('connect', () => this.#resume());
  }

  /** After each connect: the room again, then what is open, without waiting in between. */
  #resume() {
    this.client.tell('join:room', ROOM);
    for (const clientId of this.#unacked.keys()) this.#emit(clientId);
    this.#fill();
  }

  #fill() {
    while (this.#sending && this.#unacked.size < IN_FLIGHT_PER_CLIENT) {
      const clientId = `${this.name}/${++this.#count}`;
      this.#unacked.set(clientId, true);
      this.#emit(clientId);
    }
  }

  #emit(clientId) {
    const { socket } = this.client;
    // What cannot go now goes after the next connect; the client's own buffer would send it twice.
    if (!socket.connected) return;
    const message = { roomId: ROOM, content: `text of ${clientId}`, clientId };
    socket.emit('message:send', message, (ack) => this.#acked(clientId, ack));
  }

  #acked(clientId, ack) {
    if (!this.#unacked.delete(clientId)) return;
    if (ack.ok) this.acked.set(clientId, { id: ack.message.id, seq: ack.message.seq });
    else this.refusals.push(`${clientId}: ${ack.code}, ${ack.error}`);
    this.onAck();
    if (this.#unacked.size === 0) this.#whenIdle?.();
    this.#fill();
  }

  /** Sends nothing new; resolves once everything is acked. */
  finish() {
    this.#sending = false;
    if (this.#unacked.size === 0) return undefined;
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }
}

/** Starts the server on its port again, which a client that tries to connect may hold for a moment. */
async function restart(server) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await server.start();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

/** Everything that the room holds, page by page. */
async function history(url) {
  const as = mint({ sub: 'reader', rooms: ['*'] });
  const messages = [];
  for (let more = true; more; ) {
    const after = messages.at(-1)?.seq ?? 0;
    const path = `/api/rooms/${ROOM}/messages?after=${after}&limit=${PAGE}`;
    const { status, body, text } = await request(url, 'GET', path, { as });
    assert.equal(status, 200, text);
    assert.equal(body.verdict, 'complete');
    messages.push(...body.messages);
    more = body.hasMore;
  }
  return messages;
}

test(`every acked message survives ${KILLS} kills at random points (SEED=${SEED})`, { timeout: LIMIT_MS }, async (t) => {
  const next = random(SEED);
  const server = await Server.start();
  let acks = 0;
  let reached = { at: Infinity, resolve() {} };
  const ackCounted = () => {
    acks += 1;
    if (acks >= reached.at) reached.resolve();
  };
  const acksUntil = (at) =>
    new Promise((resolve) => {
      reached = { at, resolve };
      if (acks >= at) resolve();
    });
  const senders = Array.from({ length: CLIENTS }, (_, n) => new Sender(server.url, `sender-${n}`, ackCounted));
  try {
    await Promise.all(senders.map((sender) => sender.client.next(CONNECTED)));
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await acksUntil(acks + Math.floor(next() * MOST_ACKS_BETWEEN_KILLS));
      await server.kill();
      await restart(server);
    }
    // One more ack proves that the last start serves.
    await acksUntil(acks + 1);
    await Promise.all(senders.map((sender) => sender.finish()));

    assert.deepEqual(senders.flatMap((sender) => sender.refusals), []);
    const stored = await history(server.url);
    t.diagnostic(`${acks} acked, ${stored.length} stored`);
    assert.deepEqual(stored.map((message) => message.seq), stored.map((_, n) => n + 1), 'seq has a hole');
    const byClientId = new Map(stored.map((message) => [message.clientId, message]));
    assert.equal(byClientId.size, stored.length, 'a message was stored twice');
    assert.equal(stored.length, acks, 'stored and acked differ');
    for (const sender of senders) {
      for (const [clientId, { id, seq }] of sender.acked) {
        const message = byClientId.get(clientId);
        assert.ok(message, `${clientId} was acked and is lost`);
        assert.deepEqual([message.id, message.seq], [id, seq]);
        assert.equal(message.content, `text of ${clientId}`);
        assert.equal(message.userId, sender.name);
      }
    }
  } finally {
    senders.forEach((sender) => sender.client.close());
    await server.stop();
  }
});
