// What the tests of the README's and the guide's commands share: servers, clients, and how commands end.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { Program, folder, start } from './program.mjs';
import { mint } from './server.mjs';

export const SECRET = 'at-least-sixteen-bytes';
export const KEY = 'an api key of this test';

/** A port of its own and data in a folder of its own, whatever the folder it runs in. */
export const apart = (dir, env = {}) => ({ PORT: '0', ROOMCAST_STORE__PATH: join(dir, 'test.db'), ...env });

/** A stock client that is closed after the test. */
export async function connect(t, url, token) {
  const client = new Client(url, { dialect: DIALECTS['4.8'], token });
  t.after(() => client.close());
  await client.next(CONNECTED);
  return client;
}

export const user = (sub) => mint({ sub, rooms: ['*'] }, { secret: SECRET });

export async function assertChats(t, url, token, { name }) {
  const client = await connect(t, url, token);
  assert.equal((await client.ask('join:room', 'lobby')).ok, true);
  const { ok, message } = await client.ask('message:send', { roomId: 'lobby', content: 'hello' });
  assert.equal(ok, true);
  const heard = await client.next('message:new');
  assert.deepEqual([heard.id, heard.username, heard.content], [message.id, name, 'hello']);
}

/** Runs a command to its end, which must be a success; its standard output. */
export async function output(text, options, withinMs) {
  const end = await new Program(text, options).ended(withinMs);
  assert.equal(end.code, 0, `\`${text}\`: ${end.stderr}`);
  return end.stdout;
}

/** Starts a configured server as `roomcast serve` does it. */
export async function serve(t, env = {}, text = 'roomcast serve') {
  const cwd = await folder(t);
  const server = start(t, text, { cwd, env: apart(cwd, { JWT_SECRET: SECRET, API_KEYS: KEY, ...env }) });
  return { server, cwd, url: await server.address() };
}

/** A server to which curl goes for the address in the tour. */
export async function serveCurl(t) {
  const { url, cwd } = await serve(t);
  const connectTo = `connect-to = "localhost:3000:${new URL(url).host}"`;
  await writeFile(join(cwd, '.curlrc'), `${connectTo}\nnoproxy = "*"\nsilent\nshow-error\nfail\n`);
  const env = { CURL_HOME: cwd, API_KEYS: KEY };
  return { url, curl: (text) => output(text, { cwd, env }) };
}
