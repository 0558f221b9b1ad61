// Stock of a product, to those who watch it.

import assert from 'node:assert/strict';

import { assertOk, assertProblem, scenario } from '../world.mjs';

const stock = async (w, product, newInventory) => {
  const put = await w.service('PUT', `/api/products/${product}/inventory`, { newInventory });
  assert.equal(put.status, 204, put.text);
};

export default [
  scenario('stock reaches the watchers of that product only, by number or by text', async (w) => {
    const product = w.number();
    const alice = await w.connect(w.user('alice'));
    const bob = await w.connect(w.user('bob'));
    const carol = await w.connect(w.user('carol'));
    assertOk(await alice.ask('join-product-room', product));
    assertOk(await bob.ask('join-product-room', String(product)));
    assertOk(await carol.ask('join-product-room', `${product}0`));
    await stock(w, product, 12);
    assert.equal(await alice.next('inventory-update'), 12);
    assert.equal(await bob.next('inventory-update'), 12);
    await w.settle(alice, bob, carol);
    assert.equal(alice.heard('inventory-update').length, 1);
    assert.equal(carol.heard('inventory-update').length, 0);
  }),

  scenario('a late watcher gets the last known stock, one that left gets no more', async (w) => {
    const product = w.id('lamp');
    await stock(w, product, 4);
    const alice = await w.connect(w.user('alice'));
    assertOk(await alice.ask('join-product-room', product));
    assert.equal(await alice.next('inventory-update'), 4);
    await stock(w, product, 0);
    assert.equal(await alice.next('inventory-update'), 0);
    assertOk(await alice.ask('leave-product-room', product));
    await stock(w, product, 9);
    await w.settle(alice);
    assert.equal(alice.heard('inventory-update').length, 2);
  }),

  scenario('stock is set by a service, with a number', async (w) => {
    const path = `/api/products/${w.id('lamp')}/inventory`;
    const body = { newInventory: 1 };
    assertProblem(await w.http('PUT', path, { as: w.user('alice'), body }), 403);
    assertProblem(await w.http('PUT', path, { body }), 401);
    assertProblem(await w.service('PUT', path, {}), 400);
    assertProblem(await w.service('PUT', path, { newInventory: 'many' }), 400);
  }),
];
