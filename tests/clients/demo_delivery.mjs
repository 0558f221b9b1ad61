// The demo's delivery page: drivers who report over HTTP, and people who watch them.

import assert from 'node:assert/strict';

import {
  BRIEF, assertArrives, button, delivery as page, driver, follow, marker, panel, phones, placeOf, state,
} from './delivery_page.mjs';
import {
  AWAY, LEFT_EARLY, NARROW, PHONE, assertAccessible, assertFits, assertQuiet, atOnce, inChromium, serveDev,
  shot,
} from './demo_app.mjs';
import { folder } from './program.mjs';

const LIMIT_MS = 90_000;
/** Within this a newcomer sees where the driver is, on a machine that does much else. */
const AT_ONCE_MS = 1_500;
/** Two places on High Street, some 130 m apart, and one beyond the river. */
const HERE = { lat: 52.516, lng: 13.41, heading: 90, speed: 12 };
const THERE = { lat: 52.516, lng: 13.4119, heading: 90, speed: 12 };
const BEYOND = { lat: 52.5145, lng: 13.41, heading: 180, speed: 12 };

const { open } = inChromium();
const test = atOnce(3, 'the delivery page');
const delivery = (...how) => page(open, ...how);
const says = (where, text) => where.getByText(text, { exact: true }).waitFor();

test('one page moves the drivers, and whoever watches sees them move', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), BRIEF);
  const alice = await delivery(t, url, 'alice', { simulator: 'on' });
  for (const name of ['Dan', 'Erin', 'Femi', 'Gus']) await driver(alice, name, 'live');
  await button(alice, 'Stop the drivers').waitFor();
  const bob = await delivery(t, url, 'bob', { simulator: 'on' });
  for (const name of ['Dan', 'Erin', 'Femi', 'Gus']) await driver(bob, name, 'live');
  const before = await placeOf(marker(bob, 'dan'));
  const moved = (was) => document.querySelector('[data-driver="dan"]').getAttribute('transform') !== was;
  await bob.waitForFunction(moved, before);
  await button(bob, 'Start the drivers').waitFor();

  // A phone without a network goes on measuring; what it has kept comes as one list.
  await button(alice, 'Cut Erin’s network').click();
  for (const page of [alice, bob]) await driver(page, 'Erin', 'offline');
  const list = alice.waitForRequest((sent) => sent.url().endsWith('/driver/erin/location'));
  await button(alice, 'Restore Erin’s network').click();
  assert.ok(Array.isArray((await list).postDataJSON()), 'what was kept comes as a list');
  for (const page of [alice, bob]) await driver(page, 'Erin', 'live');

  // When the page that moves them is gone, another one takes over.
  await alice.close();
  await button(bob, 'Stop the drivers').waitFor();
  await driver(bob, 'Dan', 'live');
  assertQuiet([alice, bob]);
});

test('markers glide to where the driver was reported', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [dan] = await phones(t, url, 'dan');
  const alice = await delivery(t, url, 'alice');
  await dan.report(HERE);
  await assertArrives(marker(alice, 'dan'), HERE);
  const places = await follow(marker(alice, 'dan'));
  await dan.report(THERE);
  const easting = (await places()).map((text) => Number(/\(([\d.]+)/.exec(text)[1]));
  assert.ok(easting.length > 4, `drawn at ${easting}`);
  assert.deepEqual(easting, easting.toSorted((a, b) => a - b), 'it goes one way');
  await assertArrives(marker(alice, 'dan'), THERE);
  assertQuiet(alice);
});

test('who wants no motion sees the marker at its place at once', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [dan] = await phones(t, url, 'dan');
  const alice = await delivery(t, url, 'alice', { reducedMotion: 'reduce' });
  await dan.report(HERE);
  await assertArrives(marker(alice, 'dan'), HERE);
  const places = await follow(marker(alice, 'dan'));
  await dan.report(THERE);
  assert.equal((await places()).length, 2);
  assertQuiet(alice);
});

