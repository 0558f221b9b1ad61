// The demo's products page: of two pages only the right one changes, and what that saves is counted.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { measure, saved } from '../../benches/rooms/measure.mjs';
import {
  AWAY, NARROW, PHONE, assertAccessible, assertFits, assertQuiet, atOnce, inChromium, serveDev, shot,
  tokensOf,
} from './demo_app.mjs';
import { ROOT, folder } from './program.mjs';
import { request } from './server.mjs';

const LIMIT_MS = 90_000;
/** Two pages, and two shoppers for each of twelve products. */
const SOCKETS = 26;
const CHANGES = 60;

const { open } = inChromium();
const test = atOnce(2, 'the products page');

/** The products page, with all its shoppers, and stock that is known. */
async function products(t, url, options) {
  const page = await open(t, `${url}/#/products`, options);
  await figure(page, 'Connections', String(SOCKETS));
  for (const name of ['Desk lamp', 'Teapot']) await state(product(page, name), 'Connected');
  return page;
}

const product = (page, name) => page.getByRole('article', { name });
const state = (where, pattern) => where.locator('[data-phase]').filter({ hasText: pattern }).waitFor();
const button = (where, name) => where.getByRole('button', { name });
const figureOf = (page, name) => page.locator('dl > div').filter({ hasText: name }).locator('dd');
const figure = (page, name, text) => figureOf(page, name).getByText(text, { exact: true }).waitFor();
const stock = (page, name, number) =>
  product(page, name).getByText(String(number), { exact: true }).waitFor();
const heard = (page, name, count) =>
  product(page, name).getByText(`${count} heard`, { exact: true }).waitFor();
const tile = (page, name) => page.getByRole('listitem').filter({ hasText: name }).locator('strong');

/** Sets stock as a shop's backend does. */
async function set(url, id, newInventory) {
  const { backend } = await tokensOf(url);
  const path = `/api/products/${id}/inventory`;
  const answer = await request(url, 'PUT', path, { as: backend, body: { newInventory } });
  assert.equal(answer.status, 204, answer.text);
}

/** Stock that a test begins with. */
async function stocked(url) {
  await set(url, 'demo-lamp', 10);
  await set(url, 'demo-teapot', 20);
}

/** How many events the server has handed to sockets, by class. */
async function deliveries(url) {
  const { text } = await request(url, 'GET', '/metrics');
  const lines = text.matchAll(/^roomcast_deliveries_total\{class="(\w+)"\} (\d+)$/gm);
  const counts = Object.fromEntries([...lines].map(([, name, count]) => [name, Number(count)]));
  return { latest: 0, passing: 0, ...counts };
}

test('a change of stock goes to the page of that product only', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  await stocked(url);
  const [alice, bob] = [await products(t, url), await products(t, url)];
  for (const page of [alice, bob]) {
    await stock(page, 'Desk lamp', 10);
    await heard(page, 'Desk lamp', '1 message');
    await heard(page, 'Teapot', '1 message');
  }

  await button(product(alice, 'Desk lamp'), 'Buy one').click();
  for (const page of [alice, bob]) {
    await stock(page, 'Desk lamp', 9);
    await heard(page, 'Desk lamp', '2 messages');
  }
  await button(product(bob, 'Teapot'), 'Restock 5').click();
  for (const page of [alice, bob]) {
    await stock(page, 'Teapot', 25);
    await heard(page, 'Teapot', '2 messages');
    await heard(page, 'Desk lamp', '2 messages');
    assert.equal(await tile(page, 'Teapot').textContent(), '25');
  }

  // Clicks that are faster than the answers all count.
  for (let n = 0; n < 3; n += 1) await button(product(alice, 'Desk lamp'), 'Buy one').click({ delay: 0 });
  await stock(bob, 'Desk lamp', 6);
  await set(url, 'demo-lamp', 0);
  for (const page of [alice, bob]) {
    await product(page, 'Desk lamp').getByText('Sold out').waitFor();
    assert.equal(await button(product(page, 'Desk lamp'), 'Buy one').isDisabled(), true);
  }
  assertQuiet([alice, bob]);
});

test('a shop that is not stocked yet is stocked by the page', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await products(t, url);
  await stock(page, 'Desk lamp', 6);
  await stock(page, 'Teapot', 13);
  assertQuiet(page);
});

