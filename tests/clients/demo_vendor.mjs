// The demo's vendor page: orders on the board, and the customers' bells, each in a browser of its own.

import assert from 'node:assert/strict';

import {
  DESKTOP, LEFT_EARLY, NARROW, PHONE, assertAccessible, assertFits, assertQuiet, atOnce, inChromium,
  keepComplaints, serveDev, shot,
} from './demo_app.mjs';
import { elapse } from './observe.mjs';
import { folder } from './program.mjs';
import {
  Backend, COLUMNS, bell, board, button, cards, codeOf, codes, column, device, holds, notes, order, rings,
  says, shop, state, vendorPage,
} from './vendor_page.mjs';

const LIMIT_MS = 90_000;
/** Orders that come closer together ring once. */
const CHIMES_APART_MS = 300;
const { fresh, kitchen, ready } = COLUMNS;

const { open } = inChromium();
const test = atOnce(2, 'the vendor page');

test('bob orders, vera cooks, and bob hears how it goes', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [vera, bob] = [await vendorPage(open, t, url, 'alice'), await vendorPage(open, t, url, 'bob')];
  await says(column(vera, fresh), 'Nothing to accept. Place an order.');
  await order(bob, 'Flat white', 'Flat white', 'Croissant');
  await holds(vera, fresh, 1);
  const card = cards(vera, fresh);
  assert.deepEqual(await card.locator('ul > li').allTextContents(), ['2 Flat white', '1 Croissant']);
  await says(card, 'New');
  assert.match(await card.innerText(), /^B\nBob #[0-9A-F]{4}\nNew\n[\s\S]*· €9\.20\nAccept$/);

  await rings(device(bob, 'Phone'), 0);
  await button(card, /^Accept: order .{4} of Bob$/).click();
  await holds(vera, kitchen, 1);
  await holds(vera, fresh, 0);
  await rings(device(bob, 'Phone'), 1);
  await button(cards(vera, kitchen), /^Ready: /).click();
  await holds(vera, ready, 1);
  await rings(device(bob, 'Phone'), 2);
  const [newest, oldest] = await notes(device(bob, 'Phone')).allTextContents();
  assert.match(newest, /^Unread: Your order is ready · #[0-9A-F]{4}Pick it up at the counter\./);
  assert.match(oldest, /^Unread: Your order was accepted · #[0-9A-F]{4}The kitchen is at work on it\./);
  // Alice, beside Vera's board, is not told of it.
  await rings(device(vera, 'Phone'), 0);

  // How far an order is outlives the page; what is handed over is gone from it.
  await order(bob, 'Lemonade');
  await holds(vera, fresh, 1);
  await vera.reload();
  await holds(vera, ready, 1);
  await holds(vera, fresh, 1);
  assert.equal(await column(vera, fresh).getByText('New', { exact: true }).count(), 0);
  await button(cards(vera, ready), /^Handed over: /).click();
  await holds(vera, ready, 0);
  assert.equal(await cards(vera, kitchen).count(), 0);
  assertQuiet([vera, bob]);
});

test('a busy hour is on the board order by order, and can be stopped', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const backend = await Backend.at(url);
  const [vera, bob] = [await vendorPage(open, t, url), await vendorPage(open, t, url, 'bob')];
  // The fourth order waits until the hour has been stopped.
  let letGo;
  const stopped = new Promise((resolve) => {
    letGo = resolve;
  });
  let asked = 0;
  await bob.route('**/api/orders', async (route) => {
    asked += 1;
    if (asked > 3) await stopped;
    await route.continue();
  });
  await button(shop(bob), 'Busy hour').click();
  await button(shop(bob), '3 of 12 placed, stop').click();
  letGo();
  await button(shop(bob), 'Busy hour').waitFor();
  const stored = await backend.stored();
  assert.equal(stored.length, 4, 'no order after the one that was on its way');
  await holds(vera, fresh, stored.length);
  // The newest is on top.
  assert.deepEqual(await codes(vera, fresh), stored.map(codeOf).reverse());
  assertQuiet([vera, bob]);
});

test('the board rings when it is allowed to, and remembers that', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const backend = await Backend.at(url);
  const page = await vendorPage(open, t, url);
  const context = page.context();
  await context.addInitScript(() => {
    globalThis.tones = 0;
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function counted(...args) {
      globalThis.tones += 1;
      return start.apply(this, args);
    };
  });
  await page.reload();
  const tones = () => page.evaluate(() => globalThis.tones);
  let count = 0;
  const arrives = async () => {
    await backend.order({ items: [{ name: 'Tea', quantity: 1 }] });
    count += 1;
    await holds(page, fresh, count);
  };
  const off = button(board(page), 'Sound off');
  await off.waitFor();
  assert.equal(await off.getAttribute('aria-pressed'), 'false');
  await arrives();
  assert.equal(await tones(), 0);

  // It says how it sounds; then each order does. Two tones make one chime.
  await off.click();
  const on = button(board(page), 'Sound on');
  await on.waitFor();
  await page.waitForFunction(() => globalThis.tones === 2);
  assert.equal(await on.getAttribute('aria-pressed'), 'true');
  await elapse(CHIMES_APART_MS);
  await arrives();
  await page.waitForFunction(() => globalThis.tones === 4);

  // A window that nobody has touched may not ring; one key, and it does.
  const untouched = await context.newPage();
  keepComplaints(untouched);
  // A test that looks at a page counts as one who touches it; this one is to be told apart.
  await untouched.addInitScript(() => {
    const activation = { hasBeenActive: false, isActive: false };
    Object.defineProperty(Navigator.prototype, 'userActivation', { get: () => activation });
  });
  await untouched.goto(page.url());
  await button(board(untouched), 'Sound on after a click').waitFor();
  await arrives();
  await holds(untouched, fresh, count);
  assert.equal(await untouched.evaluate(() => globalThis.tones), 0);
  await untouched.keyboard.press('a');
  await button(board(untouched), /^Sound on$/).waitFor();
  await arrives();
  await untouched.waitForFunction(() => globalThis.tones === 2);
  await untouched.close();

  await on.click();
  await off.waitFor();
  const before = await tones();
  await arrives();
  assert.equal(await tones(), before);
  await page.reload();
  await off.waitFor();
  assertQuiet([page, untouched]);
});

