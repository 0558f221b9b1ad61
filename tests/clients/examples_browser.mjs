// The examples for browsers, unchanged, in Chromium: the React payment, the product page, the vendor's
// board.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { App, EXAMPLES, launch, open, site } from './examples_pages.mjs';
import { eventually } from './observe.mjs';
import { Proxy } from './proxy.mjs';
import { API_KEY, mint, request } from './server.mjs';
import { Station } from './sse.mjs';

const LIMIT_MS = 40_000;
const NEVER_MS = '600000';
/** What a browser complains of while the server is away. */
const AWAY = /Failed to load resource|ERR_CONNECTION_|ERR_INCOMPLETE_CHUNKED|WebSocket connection to/;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const serve = async (t, settings) => (await Station.start(t, settings)).server;

/** A request of the shop's backend, which must succeed. */
async function backend(server, method, path, body) {
  const answer = await request(server.url, method, path, { as: API_KEY, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
  return answer.body;
}

const PAY = '/api/payments/make-payment-with-socket';

const quiet = (page) => assert.deepEqual(page.complaints, []);

/** The payment in an app; nobody but the test settles what is paid. */
async function shop(t) {
  const app = await App.host(t);
  const server = await serve(t, {
    CLIENT_URL: app.origin,
    ROOMCAST_AUTH__GUESTS: 'true',
    ROOMCAST_PAYMENTS__DELAY_MS: NEVER_MS,
  });
  await app.show('Payment', 'react-payment', server.url);
  return { server, open: (props = {}) => open(t, browser, app.page({ amount: 49.9, ...props })) };
}

const payButton = (page) => page.getByRole('button', { name: 'Pay 49.9' });
const shows = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();

/** Clicks, and gives the id of the payment that this made. */
async function pay(page) {
  const isAnswer = (answer) => answer.request().method() === 'POST' && answer.url().endsWith(PAY);
  const answered = page.waitForResponse(isAnswer);
  await payButton(page).click();
  await shows(page, 'Processing your payment…');
  return (await (await answered).json()).paymentId;
}

const settle = (server, id, status) => backend(server, 'POST', `/api/payments/${id}/status`, { status });

test('the React payment shows its outcome, to the guest who paid only', { timeout: LIMIT_MS }, async (t) => {
  const { server, open } = await shop(t);
  const [alice, bob] = [await open(), await open()];
  const [alices, bobs] = [await pay(alice), await pay(bob)];
  await settle(server, alices, 'succeeded');
  await shows(alice, 'Payment succeeded');
  await shows(bob, 'Processing your payment…');
  await settle(server, bobs, 'failed');
  await shows(bob, 'Payment failed');
  await shows(alice, 'Payment succeeded');
  await settle(server, await pay(bob), 'succeeded');
  await shows(bob, 'Payment succeeded');
  [alice, bob].forEach(quiet);
});

test('who is signed in sees the outcome after a reload in between', { timeout: LIMIT_MS }, async (t) => {
  const { server, open } = await shop(t);
  const token = mint({ sub: 'alice' });
  const page = await open({ token });
  const first = await pay(page);
  await page.reload();
  await payButton(page).and(page.locator(':enabled')).waitFor();
  await settle(server, first, 'succeeded');
  await shows(page, 'Payment succeeded');

  const second = await pay(page);
  const address = page.url();
  await page.goto('about:blank');
  const presence = () => backend(server, 'GET', '/api/presence?users=alice');
  const isGone = async () => (await presence()).alice.status === 'offline';
  await eventually(isGone, 'alice is offline');
  await settle(server, second, 'failed');
  await page.goto(address);
  await shows(page, 'Payment failed');
  quiet(page);
});

test('a product page shows the stock of its product and of no other', { timeout: LIMIT_MS }, async (t) => {
  const server = await serve(t, { ROOMCAST_AUTH__GUESTS: 'true' });
  const stock = (id, newInventory) =>
    backend(server, 'PUT', `/api/products/${id}/inventory`, { newInventory });
  const url = await site(t, join(EXAMPLES, 'product-page'), server.url);
  await stock(42, 5);
  await stock(43, 9);
  const [tea, jam] = [await open(t, browser, `${url}/?id=42`), await open(t, browser, `${url}/?id=43`)];
  const inStock = (page, count) =>
    page.locator('#stock', { hasText: new RegExp(`^${count}$`) }).waitFor();
  await inStock(tea, 5);
  await inStock(jam, 9);
  await jam.evaluate(() => {
    window.seen = [];
    socket.on('inventory-update', (newInventory) => seen.push(newInventory));
  });

  await stock(42, 4);
  await inStock(tea, 4);
  await stock(43, 8);
  await inStock(jam, 8);
  assert.deepEqual(await jam.evaluate(() => seen), [8]);

  await stock(42, 0);
  await inStock(tea, 0);
  assert.equal(await tea.getByRole('button', { name: 'Add to cart' }).isDisabled(), true);
  [tea, jam].forEach(quiet);

  await server.terminate();
  await server.startAgain();
  await stock(42, 12);
  await inStock(tea, 12);
  assert.equal(await tea.getByRole('button', { name: 'Add to cart' }).isDisabled(), false);
  assert.deepEqual(tea.complaints.filter((text) => !AWAY.test(text)), []);
});

test('a vendor sees each order once and in order, over a cut line', { timeout: LIMIT_MS }, async (t) => {
  const app = await App.host(t);
  const server = await serve(t, { CLIENT_URL: app.origin });
  const line = await Proxy.open(server.url);
  t.after(() => line.close());
  await app.show('OrderBoard', 'vendor-orders', line.url);
  const token = mint({ sub: 'v1', roles: ['vendor'] });
  const items = ['tea', 'jam'];
  const order = (id) => backend(server, 'POST', '/api/orders', { id, vendorId: 'v1', items });
  const page = await open(t, browser, app.page({ vendorId: 'v1', token }));
  const board = (...ids) => page.waitForFunction(
    (texts) => document.querySelector('ol').innerText === texts,
    ids.map((id) => `${id}: tea, jam`).join('\n'),
  );

  await shows(page, 'Live');
  await order('o1');
  await order('o2');
  await board('o2', 'o1');
  quiet(page);

  // The line breaks in the middle of an event.
  const broken = line.breakAfter(40);
  await order('o3');
  await broken;
  await shows(page, 'Reconnecting…');
  await order('o4');
  await board('o2', 'o1');
  line.mend();
  await shows(page, 'Live');
  await board('o4', 'o3', 'o2', 'o1');

  // A shop that is not sure says it again.
  await order('o5');
  await order('o5');
  await order('o1');
  await order('o6');
  await board('o6', 'o5', 'o4', 'o3', 'o2', 'o1');
  assert.deepEqual(page.complaints.filter((text) => !AWAY.test(text)), []);
});
