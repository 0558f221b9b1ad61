// Churn: clients connect, join, send, leave, drop and say goodbye, and at the end nothing is left.
//
// SOAK_SECONDS=600 is the long run; SEED=n repeats the choices.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { MIB, descriptors, eventually, metric, mib, resident, settles } from './observe.mjs';
import { random } from './random.mjs';
import { Raw, within } from './raw.mjs';
import { Server, mint } from './server.mjs';

const SECONDS = Number(process.env.SOAK_SECONDS ?? 20);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const WARM_UP_SECONDS = Math.max(10, SECONDS / 10);
const VISITORS = 40;
const ROOMS = 8;
const QUIET_WITHIN_MS = 15_000;
/** What may be kept after the warm-up's: an allocator's slack, the store's cache. */
const GROWTH_LIMIT = 32 * MIB;
const GROWTH_FACTOR = 0.25;

const ways = { websocket: ['websocket'], polling: ['polling'], upgrade: undefined };

/** A stock client as a raw one is: connected, with `ask`, `destroy` and `close`. */
async function stock(url, token, transport) {
  const options = { reconnection: false };
  const client = new Client(url, { dialect: DIALECTS['4.8'], transport, token, label: 'a visitor', options });
  await client.next(CONNECTED);
  client.destroy = () => client.drop();
  return client;
}

/** One user who comes and goes until the time is up. */
class Visitor {
  constructor(server, n, next) {
    this.server = server;
    this.next = next;
    this.name = `visitor-${n}`;
    this.token = mint({ sub: this.name, rooms: ['*'] });
    this.visits = 0;
    this.messages = 0;
  }

  #below(count) {
    return Math.floor(this.next() * count);
  }

  async #connect() {
    // Stock clients cost this machine more than the server: one visit in five.
    if (this.#below(5) > 0) return Raw.connect(this.server.url, { token: this.token, label: this.name });
    return stock(this.server.url, this.token, Object.values(ways)[this.#below(3)]);
  }

  async until(end) {
    while (Date.now() < end) await this.#visit();
  }

  async #visit() {
    const client = await this.#connect();
    try {
      const rooms = Array.from({ length: 1 + this.#below(3) }, () => `room-${this.#below(ROOMS)}`);
      for (const room of rooms) await this.#ok(client, 'join:room', room);
      for (let n = this.#below(6); n > 0; n -= 1) {
        const message = { roomId: rooms[0], content: 'm'.repeat(1 + this.#below(2_000)) };
        await this.#ok(client, 'message:send', message);
        this.messages += 1;
      }
      await this.#ok(client, 'typing:start', rooms[0]);
      await this.#ok(client, 'watch-delivery', `driver-${this.#below(ROOMS)}`);
      if (this.#below(2) === 0) await this.#ok(client, 'leave:room', rooms[0]);
      // What is asked last may still be under way when the client goes.
      if (this.#below(2) === 0) client.ask('messages:since', { roomId: rooms.at(-1) }).catch(() => {});
    } finally {
      if (this.#below(2) === 0) client.close();
      else client.destroy();
    }
    this.visits += 1;
  }

  async #ok(client, event, argument) {
    const ack = await client.ask(event, argument);
    assert.equal(ack.ok, true, `${event}: ${JSON.stringify(ack)}`);
  }
}

/** Resolves with what the server holds once everybody is gone. */
async function quiet(server) {
  await settles(server, 'roomcast_connections', 0, QUIET_WITHIN_MS);
  await settles(server, 'roomcast_queued_events', 0, QUIET_WITHIN_MS);
  await settles(server, 'roomcast_undelivered_entries', 0, QUIET_WITHIN_MS);
  return { bytes: resident(server), files: descriptors(server) };
}

/** Nobody is online, and a newcomer is alone in every room. */
async function assertNoGhosts(server, visitors) {
  const names = visitors.map(({ name }) => name);
  const newcomer = await Raw.connect(server.url, { token: mint({ sub: 'newcomer', rooms: ['*'] }) });
  const areGone = async () => {
    const { presence } = await newcomer.ask('presence:get', names);
    return names.every((name) => (presence[name]?.status ?? 'offline') === 'offline');
  };
  await eventually(areGone, 'everybody is offline');
  for (let n = 0; n < ROOMS; n += 1) {
    const { members } = await newcomer.ask('join:room', `room-${n}`);
    assert.equal(members.length, 1, `ghosts in room-${n}: ${JSON.stringify(members)}`);
  }
  newcomer.close();
  await within(QUIET_WITHIN_MS, newcomer.ended, 'the newcomer was not let go');
}

const limitMs = (SECONDS + WARM_UP_SECONDS) * 1_000 + 120_000;

test(`${SECONDS} s of churn end with nothing left (SEED=${SEED})`, { timeout: limitMs }, async (t) => {
  const server = await Server.start({ ROOMCAST_PRESENCE__AUDIENCE: 'roommates' });
  try {
    const next = random(SEED);
    const visitors = Array.from({ length: VISITORS }, (_, n) => new Visitor(server, n, next));
    const churn = async (seconds) => {
      const end = Date.now() + seconds * 1_000;
      await Promise.all(visitors.map((visitor) => visitor.until(end)));
      return quiet(server);
    };
    const warm = await churn(WARM_UP_SECONDS);
    const end = await churn(SECONDS);
    await assertNoGhosts(server, visitors);
    const sum = (what) => visitors.reduce((total, visitor) => total + visitor[what], 0);
    t.diagnostic(`${sum('visits')} visits, ${sum('messages')} messages`);
    t.diagnostic(`resident ${mib(warm.bytes)} after the warm-up, ${mib(end.bytes)} at the end`);
    t.diagnostic(`descriptors ${warm.files} after the warm-up, ${end.files} at the end`);
    const [came, went] = [
      await metric(server, 'roomcast_connects_total', { outcome: 'ok' }),
      await metric(server, 'roomcast_disconnects_total'),
    ];
    assert.equal(came, sum('visits') + 1, 'connects are counted');
    assert.equal(went, came, 'each end is counted once');
    assert.ok(end.files <= warm.files + 4, `${end.files} descriptors, ${warm.files} after the warm-up`);
    const limit = warm.bytes * (1 + GROWTH_FACTOR) + GROWTH_LIMIT;
    assert.ok(end.bytes < limit, `${mib(end.bytes)} resident, ${mib(warm.bytes)} after the warm-up`);
    assert.deepEqual(server.panics, []);
  } finally {
    await server.stop();
  }
});
