// The demo's checkout page: payments whose outcome comes by itself.

import assert from 'node:assert/strict';

import {
  AWAY, LEFT_EARLY, NARROW, PHONE, assertAccessible, assertFits, assertQuiet, atOnce, inChromium, serveDev,
  shot, tokensOf,
} from './demo_app.mjs';
import { folder } from './program.mjs';
import { request } from './server.mjs';

const LIMIT_MS = 90_000;
/** The gateway's: soon, or not within a test, which settles the payment itself. */
const SOON = { ROOMCAST_PAYMENTS__DELAY_MS: '1500' };
const NEVER = { ROOMCAST_PAYMENTS__DELAY_MS: '600000' };
const PAY = '/api/payments/make-payment-with-socket';

const { open } = inChromium();
const test = atOnce(3, 'the checkout page');

/** The checkout page as this user, connected. */
async function checkout(t, url, user, options) {
  const page = await open(t, `${url}/#/checkout?as=${user}`, options);
  await state(page, 'Connected');
  return page;
}

const payment = (page) => page.getByRole('region', { name: 'Payment', exact: true });
const state = (page, pattern) => payment(page).locator('[data-phase]').filter({ hasText: pattern }).waitFor();
const button = (page, name) => page.getByRole('button', { name });
/** Waits until the newest payment is told of so. */
const result = (page, text) => payment(page).getByRole('status').getByText(text, { exact: true }).waitFor();
const earlier = (page) => page.getByRole('region', { name: 'Earlier payments' }).getByRole('listitem');
const happened = (page, pattern) =>
  payment(page).getByRole('listitem').filter({ hasText: pattern }).waitFor();

/** Presses the button; the payment's id. */
async function pay(page) {
  const answered = page.waitForResponse((response) => response.url().endsWith(PAY));
  await button(page, /^Pay /).click();
  const { message, paymentId } = await (await answered).json();
  assert.equal(message, 'Payment received, processing request');
  await result(page, '€85.90: waiting for the bank');
  return paymentId;
}

/** Reports a payment's outcome, as a shop's backend does. */
async function settle(url, paymentId, status) {
  const { backend } = await tokensOf(url);
  const path = `/api/payments/${paymentId}/status`;
  const answer = await request(url, 'POST', path, { as: backend, body: { status } });
  assert.equal(answer.status, 204, answer.text);
}

test('the outcome comes to the one who paid, without polling', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), SOON);
  const [alice, bob] = [await checkout(t, url, 'alice'), await checkout(t, url, 'bob')];
  await pay(alice);
  const asked = [];
  alice.on('request', (sent) => asked.push(sent.url()));
  await result(alice, '€85.90 paid');
  await happened(alice, /^.*payment-status is true, after \d+\.\d s$/);
  assert.deepEqual(asked, [], 'nothing was asked for while it waited');
  await result(bob, 'Nothing paid yet');

  // The next one is another amount, and the one before is kept.
  await button(alice, 'One Teapot less').click();
  await button(alice, 'Pay €61.40').click();
  await result(alice, '€61.40 paid');
  assert.match(await earlier(alice).innerText(), /€85\.90.*4242\s+accepted$/s);
  assertQuiet([alice, bob]);
});

test('after a card that is declined another one can be tried', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), { ROOMCAST_PAYMENTS__DELAY_MS: '5000' });
  const alice = await checkout(t, url, 'alice');
  await alice.getByRole('radio', { name: /0002/ }).check();
  await pay(alice);
  assert.equal(await button(alice, 'Processing…').isDisabled(), true);
  await result(alice, '€85.90 declined');
  await happened(alice, /payment-status is false/);
  await alice.getByRole('radio', { name: /4242/ }).check();
  await pay(alice);
  await result(alice, '€85.90 paid');
  assert.match(await earlier(alice).innerText(), /0002\s+declined$/s);
  assertQuiet(alice);
});

test('the server’s own gateway can decline', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), { ...SOON, ROOMCAST_PAYMENTS__DECLINE_ABOVE: '80' });
  const alice = await checkout(t, url, 'alice');
  await pay(alice);
  await result(alice, '€85.90 declined');
  assertQuiet(alice);
});

