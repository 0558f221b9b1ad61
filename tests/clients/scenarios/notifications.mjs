// What backends tell one user.

import assert from 'node:assert/strict';

import { notify } from '../catch_up.mjs';
import { API_KEY } from '../server.mjs';
import { assertProblem, scenario } from '../world.mjs';

const PATH = '/api/notifications';

export default [
  scenario('a notification reaches all devices of its user and nobody else', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const alices = [await w.connect(users.alice), await w.connect(users.alice)];
    const bob = await w.connect(users.bob);
    const id = await notify(w, users.alice, { title: 'Your order is on its way', order: { number: 7 } });
    for (const device of alices) {
      const { createdAt, ...rest } = await device.next('notification');
      const posted = { userId: users.alice.id, title: 'Your order is on its way', order: { number: 7 } };
      assert.deepEqual(rest, { id, ...posted });
      assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000, createdAt);
    }
    await w.settle(...alices, bob);
    for (const device of alices) assert.equal(device.heard('notification').length, 1);
    assert.equal(bob.heard('notification').length, 0);
  }),

  scenario('a notification comes under the event that it names', async (w) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    const id = await notify(w, user, { event: 'order-shipped' });
    assert.equal((await alice.next('order-shipped')).id, id);
    await w.settle(alice);
    assert.equal(alice.heard('notification').length, 0);
  }),

  scenario('a numeric userId is the same user as its text', async (w) => {
    const number = w.number();
    const alice = await w.connect({ id: String(number), token: w.user('x', { sub: String(number) }).token });
    const id = await notify(w, { id: number });
    assert.equal((await alice.next('notification')).id, id);
  }),

  scenario('a notification for nobody, or under no fit name, is refused', async (w) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    const bodies = [
      { title: 'to whom?' },
      ...[null, '', 1.5, true, {}, ['alice']].map((userId) => ({ userId })),
      ...['', 7, {}, 'connect', 'disconnect', 'newListener', 'error', 'two\nlines', 'x'.repeat(257)].map(
        (event) => ({ userId: user.id, event })),
      'not json',
      [],
    ];
    for (const body of bodies) assertProblem(await w.service('POST', PATH, body), 400, 'invalid_payload');
    await w.settle(alice);
    assert.equal(alice.heard('notification').length, 0);
  }),

  scenario('notifications are posted by services only', async (w) => {
    const user = w.user('alice');
    const body = { userId: user.id };
    assertProblem(await w.http('POST', PATH, { body }), 401);
    assertProblem(await w.http('POST', PATH, { as: user, body }), 403, 'forbidden');
    const worker = w.user('worker', { roles: ['service'] });
    assert.equal((await w.http('POST', PATH, { as: worker, body })).status, 201);
  }),

  scenario('a repeat under one Idempotency-Key is the same notification, told once', async (w) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    const headers = { 'idempotency-key': w.id('key') };
    const send = (title) =>
      w.http('POST', PATH, { as: API_KEY, headers, body: { userId: user.id, title } });
    const [first, second] = [await send('once'), await send('once')];
    assert.equal(first.status, 201, first.text);
    assert.equal(second.status, 201, second.text);
    assert.equal(second.body.id, first.body.id);
    assertProblem(await send('something else'), 422, 'idempotency_key_reused');
    await w.settle(alice);
    assert.deepEqual(alice.heard('notification').map(({ title }) => title), ['once']);
  }),
];