test('a browser that was offline sees the stock as it is now', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  await stocked(url);
  const [alice, bob] = [await products(t, url), await products(t, url)];
  // Of several sockets of one page the client tells only every other one that the browser is offline:
  // its list of whom to tell shrinks while it is gone through. The first is told.
  await bob.context().setOffline(true);
  await state(product(bob, 'Desk lamp'), 'Offline');
  for (let n = 0; n < 2; n += 1) await button(product(alice, 'Desk lamp'), 'Restock 5').click();
  await stock(alice, 'Desk lamp', 20);
  await stock(bob, 'Desk lamp', 10);
  await bob.context().setOffline(false);
  await state(product(bob, 'Desk lamp'), 'Recovered, 1 missed');
  await stock(bob, 'Desk lamp', 20);
  await figure(bob, 'Connections', String(SOCKETS));

  // One page's connection can be cut alone.
  await button(product(bob, 'Teapot'), 'Cut connection').click();
  await state(product(bob, 'Teapot'), 'Offline');
  await button(product(alice, 'Teapot'), 'Buy one').click();
  await stock(alice, 'Teapot', 19);
  assert.equal(await tile(bob, 'Teapot').textContent(), '19');
  await stock(bob, 'Teapot', 20);
  await button(product(bob, 'Teapot'), 'Reconnect').click();
  await stock(bob, 'Teapot', 19);
  assertQuiet(alice);
  assertQuiet(bob, AWAY);
});

test('the page counts what the server delivers, in both ways', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  await stocked(url);
  const page = await products(t, url);
  await stock(page, 'Teapot', 20);
  await figure(page, 'Stock changes', '0');
  const before = await deliveries(url);
  await button(page, `Measure ${CHANGES} changes both ways`).click();
  const told = await page.getByText(/fewer messages and/).textContent();
  const after = await deliveries(url);

  const bars = await page.getByText(/^[\d,]+ messages, [\d.]+ kB$/).allTextContents();
  const [byRoom, toAll] = bars.map((text) => Number(/^[\d,]+/.exec(text)[0].replace(',', '')));
  assert.equal(byRoom, after.latest - before.latest, 'as many as the server says it handed over');
  assert.equal(toAll, after.passing - before.passing);
  assert.equal(toAll, CHANGES * SOCKETS);
  // Two look at a product, three at the two that have a page.
  assert.ok(byRoom >= 2 * CHANGES && byRoom <= 3 * CHANGES, `${byRoom} messages`);
  const [messages, bytes] = told.match(/\d+(?= %)/g).map(Number);
  assert.equal(messages, saved(byRoom, toAll));
  assert.ok(bytes > messages, 'who is told of every product must be told of which');
  assert.equal(await figureOf(page, 'Stock changes').textContent(), String(CHANGES));
  assert.equal(await figureOf(page, 'Messages delivered').textContent(), String(byRoom));
  assertQuiet(page);
});

test('rooms save what the README says', { timeout: LIMIT_MS }, async () => {
  const readme = (await readFile(join(ROOT, 'README.md'), 'utf8')).replace(/\s+/g, ' ');
  const claim = new RegExp([
    '(\\d+) watchers over (\\d+) products hear ([\\d,]+) messages of (\\d+) changes',
    'instead of ([\\d,]+) \\((\\d+)% fewer\\), in (\\d+)% fewer bytes',
  ].join(' '));
  const figures = claim.exec(readme).slice(1).map((text) => Number(text.replace(',', '')));
  const [watchers, kinds, byRoom, changes, toAll, messages, bytes] = figures;
  const found = await measure({ watchers, products: kinds, changes });
  assert.deepEqual([found.byRoom.messages, found.toAll.messages], [byRoom, toAll]);
  assert.equal(saved(found.byRoom.messages, found.toAll.messages), messages);
  assert.equal(saved(found.byRoom.bytes, found.toAll.bytes), bytes);
});

test('the products page is accessible, fits and looks as in the docs', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  await stocked(url);
  const page = await products(t, url);
  await button(page, /^Measure/).click();
  await page.getByText(/fewer messages and/).waitFor();
  await set(url, 'demo-lamp', 12);
  await set(url, 'demo-teapot', 3);
  await stock(page, 'Desk lamp', 12);
  await product(page, 'Teapot').getByText('Only a few left').waitFor();
  await shot(page, 'products');
  await assertAccessible(page);
  await shot(page, 'products-dark');
  for (const size of [NARROW, PHONE]) {
    await page.setViewportSize(size);
    await assertFits(page);
    await assertAccessible(page);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await shot(page, 'products-phone');
  assertQuiet(page);
});
