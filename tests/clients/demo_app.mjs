// The demo in Chromium: a server to show it, pages to look at, and what holds for each of them.
//
// Screenshots go to target/client-tests/screenshots, or to the folder named by DEMO_SCREENSHOTS. With
// DEMO_DIST the app comes from that folder, built by `vite build`, instead of from the server.

import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { extname, join, relative, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';

import axe from 'axe-core';
import { chromium } from 'playwright-core';

import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { TARGET, start } from './program.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/**
 * Each window renders what its address bar would open, which nobody sees here and which takes longer than
 * the page. An app that comes from a folder may call the server on this machine all the same.
 */
const UNWANTED = [
  'WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup',
  ...(process.env.DEMO_DIST ? ['LocalNetworkAccessChecks'] : []),
];
const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--mute-audio',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  `--disable-features=${UNWANTED}`,
];
const WAIT_MS = 15_000;
const DIST = process.env.DEMO_DIST && resolve(process.env.DEMO_DIST);
const SHOTS = resolve(process.env.DEMO_SCREENSHOTS ?? join(TARGET, 'client-tests', 'screenshots'));
/** A picture of the docs; the page is to look tidy, not to weigh. */
const SHOT_BYTES = 150_000;
const GRAVE = ['serious', 'critical'];
const KINDS = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
};

/** The sizes at which pages are looked at. */
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
export const NARROW = { width: 360, height: 740 };

/** What a browser complains of while the server is away or it is offline. */
export const AWAY = new RegExp([
  'ERR_CONNECTION_REFUSED', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE', 'ERR_INTERNET_DISCONNECTED',
  'ERR_NETWORK_CHANGED', 'ERR_INCOMPLETE_CHUNKED_ENCODING', 'WebSocket connection to',
  'WebSocket is already in CLOSING or CLOSED state',
].join('|'));

/** What it complains of where a page is left, or a socket ended, before its WebSocket is there. */
export const LEFT_EARLY =
  /^WebSocket connection to '[^']+' failed: WebSocket is closed before the connection is established\.$/;

/** `test` for a file whose tests mostly wait: so many of them run at the same time. */
export function atOnce(count, name) {
  const all = [];
  // By then the file has said what they are.
  queueMicrotask(() => {
    describe(name, { concurrency: count }, () => all.forEach((one) => test(...one)));
  });
  return (...one) => all.push(one);
}

/** One browser for all tests of a file; `open` gives each page a context, a person's own browser. */
export function inChromium() {
  let browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  });
  after(() => browser?.close());
  return {
    /** A page that keeps what the browser complains of. */
    async open(t, url, options = {}) {
      const context = await browser.newContext({ viewport: DESKTOP, ...options });
      t.after(() => context.close());
      context.setDefaultTimeout(WAIT_MS);
      if (DIST) await serveFrom(DIST, context, url);
      const page = await context.newPage();
      keepComplaints(page);
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => {
          console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`);
        });
      });
      await page.goto(url);
      return page;
    },
  };
}

/** Keeps what the browser complains of, for `assertQuiet`. */
export function keepComplaints(page) {
  page.complaints = [];
  page.on('console', (said) => {
    if (['error', 'warning'].includes(said.type())) page.complaints.push(said.text());
  });
  page.on('pageerror', (error) => page.complaints.push(error.message));
}

/** Answers for the app's own files out of a folder; all else is the server's. */
async function serveFrom(dist, context, url) {
  const { origin } = new URL(url);
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const path = relative(dist, file);
    const address = path === 'index.html' ? `${origin}/` : `${origin}/${path}`;
    const answer = { body: await readFile(file), contentType: KINDS[extname(file)] };
    const isIt = (wanted) => wanted.origin + wanted.pathname === address;
    await context.route(isIt, (route) => route.fulfill(answer));
  }
}

/** Starts a `--dev` server; its address and the sample users' tokens by user id. */
export async function serveDev(t, dir, env = {}) {
  const program = start(t, 'roomcast serve --dev', {
    cwd: dir,
    env: { PORT: '0', ROOMCAST_PRESENCE__GRACE_MS: '300', ...env },
  });
  const url = await program.address();
  const printed = program.lines.map((line) => /^token for (\w+): (\S+)$/.exec(line)).filter(Boolean);
  return { program, url, tokens: Object.fromEntries(printed.map(([, name, token]) => [name, token])) };
}

/** The tokens of all sample users, those with roles too, by user id. */
export async function tokensOf(url) {
  const users = await (await fetch(`${url}/demo/users`)).json();
  return Object.fromEntries(users.map(({ userId, token }) => [userId, token]));
}

/** A stock client in a room, for what the app cannot do. */
export async function member(t, url, token, room = 'lobby') {
  const client = new Client(url, { dialect: DIALECTS['4.8'], token });
  t.after(() => client.close());
  await client.next(CONNECTED);
  assert.equal((await client.ask('join:room', room)).ok, true);
  return client;
}

/** Sends a message by a stock client; what names it in an edit or a deletion. */
export async function write(client, content, roomId = 'lobby') {
  const { ok, message } = await client.ask('message:send', { roomId, content });
  assert.equal(ok, true);
  return { roomId, messageId: message.id };
}

/** That the browser complained of nothing, but for what is to be expected. */
export function assertQuiet(pages, expected = /^$/) {
  for (const page of [pages].flat()) {
    assert.deepEqual(page.complaints.filter((text) => !expected.test(text)), []);
  }
}

/** Runs in the page: waits until colours that change have changed. */
function settled() {
  const changing = document.getAnimations().filter((one) => one instanceof CSSTransition);
  return Promise.allSettled(changing.map(({ finished }) => finished));
}

/** That axe finds no serious fault, in the light and in the dark theme. */
export async function assertAccessible(page) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.locator(`:root[data-theme="${colorScheme}"]`).waitFor();
    if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe.source);
    await page.evaluate(settled);
    const { violations } = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }));
    const grave = violations.filter(({ impact }) => GRAVE.includes(impact));
    const told = grave.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map((n) => n.html).join(' ')}`);
    assert.deepEqual(told, [], colorScheme);
  }
}

/** That nothing makes the page wider than its window. */
export async function assertFits(page) {
  const over = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  assert.equal(over, 0, 'the page is wider than the window');
}

/** Takes a picture of what the window shows. */
export async function shot(page, name) {
  await mkdir(SHOTS, { recursive: true });
  const path = join(SHOTS, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  const { size } = await stat(path);
  assert.ok(size < SHOT_BYTES, `${path} has ${size} bytes`);
}