test('alice reads on one device, and it is read on the others', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const backend = await Backend.at(url);
  const home = await vendorPage(open, t, url);
  await button(home, 'Second device').click();
  await home.waitForURL(/devices=2/);
  const away = await vendorPage(open, t, url);
  const [phone, laptop, other] = [device(home, 'Phone'), device(home, 'Laptop'), device(away, 'Phone')];
  await state(laptop, 'Connected');
  for (const title of ['one', 'two', 'three']) await backend.notify('alice', { title });
  for (const where of [phone, laptop, other]) await rings(where, 3);

  await button(phone, 'Mark “two” as read').click();
  for (const where of [phone, laptop, other]) await rings(where, 2);
  assert.equal(await button(other, 'Mark “two” as read').count(), 0);
  // A keyboard closes the list, and the bell still counts.
  await bell(other).focus();
  await away.keyboard.press('Enter');
  await notes(other).first().waitFor({ state: 'hidden' });
  await backend.notify('alice', { title: 'four' });
  await rings(other, 3);
  assert.equal(await bell(other).getAttribute('aria-expanded'), 'false');
  await away.keyboard.press('Enter');
  await notes(other).first().waitFor();

  await button(laptop, 'Mark all as read').click();
  for (const where of [phone, laptop, other]) await rings(where, 0);
  await away.reload();
  await says(other, 'four');
  await rings(other, 0);

  // Somebody else has a bell of their own.
  await away.getByRole('radio', { name: 'Carol' }).check();
  await says(other, 'None yet. Carol hears when the kitchen accepts an order.');
  await backend.notify('carol', { title: 'five' });
  await rings(other, 1);
  await rings(phone, 0);
  assertQuiet(home);
  assertQuiet(away, LEFT_EARLY);
});

test('whatever a backend posts is shown as far as it can be', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const backend = await Backend.at(url);
  const page = await vendorPage(open, t, url);
  await backend.order({ id: 'order-1', item: 'soup', spicy: true });
  const items = ['tea', null, { name: '<b>cake</b>', quantity: '2' }];
  await backend.order({ customer: 7, createdAt: 'soon', items });
  await holds(page, fresh, 2);
  const lines = cards(page, fresh).locator('ul > li');
  const shown = ['1 "tea"', '1 null', '1 <b>cake</b>', '1 item: soup', '1 spicy: true'];
  assert.deepEqual(await lines.allTextContents(), shown);
  assert.equal(await column(page, fresh).getByText('Somebody').count(), 2);
  // Nobody can be told, and the order moves on all the same.
  await button(cards(page, fresh).first(), /^Accept/).click();
  await holds(page, kitchen, 1);

  await backend.notify('alice', { message: 'just a message' });
  await backend.notify('alice', { points: 5 });
  await rings(device(page, 'Phone'), 2);
  await says(device(page, 'Phone'), 'Unread: just a message');
  await says(device(page, 'Phone'), 'Unread: {"points":5}');
  assertQuiet(page);
});

test('the vendor page is accessible, fits and looks as in the docs', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await vendorPage(open, t, url);
  await assertAccessible(page);
  await page.emulateMedia({ colorScheme: 'light' });
  const bob = await vendorPage(open, t, url, 'bob');
  await order(page, 'Flat white', 'Croissant');
  await order(bob, 'Cheese toastie', 'Lemonade', 'Lemonade');
  await order(page, 'Flat white', 'Flat white', 'Cheese toastie');
  await holds(page, fresh, 3);
  await button(page, /^Accept: .* of Alice$/).last().click();
  await holds(page, kitchen, 1);
  await button(page, /^Ready: .* of Alice$/).click();
  await holds(page, ready, 1);
  await button(page, /^Accept: .* of Bob$/).click();
  await holds(page, kitchen, 1);
  await button(device(page, 'Phone'), /^Mark “Your order was accepted/).click();
  await button(board(page), 'Cut connection').click();
  await order(bob, 'Lemonade');
  await order(bob, 'Croissant', 'Flat white');
  await button(board(page), 'Reconnect').click();
  await state(board(page), 'Recovered, 2 missed');
  await rings(device(page, 'Phone'), 1);
  await button(shop(page), 'One Croissant more').click();
  await page.evaluate(() => scrollTo(0, 0));

  await shot(page, 'vendor');
  await assertAccessible(page);
  await shot(page, 'vendor-dark');
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.evaluate(() => scrollTo(0, 0));
  await assertFits(page);
  await shot(page, 'vendor-phone');
  await page.setViewportSize(NARROW);
  await assertFits(page);
  await assertAccessible(page);

  await page.setViewportSize(DESKTOP);
  await button(page, 'Second device').click();
  await state(device(page, 'Laptop'), 'Connected');
  await rings(device(page, 'Laptop'), 1);
  await button(device(page, 'Phone'), 'Cut connection').click();
  await state(device(page, 'Phone'), 'Offline');
  await assertAccessible(page);
  for (const width of [1060, 900]) {
    await page.setViewportSize({ width, height: 800 });
    await assertFits(page);
  }
  assertQuiet(page, LEFT_EARLY);
  assertQuiet(bob);
});
