// What is around the demo's pages: the way to them, the theme, what is loaded and how fast.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  DESKTOP, LEFT_EARLY, NARROW, assertAccessible, assertFits, assertQuiet, inChromium, serveDev,
} from './demo_app.mjs';
import { folder } from './program.mjs';

const LIMIT_MS = 90_000;
/** All scripts of all pages, as they go over the wire. */
const SCRIPT_BYTES = 300_000;
const INTERACTIVE_MS = 1_000;
const LOADS = 3;

const { open } = inChromium();

const pages = (page) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);
const title = (page) => page.getByRole('heading', { level: 1 });

/** Runs in the page: the names of links that their places are too narrow for. */
const cutOff = (links) =>
  links.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent);

test('every page is a link away, fits and has no serious fault', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await open(t, url);
  await title(page).waitFor();
  const count = await pages(page).count();
  assert.ok(count >= 1);
  await page.setViewportSize(NARROW);
  assert.deepEqual(await pages(page).evaluateAll(cutOff), []);
  await page.setViewportSize(DESKTOP);
  for (let n = 0; n < count; n += 1) {
    const link = pages(page).nth(n);
    const name = (await link.textContent()).trim();
    await link.click();
    await page.waitForFunction((start) => document.title.startsWith(`${start} · `), name);
    await title(page).waitFor();
    assert.equal(await title(page).count(), 1);
    assert.equal(await link.getAttribute('aria-current'), 'page');
    await assertAccessible(page);
    await page.setViewportSize(NARROW);
    await assertFits(page);
    await page.setViewportSize(DESKTOP);
  }
  assertQuiet(page, LEFT_EARLY);
});

test('a keyboard skips to the page and walks through the navigation', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await open(t, url);
  await title(page).waitFor();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('button', { name: 'Skip to the page' });
  assert.ok(await skip.evaluate((element) => element === document.activeElement));
  const outline = await skip.evaluate((element) => getComputedStyle(element).outlineWidth);
  assert.equal(outline, '3px');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'MAIN');

  const last = pages(page).last();
  await last.focus();
  await page.keyboard.press('Enter');
  await pages(page).and(page.locator('[aria-current]')).waitFor();
  assert.equal(await last.getAttribute('aria-current'), 'page');
  assertQuiet(page);
});

test('the theme is that of the system until one is chosen and remembered', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await open(t, url, { colorScheme: 'dark' });
  const toggle = page.getByRole('button', { name: /^Switch to the/ });
  await toggle.waitFor();
  assert.equal(await theme(page), 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.locator(':root[data-theme="light"]').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('button', { name: 'Switch to the light theme' }).click();
  assert.equal(await theme(page), 'light');
  await page.reload();
  await page.getByRole('button', { name: 'Switch to the dark theme' }).waitFor();
  assert.equal(await theme(page), 'light');
  assertQuiet(page);
});

test('all pages together load little, and from this server only', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const page = await open(t, url);
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.reload();
  await title(page).waitFor();
  for (const link of await pages(page).all()) {
    const wanted = (await link.textContent()).trim();
    await link.click();
    await page.waitForFunction((start) => document.title.startsWith(start), wanted);
    await title(page).waitFor();
  }
  const elsewhere = requests.filter((address) => ![url, 'blob:'].some((start) => address.startsWith(start)));
  assert.deepEqual(elsewhere.filter((address) => !address.startsWith('ws')), []);

  const scripts = [...new Set(requests.filter((address) => address.endsWith('.js')))];
  let bytes = 0;
  for (const script of scripts) bytes += await size(script);
  t.diagnostic(`${scripts.length} scripts of ${bytes} bytes`);
  assert.ok(bytes > 0 && bytes < SCRIPT_BYTES, `${bytes} bytes`);
  assertQuiet(page, LEFT_EARLY);
});

/** What an answer has as it goes over the wire. */
async function size(url) {
  const answer = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(answer.status, 200, url);
  assert.equal(answer.headers.get('content-encoding'), 'gzip', url);
  return Number(answer.headers.get('content-length'));
}

test('the first view can be used within a second', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const times = [];
  for (let n = 0; n < LOADS; n += 1) {
    // Each in a browser that has nothing of it yet.
    const page = await open(t, `${url}/#/chat`);
    const box = page.getByRole('textbox', { name: 'Message to lobby' });
    await box.waitFor();
    times.push(await page.evaluate(() => performance.getEntriesByName('interactive')[0].startTime));
    await box.fill('at once');
    assert.equal(await box.inputValue(), 'at once');
    assertQuiet(page);
  }
  t.diagnostic(`interactive after ${times.map(Math.round).join(', ')} ms`);
  // The machine may be at something else meanwhile; the page is not.
  assert.ok(Math.min(...times) < INTERACTIVE_MS, `${times} ms`);
});