for (const [status, told] of [['succeeded', '€85.90 paid'], ['failed', '€85.90 declined']]) {
  test(`a reload in between still gets the result: ${status}`, { timeout: LIMIT_MS }, async (t) => {
    const { url } = await serveDev(t, await folder(t), NEVER);
    const alice = await checkout(t, url, 'alice');
    const id = await pay(alice);
    await alice.reload();
    await state(alice, 'Connected');
    await result(alice, '€85.90: waiting for the bank');
    await happened(alice, /The page was loaded anew$/);
    await happened(alice, /Connected again, as another socket: \S+$/);
    await settle(url, id, status);
    await result(alice, told);
    assertQuiet(alice);
  });
}

test('a result that comes while nobody is there waits', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), NEVER);
  const alice = await checkout(t, url, 'alice');
  const id = await pay(alice);
  await alice.goto('about:blank');
  await settle(url, id, 'succeeded');
  await alice.goto(`${url}/#/checkout?as=alice`);
  await result(alice, '€85.90 paid');
  assertQuiet(alice);
});

test('a browser that was offline meanwhile gets the result', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), NEVER);
  const alice = await checkout(t, url, 'alice');
  const id = await pay(alice);
  await alice.context().setOffline(true);
  await state(alice, 'Offline');
  await happened(alice, /The connection was lost$/);
  await settle(url, id, 'failed');
  await alice.context().setOffline(false);
  await state(alice, /^Recovered/);
  await result(alice, '€85.90 declined');
  assertQuiet(alice, AWAY);
});

test('when who paid is cut off, the user’s other browser is told', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), NEVER);
  const [phone, laptop] = [await checkout(t, url, 'alice'), await checkout(t, url, 'alice')];
  const id = await pay(phone);
  await button(phone, 'Cut connection').click();
  await state(phone, 'Offline');
  await settle(url, id, 'succeeded');
  await result(laptop, 'The payment paid');
  assert.equal(await payment(laptop).getByText(id).count(), 1);
  await button(phone, 'Reconnect').click();
  await state(phone, 'Recovered, 1 missed');
  await result(phone, '€85.90 paid');
  assertQuiet(phone, LEFT_EARLY);
  assertQuiet(laptop);
});

test('a guest hears of a payment only where it was made', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), SOON);
  const guest = await checkout(t, url, 'guest');
  await pay(guest);
  await result(guest, '€85.90 paid');
  await pay(guest);
  await guest.reload();
  await result(guest, '€85.90: the result is not known here');
  assertQuiet(guest);
});

test('what the server refuses is said', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), SOON);
  const alice = await checkout(t, url, 'alice');
  // The page asks for nothing that is refused, so on its way the request becomes one that is.
  await alice.route(`**${PAY}`, (route) => {
    return route.continue({ postData: { ...route.request().postDataJSON(), amount: -1 } });
  });
  await button(alice, /^Pay /).click();
  await alice.getByRole('alert').getByText(/amount must be a positive number/).waitFor();
  await alice.unroute(`**${PAY}`);
  await pay(alice);
  assert.equal(await alice.getByRole('alert').count(), 0);
  for (const name of ['Desk lamp', 'Teapot', 'Notebook', 'Notebook']) {
    await button(alice, `One ${name} less`).click();
  }
  await result(alice, '€85.90 paid');
  assert.equal(await button(alice, 'Pay €0.00').isDisabled(), true);
  assertQuiet(alice, /400/);
});

test('the checkout page is accessible, fits and looks as in the docs', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), NEVER);
  const page = await checkout(t, url, 'alice');
  await assertAccessible(page);
  await page.emulateMedia({ colorScheme: 'light' });
  await settle(url, await pay(page), 'failed');
  await result(page, '€85.90 declined');
  const id = await pay(page);
  await page.reload();
  await happened(page, /Connected again/);
  await shot(page, 'checkout-waiting');
  await assertAccessible(page);
  await settle(url, id, 'succeeded');
  await result(page, '€85.90 paid');
  await page.emulateMedia({ colorScheme: 'light' });
  await shot(page, 'checkout');
  await assertAccessible(page);
  await shot(page, 'checkout-dark');
  for (const size of [NARROW, PHONE]) {
    await page.setViewportSize(size);
    await assertFits(page);
    await assertAccessible(page);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await shot(page, 'checkout-phone');
  assertQuiet(page);
});
