// The demo's operations page: the server's figures as it tells them, and what becomes of them.

import assert from 'node:assert/strict';

import {
  AWAY, DESKTOP, NARROW, PHONE, assertAccessible, assertFits, assertQuiet, atOnce, inChromium, serveDev, shot,
} from './demo_app.mjs';
import { metric } from './observe.mjs';
import {
  LOOK_EVERY_MS, age, button, chart, figure, legend, main, noFigure, operationsPage, pixels, rows, state,
} from './operations_page.mjs';
import { folder } from './program.mjs';

const LIMIT_MS = 120_000;
/** Figures come every 5 s, for which all of them wait. */
const AT_ONCE = 7;
/** Enough of them for a line, and for one that shows something. */
const LINE = process.env.DEMO_SCREENSHOTS ? 7 : 4;
/** More than anything here comes to. */
const MUCH = 1_000_000;

const { open } = inChromium();
const test = atOnce(AT_ONCE, 'the operations page');

test("one browser's load moves the charts of another", { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [alice, bob] = [await operationsPage(open, t, url), await operationsPage(open, t, url)];
  await figure(alice, 'Connections', 'Sockets', 0);
  await figure(alice, 'Memory', 'Resident', 1, MUCH);
  const streams = await figure(alice, 'Connections', 'Streams', 2);
  assert.equal(streams, await metric({ url }, 'roomcast_streams'));

  await bob.getByRole('radio', { name: '10', exact: true }).check();
  await button(bob, 'Make some load').click();
  await main(bob).getByText(/^10 sockets: \d+ messages and \d+ deliveries a second, acknowledged/).waitFor();
  await figure(alice, 'Connections', 'Sockets', 10);
  assert.equal(await metric({ url }, 'roomcast_connections'), 10);
  // Ten sockets write once a second or nearly, and each message goes to all ten.
  await figure(alice, 'Events per second', 'Events', 5, 15);
  await figure(alice, 'Deliveries per second', 'Deliveries', 50, 150);
  const [p50, p95, p99] = await Promise.all(['p50', 'p95', 'p99'].map((name) =>
    figure(alice, 'Time to answer an event', name, 0.001, MUCH)));
  assert.ok(p50 <= p95 && p95 <= p99, `${p50}, ${p95}, ${p99}`);

  await button(bob, 'Stop the load').click();
  await figure(alice, 'Connections', 'Sockets', 0);
  await figure(alice, 'Events per second', 'Events', 0);
  await noFigure(alice, 'Time to answer an event', 'p50');
  assertQuiet([alice, bob]);
});

test('who leaves the page takes its load along', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [alice, bob] = [await operationsPage(open, t, url), await operationsPage(open, t, url)];
  await bob.getByRole('radio', { name: '10', exact: true }).check();
  await button(bob, 'Make some load').click();
  await figure(alice, 'Connections', 'Sockets', 10);
  await bob.getByRole('link', { name: 'Vendor' }).click();
  await figure(alice, 'Connections', 'Sockets', 1);
  assertQuiet([alice, bob]);
});

test('the table has what the charts show when one points at them', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await operationsPage(open, t, url);
  await button(page, 'Make some load').click();
  await figure(page, 'Connections', 'Sockets', 25);
  await button(page, 'Stop the load').click();
  await figure(page, 'Connections', 'Sockets', 0);

  await page.getByText('The same figures as a table').click();
  const all = await rows(page);
  const at = all.findIndex(({ Sockets }) => Sockets === '25');
  assert.ok(at > 0, JSON.stringify(all));
  const busy = all[at];
  assert.match(busy.Time, /^\d\d:\d\d:\d\d$/);
  assert.match(busy.Memory, /^[\d.]+ MB$/);
  assert.match(busy.p99, /^[\d.]+ ms$/);
  const times = all.map(({ Time }) => Time);
  assert.deepEqual(times, times.toSorted().toReversed());

  // The same moment in one chart is the moment in all of them.
  const { width } = await chart(page, 'Memory').locator('.u-over').boundingBox();
  const pointAt = (x) => chart(page, 'Memory').locator('.u-over').hover({ position: { x, y: 30 } });
  const shown = (title) => chart(page, title).getByText(/^\d\d:\d\d:\d\d$/).textContent();
  const value = (title, name) => legend(page, title, name).textContent();
  let found = false;
  for (let x = width - 1; x > 0 && !found; x -= 8) {
    await pointAt(x);
    found = (await shown('Connections')) === busy.Time;
  }
  assert.ok(found, `no place shows ${busy.Time}`);
  assert.equal(await shown('Time to answer an event'), busy.Time);
  assert.equal(await value('Connections', 'Sockets'), '25');
  assert.equal(await value('Deliveries per second', 'Deliveries'), busy['Deliveries/s']);
  assert.equal(await value('Time to answer an event', 'p99'), busy.p99);
  await page.getByRole('heading', { level: 1 }).hover();
  await chart(page, 'Connections').getByText(/^\d\d:\d\d:\d\d$/).waitFor({ state: 'detached' });
  assertQuiet(page);
});