test('a customer who joins late sees the last position at once', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [dan] = await phones(t, url, 'dan');
  await dan.report(HERE);
  const alice = await delivery(t, url, 'alice');
  await driver(alice, 'Dan', 'live');
  await button(alice, 'New customer').click();
  const bob = panel(alice, 'Bob waits for Dan');
  await state(bob, 'Connected');
  const told = await bob.getByText(/^Position \d+ ms after joining, 1 update heard$/).textContent();
  assert.ok(Number(/\d+/.exec(told)[0]) < AT_ONCE_MS, told);
  await assertArrives(marker(bob, 'dan'), HERE);
  assert.match(await bob.getByText(/from the door$/).textContent(), /^Dan is \d+ m from the door$/);

  // It is a connection of its own.
  await button(bob, 'Cut connection').click();
  await state(bob, 'Offline');
  await state(panel(alice, 'Alice’s map'), 'Connected');
  await dan.report(THERE);
  await assertArrives(marker(panel(alice, 'Alice’s map'), 'dan'), THERE);
  await button(bob, 'Reconnect').click();
  await state(bob, 'Recovered, 1 missed');
  await assertArrives(marker(bob, 'dan'), THERE);
  await bob.getByText(/2 updates heard$/).waitFor();
  await button(bob, 'Bob leaves').click();
  await bob.waitFor({ state: 'detached' });
  assertQuiet(alice, LEFT_EARLY);
});

test('all who watch are told when a driver falls silent', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), BRIEF);
  const [dan, erin] = await phones(t, url, 'dan', 'erin');
  const [alice, bob] = [await delivery(t, url, 'alice'), await delivery(t, url, 'bob')];
  dan.stand(HERE);
  erin.stand(BEYOND);
  for (const page of [alice, bob]) {
    await driver(page, 'Dan', 'live');
    await driver(page, 'Erin', 'live');
    await driver(page, 'Gus', 'never seen');
  }
  erin.stop();
  for (const page of [alice, bob]) {
    await driver(page, 'Erin', 'offline');
    await page.getByText(/^Erin went offline at /).waitFor();
    await driver(page, 'Dan', 'live');
  }
  // The customer comes so late that there is no position any more.
  await button(alice, 'New customer').click();
  await button(alice, 'New customer').click();
  await says(panel(alice, 'Carol waits for Erin'), 'Where Erin is, is not known');
  await panel(alice, 'Bob waits for Dan').getByText(/from the door$/).waitFor();
  erin.stand(BEYOND);
  for (const page of [alice, bob]) {
    await driver(page, 'Erin', 'live');
    await page.getByText(/^Erin is back since /).waitFor();
  }
  await panel(alice, 'Carol waits for Erin').getByText(/from the door$/).waitFor();
  assertQuiet([alice, bob]);
});

test('a browser that was offline shows how the drivers are now', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), BRIEF);
  const [dan, erin] = await phones(t, url, 'dan', 'erin');
  const [alice, bob] = [await delivery(t, url, 'alice'), await delivery(t, url, 'bob')];
  dan.stand(HERE);
  erin.stand(BEYOND);
  for (const page of [alice, bob]) for (const name of ['Dan', 'Erin']) await driver(page, name, 'live');

  await bob.context().setOffline(true);
  await state(panel(bob, 'Bob’s map'), 'Offline');
  erin.stop();
  dan.stand(THERE);
  await driver(alice, 'Erin', 'offline');
  await assertArrives(marker(alice, 'dan'), THERE);
  await bob.context().setOffline(false);
  await state(panel(bob, 'Bob’s map'), 'Recovered, 1 missed');
  await driver(bob, 'Erin', 'offline');
  await driver(bob, 'Dan', 'live');
  await assertArrives(marker(bob, 'dan'), THERE);
  assertQuiet(alice);
  assertQuiet(bob, AWAY);
});

test('the delivery page is accessible, fits and looks as in the docs', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t), { ROOMCAST_TRACKING__TTL_MS: '3000' });
  const page = await delivery(t, url, 'alice', { simulator: 'on' });
  for (const name of ['Dan', 'Erin', 'Femi', 'Gus']) await driver(page, name, 'live');
  await button(page, 'Cut Gus’s network').click();
  for (const customer of ['Bob', 'Carol']) {
    await button(page, 'New customer').click();
    await panel(page, new RegExp(`^${customer} waits`)).getByText(/from the door$/).waitFor();
  }
  await driver(page, 'Gus', 'offline');
  await page.evaluate(() => scrollTo(0, 0));
  await shot(page, 'delivery');
  await assertAccessible(page);
  await panel(page, 'Customers who join late').scrollIntoViewIfNeeded();
  await shot(page, 'delivery-dark');
  for (const size of [NARROW, PHONE]) {
    await page.setViewportSize(size);
    await assertFits(page);
    await assertAccessible(page);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.evaluate(() => scrollTo(0, 0));
  await shot(page, 'delivery-phone');
  assertQuiet(page);
});
