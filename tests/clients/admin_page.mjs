// What the Admin UI's own page shows in Chromium of two nodes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize } from 'node:path';
import { test } from 'node:test';

import { PASSWORD, USERNAME, adminSettings } from './admin_scene.mjs';
import { WEBSOCKET } from './away.mjs';
import { DIALECTS, DISCONNECTED } from './client.mjs';
import { startCluster } from './cluster.mjs';
import { LEFT_EARLY, assertQuiet, inChromium } from './demo_app.mjs';
import { World, assertOk } from './world.mjs';

const LIMIT_MS = 90_000;
/** The page wants a font of another site, and leaves a refused connection before its WebSocket is there. */
const EXPECTED = new RegExp(`^Failed to load resource|${LEFT_EARLY.source}`);
const require = createRequire(import.meta.url);
const UI = join(dirname(require.resolve('@socket.io/admin-ui/package.json')), 'ui', 'dist');
const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

const { open } = inChromium();

/** Serves the package's page as an operator would, at an address of its own. */
async function serveUi(t) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://ui').pathname);
    const name = path === '/' ? 'index.html' : path;
    try {
      const body = await readFile(join(UI, name));
      response.writeHead(200, { 'content-type': KINDS[extname(name)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${server.address().port}/`;
}

async function logIn(page, url, password) {
  await page.getByLabel('Server URL').fill(url);
  await page.getByLabel('Username').fill(USERNAME);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Connect' }).click();
}

/** Goes to one of the pages that the menu leads to. */
const goTo = (page, name) => page.locator('nav').getByText(name, { exact: true }).click();

test('the Admin UI shows who is on both nodes and in which room, and ends a socket', { timeout: LIMIT_MS },
  async (t) => {
    const address = await serveUi(t);
    const allowed = { ALLOWED_ORIGINS: new URL(address).origin };
    const cluster = await startCluster({ nodes: 2, isDirect: true, env: await adminSettings(allowed) });
    t.after(() => cluster.stop());
    const [own, other] = cluster.nodes.map((node) => new World(node, DIALECTS['4.8'], WEBSOCKET));
    t.after(() => [own, other].forEach((world) => world.close()));
    const [alice, room] = [await other.connect(other.user('alice')), other.id('room')];
    const { id } = alice;
    const page = await open(t, address);
    const row = (text) => page.getByRole('row').filter({ hasText: text });
    const { url } = cluster.nodes[0];

    await logIn(page, url, 'a guess');
    await page.getByText('Invalid credentials').waitFor();
    await logIn(page, url, PASSWORD);
    await goTo(page, 'Servers');
    for (const { pid } of cluster.nodes) await row(`#${pid}`).waitFor();

    await goTo(page, 'Sockets');
    await row(id).waitFor();
    const bob = await own.connect(own.user('bob'));
    await row(bob.id).waitFor();

    assertOk(await alice.ask('join:room', room));
    await goTo(page, 'Rooms');
    await row(`room:${room}`).waitFor();
    await goTo(page, 'Events');
    await row('join:room').first().waitFor();

    await goTo(page, 'Sockets');
    await row(id).getByRole('button').click();
    assert.equal(await alice.next(DISCONNECTED), 'io server disconnect');
    // The click leads to the socket's own page, too.
    await goTo(page, 'Sockets');
    await row(bob.id).waitFor();
    await row(id).waitFor({ state: 'detached' });
    assert.ok(bob.socket.connected);

    await page.reload();
    await row(bob.id).waitFor();
    assertQuiet(page, EXPECTED);
  });