/** How the page loses its stream, and gets it back. */
const CUTS = {
  'whose stream is cut': {
    cut: (page) => button(page, 'Cut connection').click(),
    restore: (page) => button(page, 'Reconnect').click(),
  },
  'whose browser is offline': {
    cut: (page) => page.context().setOffline(true),
    restore: (page) => page.context().setOffline(false),
    expected: AWAY,
  },
};

for (const [name, { cut, restore, expected }] of Object.entries(CUTS)) {
  test(`a page ${name} says that its figures are stale`, { timeout: LIMIT_MS }, async (t) => {
    const { url } = await serveDev(t, await folder(t));
    const page = await operationsPage(open, t, url);
    await figure(page, 'Memory', 'Resident', 1, MUCH);
    await age(page, /^Updated \d+ s ago$/);
    const status = page.getByRole('status').getByText('The figures are stale');
    assert.equal(await status.count(), 0);
    await cut(page);
    await state(page, 'Offline');
    await status.waitFor();
    await age(page, /^Stale: \d+ s old$/);
    await main(page).locator('[data-stale] [role="img"]').first().waitFor();
    const drawn = chart(page, 'Memory').getByRole('img');
    const opacity = await drawn.evaluate((node) => getComputedStyle(node).opacity);
    assert.ok(Number(opacity) < 1, opacity);
    // Long enough for two figures to be missed.
    await age(page, /^Stale: 1[2-9] s old$/);

    await restore(page);
    await state(page, /^(Connected|Recovered)/);
    await age(page, /^Updated \d+ s ago$/);
    await status.waitFor({ state: 'detached' });
    assert.equal(await main(page).locator('[data-stale]').count(), 0);
    assertQuiet(page, expected);
  });
}

test('figures of a server that was started again are its own', { timeout: LIMIT_MS }, async (t) => {
  const dir = await folder(t);
  const first = await serveDev(t, dir);
  const page = await operationsPage(open, t, first.url);
  await button(page, 'Make some load').click();
  await figure(page, 'Connections', 'Sockets', 25);
  assertQuiet(page);

  await first.program.stop();
  await state(page, 'Recovering…');
  await age(page, /^Stale: /);
  // With another secret, since it made one up: the tokens of before are good no more.
  await serveDev(t, dir, { PORT: new URL(first.url).port });
  await state(page, /^Recovered/);
  await figure(page, 'Memory', 'Resident', 1, MUCH);
  await age(page, /^Updated /);
  await page.getByText('The same figures as a table').click();
  // Its totals begin anew: nobody knows what was dropped between.
  const unknown = page.locator('tbody td:nth-last-child(2)').getByText('–', { exact: true });
  await unknown.nth(1).waitFor();
  const firsts = (await rows(page)).filter(({ Dropped, Refused }) => Dropped === '–' && Refused === '–');
  assert.equal(firsts.length, 2, 'the first of all, and the first since then');
  assertQuiet(page, new RegExp(`${AWAY.source}|40[013]`));
});

test('the operations page is accessible, fits and looks as in the docs', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await operationsPage(open, t, url);
  await figure(page, 'Memory', 'Resident', 1, MUCH);
  await button(page, 'Make some load').click();
  await figure(page, 'Connections', 'Sockets', 25);
  const isLong = (rows) => document.querySelectorAll('tbody tr').length >= rows;
  await page.waitForFunction(isLong, LINE, { timeout: 40_000, polling: LOOK_EVERY_MS });
  assert.ok(await pixels(page, 'Memory', '--c3') > 50);
  assert.equal(await pixels(page, 'Deliveries per second', '--c4'), 0);

  await page.emulateMedia({ colorScheme: 'light' });
  await shot(page, 'operations');
  await assertAccessible(page);
  // The lines have the theme's colour, which is another one now.
  assert.ok(await pixels(page, 'Deliveries per second', '--c1') > 50);
  await shot(page, 'operations-dark');
  await page.getByText('The same figures as a table').click();
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.evaluate(() => scrollTo(0, 0));
  await assertFits(page);
  await shot(page, 'operations-phone');
  await page.setViewportSize(NARROW);
  await assertFits(page);
  await assertAccessible(page);
  await page.setViewportSize(DESKTOP);
  await button(page, 'Stop the load').click();
  await button(page, 'Cut connection').click();
  await state(page, 'Offline');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.evaluate(() => scrollTo(0, 0));
  await shot(page, 'operations-stale');
  await assertAccessible(page);
  for (const width of [1060, 900]) {
    await page.setViewportSize({ width, height: 800 });
    await assertFits(page);
  }
  assertQuiet(page);
});
