// A client may speak as soon as it connects: 20,000 first events, each acked.
//
// CONNECTS=n changes how many.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client, DIALECTS } from './client.mjs';
import { settles } from './observe.mjs';
import { Raw, inBatches } from './raw.mjs';
import { Server, mint } from './server.mjs';

const CONNECTS = Number(process.env.CONNECTS ?? 20_000);
const STOCK_CONNECTS = 400;
const AT_ONCE = 200;
const STOCK_AT_ONCE = 50;
const LIMIT_MS = 300_000;

/** One user for each place in a batch: devices of one user come one after the other. */
const tokens = Array.from({ length: AT_ONCE }, (_, n) => mint({ sub: `caller-${n}`, rooms: ['*'] }));

let server;
before(async () => {
  server = await Server.start({ ROOMCAST_PRESENCE__AUDIENCE: 'roommates' });
});
after(() => server.stop());

/** How many of the replies are what the first event asked for; a failed one shows up in `else`. */
function tally(replies) {
  const right = replies.filter((reply) => reply?.ok === true);
  return { right: right.length, else: replies.filter((reply) => reply?.ok !== true).slice(0, 3) };
}

/** Connects, says this at once, and resolves with the ack of id 0 or with the text of an error. */
async function firstReply(n, says) {
  const raw = new Raw(server.url, { token: tokens[n % AT_ONCE], label: `caller ${n}`, ...says });
  const reply = await raw.acked(0).catch((error) => error.message);
  raw.destroy();
  return reply;
}

const GET = '420["presence:get",[]]';

for (const [when, says] of [
  ['in the same tick as it hears that it is connected', { first: [GET] }],
  ['in the same tick as it sends CONNECT', { early: [GET] }],
]) {
  test(`${CONNECTS} times, an event that a client sends ${when} is acked`, { timeout: LIMIT_MS }, async (t) => {
    const began = Date.now();
    const replies = await inBatches(CONNECTS, AT_ONCE, (n) => firstReply(n, says));
    const seconds = (Date.now() - began) / 1000;
    t.diagnostic(`${seconds.toFixed(1)} s, ${(CONNECTS / seconds).toFixed(0)} connects a second`);
    assert.deepEqual(tally(replies), { right: CONNECTS, else: [] });
  });
}

test('a join and a message right behind CONNECT take effect in that order', { timeout: LIMIT_MS }, async () => {
  const early = ['42["join:room","first"]', '420["message:send",{"roomId":"first","content":"hi"}]'];
  const replies = await inBatches(AT_ONCE, AT_ONCE, (n) => firstReply(n, { early }));
  assert.deepEqual(tally(replies), { right: AT_ONCE, else: [] });
  assert.equal(new Set(replies.map((reply) => reply.message.seq)).size, AT_ONCE);
});

/** A stock client that emits in its connect handler, and before it connects. */
function stockFirst(n, transport) {
  const client = new Client(server.url, {
    dialect: DIALECTS['4.8'],
    transport,
    token: tokens[n % STOCK_AT_ONCE],
    label: `stock client ${n}`,
    options: { reconnection: false },
  });
  const early = client.ask('presence:get', []);
  const onConnect = new Promise((resolve, reject) => {
    client.socket.once('connect', () => client.ask('presence:get', []).then(resolve, reject));
  });
  return Promise.all([early, onConnect])
    .catch((error) => [error.message])
    .finally(() => client.close());
}

for (const [way, transport] of [['WebSocket', ['websocket']], ['polling with upgrade', undefined]]) {
  const sentence = `${STOCK_CONNECTS} stock clients over ${way} that emit in the connect handler get the ack`;
  test(sentence, { timeout: LIMIT_MS }, async () => {
    const replies = await inBatches(STOCK_CONNECTS, STOCK_AT_ONCE, (n) => stockFirst(n, transport));
    assert.deepEqual(tally(replies.flat()), { right: 2 * STOCK_CONNECTS, else: [] });
  });
}

test('none of them is left behind', { timeout: LIMIT_MS }, async () => {
  await settles(server, 'roomcast_connections', 0);
  await settles(server, 'roomcast_queued_events', 0);
});
