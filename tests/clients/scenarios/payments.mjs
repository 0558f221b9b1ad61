// A payment is requested over HTTP; its outcome comes to the socket that asked.

import assert from 'node:assert/strict';

import { assertProblem, scenario } from '../world.mjs';

const PAY = '/api/payments/make-payment-with-socket';

/** Requests a payment for this socket; gives its id. */
export async function pay(w, user, client) {
  const response = await w.http('POST', PAY, {
    as: user,
    body: { amount: 19.99, socketId: client.id },
  });
  assert.equal(response.status, 200, response.text);
  assert.equal(response.body.message, 'Payment received, processing request');
  assert.ok(response.body.paymentId);
  return response.body.paymentId;
}

export const finish = async (w, paymentId, status) => {
  const response = await w.service('POST', `/api/payments/${paymentId}/status`, { status });
  assert.equal(response.status, 204, response.text);
};

export default [
  scenario('the outcome comes later, to the socket that paid only', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const [phone, laptop] = [await w.connect(users.alice), await w.connect(users.alice)];
    const bob = await w.connect(users.bob);
    await pay(w, users.alice, phone);
    assert.equal(await phone.next('payment-status'), true);
    await w.settle(phone, laptop, bob);
    assert.equal(phone.heard('payment-status').length, 1);
    assert.equal(laptop.heard('payment-status').length, 0);
    assert.equal(bob.heard('payment-status').length, 0);
  }),

  scenario('a service settles a payment, and repeats change nothing', async (w) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    const failed = await pay(w, user, alice);
    await finish(w, failed, 'failed');
    assert.equal(await alice.next('payment-status'), false);
    await finish(w, failed, 'failed');
    // The second payment's own outcome comes after the first one's delay has passed.
    await pay(w, user, alice);
    assert.equal(await alice.next('payment-status'), true);
    await w.settle(alice);
    assert.deepEqual(alice.heard('payment-status'), [false, true]);
  }),

  scenario('when the socket is gone its user hears the outcome on the next connect', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const bob = await w.connect(users.bob);
    const alice = await w.connect(users.alice);
    const payment = await pay(w, users.alice, alice);
    alice.close();
    const gone = ({ userId, status }) => userId === users.alice.id && status === 'offline';
    await bob.next('presence:changed', gone);
    await finish(w, payment, 'succeeded');
    const later = await w.connect(users.alice);
    assert.equal(await later.next('payment-status'), true);
    await w.settle(later);
    assert.equal(later.heard('payment-status').length, 1);
    const muchLater = await w.connect(users.alice);
    await muchLater.next('socket-id');
    await w.settle(muchLater);
    assert.equal(muchLater.heard('payment-status').length, 0);
  }),

  scenario('a payment needs an amount, a socket and somebody who pays', async (w) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    const refuse = async (body, status = 400) =>
      assertProblem(await w.http('POST', PAY, { as: user, body }), status);
    await refuse({ socketId: alice.id });
    await refuse({ amount: 'much', socketId: alice.id });
    await refuse({ amount: -1, socketId: alice.id });
    await refuse({ amount: 1 });
    await refuse('not json');
    const nobody = await w.http('POST', PAY, { body: { amount: 1, socketId: alice.id } });
    assertProblem(nobody, 401);
  }),

  scenario('an outcome is taken from a service only, for a payment that exists', async (w) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    const path = `/api/payments/${await pay(w, user, alice)}/status`;
    const body = { status: 'failed' };
    const status = (await w.http('POST', path, { as: user, body })).status;
    assert.ok([401, 403].includes(status), String(status));
    assertProblem(await w.http('POST', path, { body }), 401);
    assertProblem(await w.service('POST', path, { status: 'perhaps' }), 400);
    assertProblem(await w.service('POST', '/api/payments/no-such/status', body), 404);
    assert.equal(await alice.next('payment-status'), true);
  }),
];
