// Orders reach their vendor.

import assert from 'node:assert/strict';

import { post } from '../catch_up.mjs';
import { assertProblem, scenario } from '../world.mjs';

const pathOf = (vendor) => `/api/vendor/${vendor.id}/orders`;

export default [
  scenario('an order by either route reaches all devices of its vendor and nobody else', async (w) => {
    const users = { vera: w.user('vera', { roles: ['vendor'] }), bob: w.user('bob', { roles: ['vendor'] }) };
    const veras = [await w.connect(users.vera), await w.connect(users.vera)];
    const bob = await w.connect(users.bob);
    const vendorId = users.vera.id;
    const ids = [
      await post(w, '/api/orders', { vendorId, total: 1 }),
      await post(w, pathOf(users.vera), { vendorId, total: 2 }),
      await post(w, pathOf(users.vera), { total: 3 }),
    ];
    for (const device of veras) {
      for (const [n, id] of ids.entries()) {
        const { createdAt, ...order } = await device.next('new-order');
        assert.deepEqual(order, { id, vendorId, total: n + 1 });
        assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000, createdAt);
      }
    }
    await w.settle(...veras, bob);
    for (const device of veras) assert.equal(device.heard('new-order').length, 3);
    assert.equal(bob.heard('new-order').length, 0);
  }),

  scenario('an order keeps the id that its shop gave it', async (w) => {
    const user = w.user('vera', { roles: ['vendor'] });
    const vera = await w.connect(user);
    const entryId = await post(w, '/api/orders', { vendorId: user.id, id: 'order-7' });
    const order = await vera.next('new-order');
    assert.equal(order.id, 'order-7');
    assert.equal(order.entryId, entryId);
  }),

  scenario('an order without a vendor, or for another than the path\'s, is refused', async (w) => {
    const user = w.user('vera', { roles: ['vendor'] });
    const vera = await w.connect(user);
    const refuse = async (path, body) =>
      assertProblem(await w.service('POST', path, body), 400, 'invalid_payload');
    await refuse('/api/orders', { total: 1 });
    for (const vendorId of [null, '', 1.5, {}]) await refuse('/api/orders', { vendorId });
    for (const vendorId of [w.id('another'), 7, null]) await refuse(pathOf(user), { vendorId });
    await refuse(pathOf(user), [{ total: 1 }]);
    await w.settle(vera);
    assert.equal(vera.heard('new-order').length, 0);
  }),

  scenario('orders are posted by services, and read by their vendor', async (w) => {
    const vera = w.user('vera', { roles: ['vendor'] });
    const others = [w.user('bob', { roles: ['vendor'] }), w.user('vera')];
    const id = await post(w, pathOf(vera), { total: 1 });
    for (const [method, body] of [['POST', { total: 2 }], ['GET']]) {
      assertProblem(await w.http(method, pathOf(vera), { body }), 401);
      for (const as of others) assertProblem(await w.http(method, pathOf(vera), { as, body }), 403, 'forbidden');
    }
    assertProblem(await w.http('POST', pathOf(vera), { as: vera, body: {} }), 403, 'forbidden');
    const { status, body } = await w.http('GET', pathOf(vera), { as: vera });
    assert.equal(status, 200);
    assert.deepEqual(body.orders.map((order) => [order.id, order.seq, order.event]), [[id, 1, 'new-order']]);
  }),
];
