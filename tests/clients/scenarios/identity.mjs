// Who may connect, and what a guest may do.

import assert from 'node:assert/strict';

import { REFUSED } from '../client.mjs';
import { assertOk, assertRefused, scenario } from '../world.mjs';

/** Asserts that the connection is refused with exactly this message. */
async function assertNotLetIn(w, token, message) {
  const client = w.dial(token);
  const error = await client.next(REFUSED);
  client.close();
  assert.equal(error.message, message);
}

export default [
  scenario('a connected socket is told its own id', async (w) => {
    const alice = await w.connect(w.user('alice'));
    assert.equal(await alice.next('socket-id'), alice.id);
    assert.ok(alice.id.length > 0);
  }),

  scenario('the connection ends up on the transport that was asked for', async (w) => {
    const alice = await w.connect(w.user('alice'));
    const wanted = w.transport?.[0] ?? 'websocket';
    if (alice.transport !== wanted) {
      const late = AbortSignal.timeout(10_000);
      await new Promise((resolve, reject) => {
        late.onabort = () => reject(new Error('no upgrade'));
        alice.socket.io.engine.on('upgrade', resolve);
      });
    }
    assert.equal(alice.transport, wanted);
    assert.equal((await alice.ask('presence:get', [])).ok, true);
  }),

  scenario('without a token the message is Authentication required', (w) =>
    assertNotLetIn(w, undefined, 'Authentication required')),

  scenario('a text that is no token is an Invalid token', (w) =>
    assertNotLetIn(w, 'garbage', 'Invalid token')),

  scenario('an expired token is an Invalid token', (w) =>
    assertNotLetIn(w, w.user('alice', {}, { ttlSeconds: -7200 }).token, 'Invalid token')),

  scenario('a token signed with another secret is an Invalid token', (w) =>
    assertNotLetIn(w, w.user('alice', {}, { secret: 'x'.repeat(40) }).token, 'Invalid token')),

  scenario('an unsigned token is an Invalid token', (w) =>
    assertNotLetIn(w, w.user('alice', {}, { alg: 'none' }).token, 'Invalid token')),

  scenario('a token without a subject is an Invalid token', (w) =>
    assertNotLetIn(w, w.user('alice', { sub: undefined }).token, 'Invalid token')),

  scenario('a guest watches products and hears about its own payment', async (w) => {
    const guest = await w.connect();
    assert.equal(await guest.next('socket-id'), guest.id);
    const product = w.id('lamp');
    assertOk(await guest.ask('join-product-room', product));
    await w.service('PUT', `/api/products/${product}/inventory`, { newInventory: 3 });
    assert.equal(await guest.next('inventory-update'), 3);
    const paid = await w.http('POST', '/api/payments/make-payment-with-socket', {
      body: { amount: 5, socketId: guest.id },
    });
    assert.equal(paid.status, 200, paid.text);
    assert.equal(await guest.next('payment-status'), true);
  }, 'guests'),

  scenario('a guest gets Authentication required for everything else', async (w) => {
    const guest = await w.connect();
    const ack = await guest.ask('join:room', w.id('room'));
    assertRefused(ack, 'unauthenticated');
    assert.equal(ack.error, 'Authentication required');
    const error = await guest.next('error');
    assert.equal(error.message, 'Authentication required');
    assert.equal(error.event, 'join:room');
    const others = [
      ['send-message', { to: w.id('bob'), content: 'hello' }],
      ['typing:start', w.id('room')],
      ['presence:update', 'busy'],
      ['presence:get', [w.id('bob')]],
      ['watch-delivery', w.id('driver')],
    ];
    for (const [event, argument] of others) {
      const refused = await guest.ask(event, argument);
      assertRefused(refused);
      assert.equal(refused.error, 'Authentication required', event);
    }
  }, 'guests'),

  scenario('a token that fails is refused where guests are welcome too', (w) =>
    assertNotLetIn(w, 'garbage', 'Invalid token'), 'guests'),

  scenario('a token that ends is told ahead and may be renewed in band', async (w) => {
    const alice = await w.connect(w.user('alice', {}, { ttlSeconds: 5 }));
    const { expiresAt } = await alice.next('auth:expiring');
    const { token } = w.user('alice');
    const ack = assertOk(await alice.ask('auth:refresh', token));
    assert.ok(Date.parse(ack.expiresAt) > Date.parse(expiresAt));
    assertRefused(await alice.ask('auth:refresh', w.user('bob').token), 'forbidden');
  }),
];
