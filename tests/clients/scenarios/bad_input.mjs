// Whatever a client sends wrongly is answered by its error, and the same socket goes on.

import assert from 'node:assert/strict';

import { CONNECTED, DISCONNECTED } from '../client.mjs';
import { assertOk, assertRefused, scenario } from '../world.mjs';

/** Events with arguments that do not fit them. */
const misfits = (room) => [
  ['join:room'],
  ['join:room', null],
  ['join:room', { room }],
  ['join:room', [room]],
  ['join:room', true],
  ['join:room', ''],
  ['join:room', 'with\u0000nul'],
  ['join:room', 1.5],
  ['leave:room'],
  ['leave:room', {}],
  ['message:send'],
  ['message:send', 'text'],
  ['message:send', null],
  ['message:send', [room, 'text']],
  ['message:send', { roomId: room }],
  ['message:send', { content: 'where?' }],
  ['message:send', { roomId: room, content: 7 }],
  ['message:send', { roomId: room, content: { text: 'x' } }],
  ['message:send', { roomId: room, content: 'x', clientId: {} }],
  ['chat:message', { roomId: room, content: [] }],
  ['chat:read', { roomId: room }],
  ['message:edit', { roomId: room, messageId: 'no-such', content: 'x' }],
  ['message:delete', { roomId: room, messageId: 'no-such' }],
  ['message:delete', 'no-such'],
  ['typing:start', {}],
  ['presence:update', 3],
  ['presence:get', 'alice'],
  ['presence:get', [{}]],
  ['send-message', 'hello'],
  ['join-product-room', {}],
  ['join-product-room'],
  ['messages:since', { roomId: room, after: {} }],
  ['messages:since', {}],
];

/** The socket still works: it sends, and bob hears it. */
async function stillWorks(alice, bob, room) {
  assertOk(await alice.ask('join:room', room));
  const { message } = assertOk(await alice.ask('message:send', { roomId: room, content: 'still here' }));
  await bob.next('message:new', (heard) => heard.id === message.id);
}

async function pair(w) {
  const room = w.id('room');
  return { room, alice: await w.member(w.user('alice'), room), bob: await w.member(w.user('bob'), room) };
}

export default [
  scenario('an argument that does not fit is a failure of that event', async (w) => {
    const { room, alice, bob } = await pair(w);
    for (const [event, ...args] of misfits(room)) {
      const ack = await alice.ask(event, ...args);
      assert.equal(ack?.ok, false, `${event} ${JSON.stringify(args)} → ${JSON.stringify(ack)}`);
      assertRefused(ack);
    }
    await stillWorks(alice, bob, room);
    assert.equal(alice.heard(DISCONNECTED).length, 0);
  }),

  scenario('without an ack a failure is an error event that names its event', async (w) => {
    const { room, alice, bob } = await pair(w);
    for (const [event, ...args] of misfits(room)) {
      alice.tell(event, ...args);
      const error = await alice.next('error');
      assert.equal(error.event, event, JSON.stringify(args));
      assert.equal(typeof error.message, 'string');
      assert.equal(typeof error.code, 'string');
    }
    await stillWorks(alice, bob, room);
  }),

  scenario('an event that nobody declared is an unknown_event', async (w) => {
    const { room, alice, bob } = await pair(w);
    assertRefused(await alice.ask('no-such-event', 1, 2), 'unknown_event');
    alice.tell('no-such-event', { a: 1 });
    const error = await alice.next('error');
    assert.equal(error.code, 'unknown_event');
    assert.equal(error.event, 'no-such-event');
    await stillWorks(alice, bob, room);
  }),

  scenario('a room id of 900 KB is refused', async (w) => {
    const { room, alice, bob } = await pair(w);
    // Binary packets grow by a third when they are polled, past the payload limit.
    const isBase64 = w.dialect.parser && w.transport?.[0] === 'polling';
    assertRefused(await alice.ask('join:room', 'r'.repeat(isBase64 ? 700_000 : 900_000)));
    await stillWorks(alice, bob, room);
    assert.equal(alice.heard(DISCONNECTED).length, 0);
  }),

  scenario('a room id of 8 MB harms nobody, not even the one who sent it', async (w) => {
    const { room, alice, bob } = await pair(w);
    // What is over the payload limit ends the transport, as Node's server does; the client returns.
    const refused = new Promise((resolve) => {
      alice.socket.emit('join:room', 'r'.repeat(8_000_000), resolve);
    });
    const answer = await Promise.race([refused, alice.next(DISCONNECTED)]);
    if (typeof answer === 'string') await alice.next(CONNECTED);
    else assertRefused(answer);
    await stillWorks(alice, bob, room);
    assert.equal(bob.heard(DISCONNECTED).length, 0);
  }),

  scenario('a body that is not JSON, or too large, leaves the sockets alone', async (w) => {
    const { room, alice, bob } = await pair(w);
    const user = w.user('alice');
    const path = '/api/payments/make-payment-with-socket';
    const broken = await w.http('POST', path, { as: user, body: '{"amount": ' });
    assert.equal(broken.status, 400, broken.text);
    const large = await w.http('POST', path, { as: user, body: `"${'x'.repeat(8_000_000)}"` })
      .catch(() => ({ status: 413 }));
    assert.equal(large.status, 413);
    await stillWorks(alice, bob, room);
  }),
];
