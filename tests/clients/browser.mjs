// What a browser shows: the README's page, and the demo page of a `--dev` server.
//
// Screenshots go to target/client-tests/screenshots.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { ROOT, TARGET, folder, start } from './program.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const LIMIT_MS = 90_000;
const WAIT_MS = 15_000;
const SHOTS = join(TARGET, 'client-tests', 'screenshots');
/** What a browser complains of while the server is away. */
const AWAY = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to/;

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
});
after(() => browser?.close());

/** A page in a browser of its own that keeps what the browser complains of. */
async function open(t, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  t.after(() => context.close());
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (said) => {
    if (['error', 'warning'].includes(said.type())) page.complaints.push(said.text());
  });
  page.on('pageerror', (error) => page.complaints.push(error.message));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`);
    });
  });
  await page.goto(url);
  return page;
}

/** Starts a `--dev` server; its address and the sample users' tokens by user id. */
async function serveDev(t, dir, env = {}) {
  const program = start(t, 'roomcast serve --dev', {
    cwd: dir,
    env: { PORT: '0', ROOMCAST_PRESENCE__GRACE_MS: '300', ...env },
  });
  const url = await program.address();
  const printed = program.lines.map((line) => /^token for (\w+): (\S+)$/.exec(line)).filter(Boolean);
  return { program, url, tokens: Object.fromEntries(printed.map(([, name, token]) => [name, token])) };
}

/** Serves one page at a port of its own, so that it is of another origin than the server. */
async function host(t, html) {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/' ? 200 : 204, { 'content-type': 'text/html; charset=utf-8' });
    response.end(request.url === '/' ? html : undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${server.address().port}/`;
}

/** The demo page as this user, connected. */
async function demo(t, url, user, options) {
  const page = await open(t, `${url}/?as=${user}`, options);
  await state(page, 'connected');
  return page;
}

const state = (page, name) => page.locator(`#connection[data-state="${name}"]`).waitFor();
const message = (page, text) => page.locator('#messages .message', { hasText: text });
const says = (page, text) => page.getByText(text, { exact: true }).waitFor();
const person = (page, name, status) =>
  page.locator('#people li', { hasText: name }).filter({ hasText: status }).waitFor();

async function send(page, text) {
  await page.locator('#text').fill(text);
  await page.locator('#text').press('Enter');
}

/** A stock client in the lobby, for what the page cannot do. */
async function member(t, url, token) {
  const client = new Client(url, { dialect: DIALECTS['4.8'], token });
  t.after(() => client.close());
  await client.next(CONNECTED);
  assert.equal((await client.ask('join:room', 'lobby')).ok, true);
  return client;
}

async function write(client, content) {
  const { ok, message } = await client.ask('message:send', { roomId: 'lobby', content });
  assert.equal(ok, true);
  return { roomId: 'lobby', messageId: message.id };
}

const assertQuiet = (...pages) => pages.forEach((page) => assert.deepEqual(page.complaints, []));

test('the page of the README chats from wherever it is served', { timeout: LIMIT_MS }, async (t) => {
  const { url, tokens } = await serveDev(t, await folder(t));
  const text = await readFile(join(ROOT, 'examples', 'page.html'), 'utf8');
  const html = text.replaceAll('http://localhost:3000', url).replace('PASTE THE TOKEN HERE', tokens.alice);
  const address = await host(t, html);
  const pages = [await open(t, address), await open(t, address)];
  // Whether both have joined shows in that both hear the first one.
  for (const page of pages) {
    await page.waitForFunction(() => socket.connected);
    await page.evaluate(() => new Promise((resolve) => socket.emit('join:room', 'lobby', resolve)));
  }
  await pages[0].getByLabel('Message').fill('hello from a page');
  await pages[0].getByRole('button', { name: 'Send' }).click();
  for (const page of pages) {
    await says(page, 'Alice: hello from a page');
    assert.equal(await page.locator('#messages li').count(), 1);
  }
  assertQuiet(...pages);
});

test('alice and bob chat on the demo page and see each other type', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const alice = await demo(t, url, 'alice');
  await alice.getByText('No messages yet').waitFor();
  const bob = await demo(t, url, 'bob');
  await person(alice, 'Bob', 'online');
  await person(bob, 'Alice', 'online');

  await alice.locator('#text').pressSequentially('hel');
  await says(bob, 'Alice is typing…');
  await send(alice, 'hello <b>bob</b>');
  for (const page of [alice, bob]) await says(page, 'hello <b>bob</b>');
  await bob.waitForFunction(() => document.getElementById('typing').textContent === '');
  await send(bob, 'hello alice');
  for (const page of [alice, bob]) await says(page, 'hello alice');
  assert.deepEqual(await alice.locator('#messages .name').allTextContents(), ['You', 'Bob']);
  assert.deepEqual(await bob.locator('#messages .name').allTextContents(), ['Alice', 'You']);
  assert.equal(await alice.locator('#outbox li').count(), 0);

  await bob.getByRole('radio', { name: 'Carol' }).check();
  await bob.waitForURL(/as=carol/);
  await state(bob, 'connected');
  await person(alice, 'Bob', 'offline');
  await person(alice, 'Carol', 'online');
  assertQuiet(alice, bob);
});

