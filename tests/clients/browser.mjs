// What a browser shows of the README's page.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { assertQuiet, inChromium, serveDev } from './demo_app.mjs';
import { ROOT, folder } from './program.mjs';

const LIMIT_MS = 90_000;

const { open } = inChromium();

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

const says = (page, text) => page.getByText(text, { exact: true }).waitFor();

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
  assertQuiet(pages);
});
