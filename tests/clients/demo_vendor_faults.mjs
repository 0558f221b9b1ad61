// The demo's vendor page while the network, a stream, a device or the server goes away and comes back.

import assert from 'node:assert/strict';

import { AWAY, LEFT_EARLY, assertQuiet, atOnce, inChromium, serveDev } from './demo_app.mjs';
import { folder } from './program.mjs';
import {
  Backend, COLUMNS, board, button, cards, codeOf, codes, column, device, holds, notes, order, rings, shop,
  state, vendorPage,
} from './vendor_page.mjs';

const LIMIT_MS = 90_000;
const RUSH = 12;
const { fresh, kitchen } = COLUMNS;

const { open } = inChromium();
const test = atOnce(3, 'the vendor page and faults');

/** How a board loses its stream, and gets it back. */
const CUTS = {
  'whose stream is cut': {
    cut: (page) => button(board(page), 'Cut connection').click(),
    restore: (page) => button(board(page), 'Reconnect').click(),
  },
  'whose browser is offline': {
    cut: (page) => page.context().setOffline(true),
    restore: (page) => page.context().setOffline(false),
    expected: AWAY,
  },
};

for (const [name, { cut, restore, expected }] of Object.entries(CUTS)) {
  test(`a board ${name} gets every order of a busy hour, once`, { timeout: LIMIT_MS }, async (t) => {
    const { url } = await serveDev(t, await folder(t));
    const backend = await Backend.at(url);
    const [vera, bob] = [await vendorPage(open, t, url), await vendorPage(open, t, url, 'bob')];
    await order(bob, 'Croissant');
    await holds(vera, fresh, 1);
    await cut(vera);
    await state(board(vera), 'Offline');
    await button(shop(bob), 'Busy hour').click();
    await button(shop(bob), 'Busy hour').waitFor();
    assert.equal(await cards(vera, fresh).count(), 1);

    await restore(vera);
    await state(board(vera), `Recovered, ${RUSH} missed`);
    await holds(vera, fresh, RUSH + 1);
    assert.deepEqual(await codes(vera, fresh), (await backend.stored()).map(codeOf).reverse());
    assert.equal(await column(vera, fresh).getByText('Missed', { exact: true }).count(), RUSH);
    await order(bob, 'Lemonade');
    await holds(vera, fresh, RUSH + 2);
    assert.equal(await column(vera, fresh).getByText('New', { exact: true }).count(), 2);
    assertQuiet(vera, expected);
    assertQuiet(bob);
  });
}

test('an order whose answer is lost is placed once, if tried again', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const backend = await Backend.at(url);
  const [vera, bob] = [await vendorPage(open, t, url), await vendorPage(open, t, url, 'bob')];
  // The server takes the order, and its answer is lost on the way.
  let lost = 0;
  await bob.route('**/api/orders', async (route) => {
    await route.fetch();
    lost += 1;
    await route.abort();
  }, { times: 2 });
  await button(shop(bob), 'One Croissant more').click();
  for (const tries of [1, 2]) {
    await button(shop(bob), /^Place order/).click();
    await shop(bob).getByRole('alert').getByText(/^The order was not placed: /).waitFor();
    assert.equal(lost, tries);
  }
  await button(shop(bob), /^Place order/).click();
  await shop(bob).getByRole('button', { name: 'Place order', exact: true }).waitFor();
  assert.equal(await shop(bob).getByRole('alert').count(), 0);
  await holds(vera, fresh, 1);
  assert.equal((await backend.stored()).length, 1);

  // The same for a customer who is told.
  await vera.route('**/api/notifications', async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 1 });
  await button(cards(vera, fresh), /^Accept/).click();
  await board(vera).getByRole('alert').getByText(/^Bob could not be told of order/).waitFor();
  assert.equal(await cards(vera, fresh).count(), 1);
  await button(cards(vera, fresh), /^Accept/).click();
  await holds(vera, kitchen, 1);
  await rings(device(bob, 'Phone'), 1);
  assert.equal(await notes(device(bob, 'Phone')).count(), 1);
  for (const page of [vera, bob]) assertQuiet(page, /ERR_FAILED/);
});

test('a device that was away has what came meanwhile and what was read', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const backend = await Backend.at(url);
  const [home, away] = [await vendorPage(open, t, url), await vendorPage(open, t, url)];
  await button(home, 'Second device').click();
  const [phone, laptop, other] = [device(home, 'Phone'), device(home, 'Laptop'), device(away, 'Phone')];
  await state(laptop, 'Connected');
  await backend.notify('alice', { title: 'before' });
  for (const where of [phone, laptop, other]) await rings(where, 1);

  // One device by its button, one by its browser; the third stays.
  await button(laptop, 'Cut connection').click();
  await state(laptop, 'Offline');
  await away.context().setOffline(true);
  await state(other, 'Offline');
  for (const title of ['one', 'two']) await backend.notify('alice', { title });
  await rings(phone, 3);
  await button(phone, 'Mark “before” as read').click();
  await rings(phone, 2);
  for (const where of [laptop, other]) {
    await rings(where, 1);
    assert.equal(await notes(where).count(), 1);
  }

  await button(laptop, 'Reconnect').click();
  await away.context().setOffline(false);
  for (const where of [laptop, other]) {
    await state(where, /^Recovered, [23] missed$/);
    await rings(where, 2);
    const titles = await notes(where).locator('b').allTextContents();
    assert.deepEqual(titles, ['Unread: two', 'Unread: one', 'before']);
  }

  await button(phone, 'Cut connection').click();
  await state(phone, 'Offline');
  await button(laptop, 'Mark all as read').click();
  await rings(other, 0);
  await rings(phone, 2);
  await button(phone, 'Reconnect').click();
  await state(phone, 'Recovered, 0 missed');
  await rings(phone, 0);
  assertQuiet(home, LEFT_EARLY);
  assertQuiet(away, AWAY);
});

test('a server that is away and comes back costs the board nothing', { timeout: LIMIT_MS }, async (t) => {
  const dir = await folder(t);
  const first = await serveDev(t, dir);
  const [vera, bob] = [await vendorPage(open, t, first.url), await vendorPage(open, t, first.url, 'bob')];
  await order(bob, 'Croissant');
  await holds(vera, fresh, 1);
  assertQuiet([vera, bob]);

  await first.program.stop();
  await state(board(vera), 'Recovering…');
  await button(shop(bob), 'One Lemonade more').click();
  await button(shop(bob), /^Place order/).click();
  await shop(bob).getByRole('alert').getByText(/^The order was not placed: /).waitFor();
  // With another secret, since it made one up: the tokens of before are good no more.
  const second = await serveDev(t, dir, { PORT: new URL(first.url).port });
  await state(board(vera), /^Recovered/);
  await state(device(bob, 'Phone'), /^Recovered/);
  await button(shop(bob), /^Place order/).click();
  await holds(vera, fresh, 2);
  await button(cards(vera, fresh).first(), /^Accept/).click();
  await rings(device(bob, 'Phone'), 1);
  assert.equal((await (await Backend.at(second.url)).stored()).length, 2);
  assertQuiet([vera, bob], new RegExp(`${AWAY.source}|40[013]`));
});