test('what is edited or deleted changes on the demo page', { timeout: LIMIT_MS }, async (t) => {
  const { url, tokens } = await serveDev(t, await folder(t));
  const bob = await demo(t, url, 'bob');
  const alice = await member(t, url, tokens.alice);
  const [first, second] = [await write(alice, 'a tpyo'), await write(alice, 'a mistake')];
  await says(bob, 'a mistake');
  assert.equal((await alice.ask('message:edit', { ...first, content: 'a typo' })).ok, true);
  await says(bob, 'a typo');
  await message(bob, 'edited').waitFor();
  assert.equal((await alice.ask('message:delete', second)).ok, true);
  await says(bob, 'Message deleted');
  await bob.reload();
  await says(bob, 'Message deleted');
  assert.deepEqual(await bob.locator('#messages p').allTextContents(), ['a typo', 'Message deleted']);
  assertQuiet(bob);
});

test('history is there after a reload, page by page', { timeout: LIMIT_MS }, async (t) => {
  const { url, tokens } = await serveDev(t, await folder(t), {
    ROOMCAST_LIMITS__EVENTS_PER_SECOND: '0',
    ROOMCAST_LIMITS__USER_EVENTS_PER_SECOND: '0',
  });
  const client = await member(t, url, tokens.alice);
  const texts = Array.from({ length: 120 }, (_, n) => `message ${n + 1}`);
  for (const text of texts) await write(client, text);
  const bob = await demo(t, url, 'bob');
  const shown = () => bob.locator('#messages p').allTextContents();
  assert.deepEqual(await shown(), texts.slice(-50));
  await bob.reload();
  await state(bob, 'connected');
  assert.deepEqual(await shown(), texts.slice(-50));
  for (const count of [100, 120]) {
    await bob.getByRole('button', { name: 'Show earlier messages' }).click();
    await bob.waitForFunction((n) => document.querySelectorAll('#messages p').length === n, count);
  }
  assert.deepEqual(await shown(), texts);
  await bob.getByRole('button', { name: 'Show earlier messages' }).waitFor({ state: 'hidden' });
  assertQuiet(bob);
});

test('the demo page says that the server is away, and catches up', { timeout: LIMIT_MS }, async (t) => {
  const dir = await folder(t);
  const secret = { JWT_SECRET: 'the same secret for both starts' };
  const first = await serveDev(t, dir, secret);
  const [alice, bob] = [await demo(t, first.url, 'alice'), await demo(t, first.url, 'bob')];
  await send(alice, 'before');
  await says(bob, 'before');
  assertQuiet(alice, bob);

  await first.program.stop();
  for (const page of [alice, bob]) await state(page, 'connecting');
  await send(bob, 'meanwhile');
  await bob.locator('#outbox', { hasText: 'waiting for the connection' }).waitFor();
  await bob.screenshot({ path: join(SHOTS, 'away.png') });

  await serveDev(t, dir, { ...secret, PORT: new URL(first.url).port });
  for (const page of [alice, bob]) {
    await state(page, 'connected');
    await message(page, 'meanwhile').waitFor();
    assert.deepEqual(await page.locator('#messages p').allTextContents(), ['before', 'meanwhile']);
    assert.deepEqual(page.complaints.filter((text) => !AWAY.test(text)), []);
  }
  assert.equal(await bob.locator('#outbox li').count(), 0);
});

for (const [size, viewport] of [['desktop', { width: 1280, height: 800 }], ['phone', { width: 390, height: 844 }]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the demo page fits, ${size}, ${colorScheme}`, { timeout: LIMIT_MS }, async (t) => {
      const { url, tokens } = await serveDev(t, await folder(t));
      const others = [await member(t, url, tokens.alice), await member(t, url, tokens.carol)];
      const page = await demo(t, url, 'bob', { viewport, colorScheme });
      await send(page, 'Good morning!');
      const typo = await write(others[0], 'Mornign, Bob. The crates are in bay 4.');
      await others[0].ask('message:edit', { ...typo, content: 'Morning, Bob. The crates are in bay 4.' });
      const wrong = await write(others[1], 'Wrong room');
      await others[1].ask('message:delete', wrong);
      await send(page, `Thanks. ${'A longer text runs over several lines. '.repeat(5)}`);
      await write(others[1], `One word without a space: ${'abcdefghij'.repeat(12)}`);
      await message(page, 'One word').waitFor();
      others[0].tell('typing:start', 'lobby');
      await says(page, 'Alice is typing…');
      await page.screenshot({ path: join(SHOTS, `${size}-${colorScheme}.png`) });
      const hidden = await page.evaluate(() => {
        const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
        return [scrollWidth - clientWidth, scrollHeight - clientHeight];
      });
      assert.deepEqual(hidden, [0, 0], 'the page is larger than the window');
      assertQuiet(page);
    });
  }
}
