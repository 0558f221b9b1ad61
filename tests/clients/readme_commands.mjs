// How each command of the README and the guide is run.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Administrator } from './admin_scene.mjs';
import { Client, DIALECTS, REFUSED } from './client.mjs';
import { install, node } from './doctor_scene.mjs';
import { Program, ROOT, TARGET, folder, start } from './program.mjs';
import { KEY, SECRET, apart, assertChats, connect, output, serve, serveCurl, user } from './readme_run.mjs';
import { blocks, runSnippet, snippet } from './readme_text.mjs';
import { SECRET as NODES_SECRET, mint, request } from './server.mjs';

const { io } = createRequire(import.meta.url)('sio-4-8');

export const COMPILE_LIMIT_MS = 20 * 60_000;
const DEV = 'cargo run --release -- serve --dev';
const WITHOUT_DEV = blocks('sh').find((text) => text.startsWith('export JWT_SECRET'));
const DEV_WITH_KEY = blocks('sh').find((text) => text.startsWith('export API_KEYS'));
const [CURL, NOTIFY] = blocks('sh').filter((text) => text.startsWith('curl '));
const TOKEN = "roomcast token --sub alice --name Alice --rooms '*' --ttl 1h";
const CUSTOM_EVENT = 'JWT_SECRET=at-least-sixteen-bytes cargo run --example custom_event';
const CUSTOM_TOKEN =
  "JWT_SECRET=at-least-sixteen-bytes cargo run --release -- token --sub alice --name Alice --rooms '*' --ttl 1h";
const BACKUP = blocks('sh').find((text) => text.includes('VACUUM INTO'));
const DOCTOR = blocks('sh').find((text) => text.includes('examples/doctor'));
const HASH = blocks('sh').find((text) => text.includes('hash-password'));
const DOCUMENTATION = 'cargo doc --no-deps --open';

/** In the profile that is built already: the release does the same, faster. */
const built = (text) => text.replace('cargo run --release', 'cargo run');

/** By the command. */
export const RUN = {
  async [DEV](t) {
    const dir = await folder(t);
    const server = start(t, built(DEV), { cwd: ROOT, env: apart(dir) });
    const url = await server.address(COMPILE_LIMIT_MS);
    const label = (line) => /^(listening on|[^:]*)/.exec(line)[0];
    assert.deepEqual(server.lines.map(label), blocks('text')[0].split('\n').map(label));
    assert.match(server.lines[0], /^secret: [0-9a-f]{64}$/);
    for (const name of ['Alice', 'Bob', 'Carol']) {
      const [, token] = await server.says(new RegExp(`^token for ${name.toLowerCase()}: (eyJ\\S+)$`));
      await assertChats(t, url, token, { name });
    }
    const page = await request(url, 'GET', '/');
    assert.match(page.type, /^text\/html/);
    assert.equal((await request(url, 'GET', '/socket.io/socket.io.js')).status, 200);
  },

  async [DEV_WITH_KEY](t) {
    const dir = await folder(t);
    const text = built(DEV_WITH_KEY).replace('cargo', 'echo "key: $API_KEYS"\ncargo');
    const server = start(t, text, { cwd: ROOT, env: apart(dir) });
    const [, key] = await server.says(/^key: ([0-9a-f]{48})$/);
    const url = await server.address(COMPILE_LIMIT_MS);
    const body = { newInventory: 7 };
    assert.equal((await request(url, 'PUT', '/api/products/42/inventory', { as: key, body })).status, 204);
  },

  async 'tests/run.sh'() {
    // This runs in it.
    await output('bash -n tests/run.sh', { cwd: ROOT });
  },

  async 'tests/run.sh fuzz'() {
    // Minutes of random bytes; here only that it is there.
    assert.match(await readFile(join(ROOT, 'tests', 'run.sh'), 'utf8'), /^ {4}.*\| fuzz\b/m);
  },

  async 'tests/run.sh --chaos 30'() {
    // Half an hour of faults; here only that it is there, and wants to know how long.
    const { code, stderr } = await new Program('tests/run.sh --chaos', { cwd: ROOT }).ended();
    assert.equal(code, 2);
    assert.match(stderr, /--chaos MINUTES/);
  },

  async 'cargo test'() {
    // tests/run.sh runs the specifications before these tests.
    assert.match(await readFile(join(ROOT, 'tests', 'run.sh'), 'utf8'), /^ *cargo test /m);
  },

  async [WITHOUT_DEV](t) {
    const cwd = await folder(t);
    const server = start(t, WITHOUT_DEV, { cwd, env: { PORT: '0' } });
    const url = await server.address();
    assert.deepEqual(server.lines.map((line) => line.split(' ')[0]), ['listening'], 'it prints no secrets');
    assert.equal((await request(url, 'GET', '/')).status, 404, 'the demo is for --dev');
    const stranger = new Client(url, { dialect: DIALECTS['4.8'], token: user('alice') });
    t.after(() => stranger.close());
    assert.equal((await stranger.next(REFUSED)).message, 'Invalid token');
    await output('test -s data/roomcast.db', { cwd });
  },

  async 'roomcast serve'(t) {
    const { url } = await serve(t);
    await assertChats(t, url, user('alice'), { name: 'alice' });
  },

  async roomcast(t) {
    const { server, url } = await serve(t, {}, 'roomcast');
    await assertChats(t, url, user('alice'), { name: 'alice' });
    const { code, signal } = await server.stop();
    assert.deepEqual([code, signal], [0, null], 'SIGTERM is a request');
  },

  async [TOKEN](t) {
    const { url, cwd } = await serve(t);
    const token = await output(TOKEN, { cwd, env: { JWT_SECRET: SECRET } });
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    assert.deepEqual([claims.sub, claims.name, claims.rooms], ['alice', 'Alice', ['*']]);
    assert.equal(claims.exp - claims.iat, 3600);
    await assertChats(t, url, token, { name: 'Alice' });
    const { code, stderr } = await new Program(TOKEN, { cwd }).ended();
    assert.equal(code, 1);
    assert.match(stderr, /^roomcast: JWT_SECRET is not set.*\n$/);
  },

  async 'roomcast check-config'(t) {
    const cwd = await folder(t);
    const text = 'roomcast check-config';
    assert.equal(await output(text, { cwd, env: { JWT_SECRET: SECRET } }), 'configuration is valid');
    const { code, stdout, stderr } = await new Program(text, { cwd }).ended();
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^roomcast: JWT_SECRET is not set.*\n$/);
  },

  async [HASH](t) {
    const cwd = await folder(t);
    const hash = await output(HASH, { cwd });
    const env = { JWT_SECRET: SECRET, ROOMCAST_ADMIN__ENABLED: 'true', ROOMCAST_ADMIN__PASSWORD: hash };
    const { url } = await serve(t, env);
    await Administrator.enter(t, url, { username: 'admin', password: 'a long password' });
    const { code, stderr } = await new Program('echo short | roomcast hash-password', { cwd }).ended();
    assert.equal(code, 1);
    assert.match(stderr, /^roomcast: a password has 8 to 72 bytes.*\n$/);
  },

  async 'roomcast health'(t) {
    const { server, url, cwd } = await serve(t);
    const env = { JWT_SECRET: SECRET, PORT: new URL(url).port };
    assert.equal(await output('roomcast health', { cwd, env }), 'healthy');
    assert.equal(await output('roomcast health --ready', { cwd, env }), 'healthy');
    await server.stop();
    const { code, stderr } = await new Program('roomcast health', { cwd, env }).ended();
    assert.equal(code, 1);
    assert.match(stderr, /^roomcast: the server cannot be asked: .*\n$/);
  },

  async 'roomcast simulate drivers'(t) {
    const { url, cwd } = await serve(t);
    const alice = await connect(t, url, user('alice'));
    assert.equal((await alice.ask('watch-delivery', 'dan')).ok, true);
    const env = { JWT_SECRET: SECRET, PORT: new URL(url).port };
    const simulate = start(t, 'exec roomcast simulate drivers', { cwd, env });
    const [first, second] = [await alice.next('location-update'), await alice.next('location-update')];
    assert.ok(second.timestamp > first.timestamp && second.lat !== first.lat);
    assert.equal((await simulate.stop()).code, 0, 'SIGTERM is a request');
  },

  async 'roomcast default-config'(t) {
    const cwd = await folder(t);
    const env = { JWT_SECRET: SECRET };
    await output('roomcast default-config >own.toml', { cwd });
    assert.equal(await output('roomcast check-config --config own.toml', { cwd, env }), 'configuration is valid');
    const { url } = await serve(t, {}, `roomcast serve --config ${join(cwd, 'own.toml')}`);
    await assertChats(t, url, user('alice'), { name: 'alice' });
  },

  async [CURL](t) {
    const { url, curl } = await serveCurl(t);
    const watcher = await connect(t, url, user('bob'));
    assert.equal((await watcher.ask('join-product-room', '42')).ok, true);
    assert.equal(await curl(CURL), '');
    assert.equal(await watcher.next('inventory-update'), 7);
  },

  async [NOTIFY](t) {
    const { url, curl } = await serveCurl(t);
    const alice = await connect(t, url, user('alice'));
    const { id } = JSON.parse(await curl(NOTIFY));
    const heard = await alice.next('notification');
    assert.deepEqual([heard.id, heard.title], [id, 'Your order is on its way']);
    assert.deepEqual(JSON.parse(await curl(NOTIFY)), { id }, 'a repeat is the same');
  },

  async [CUSTOM_EVENT](t) {
    const dir = await folder(t);
    const server = start(t, CUSTOM_EVENT, { cwd: ROOT, env: apart(dir) });
    const url = await server.address(COMPILE_LIMIT_MS);
    const bob = await connect(t, url, user('bob'));
    assert.equal((await bob.ask('join:room', 'lobby')).ok, true);
    const token = await output(built(CUSTOM_TOKEN), { cwd: ROOT }, COMPILE_LIMIT_MS);
    const socket = io(url, { auth: { token }, forceNew: true });
    t.after(() => socket.close());
    const shown = [];
    const show = (text) => shown.push(text);
    const answer = await runSnippet(snippet("'wave'"), { socket, show }, 'answer');
    assert.deepEqual(answer, { ok: true, from: 'Alice' });
    assert.equal(await bob.next('waved'), 'Alice');
    assert.deepEqual(shown, ['Alice waves']);
    const refused = await socket.emitWithAck('wave', {});
    assert.deepEqual([refused.ok, refused.code], [false, 'invalid_payload']);
  },

  async [CUSTOM_TOKEN]() {
    const token = await output(built(CUSTOM_TOKEN), { cwd: ROOT }, COMPILE_LIMIT_MS);
    assert.match(token, /^eyJ\S+$/);
  },

  async [BACKUP](t) {
    const { server, url, cwd } = await serve(t, { ROOMCAST_STORE__PATH: 'data/roomcast.db' });
    await assertChats(t, url, user('alice'), { name: 'alice' });
    await output(BACKUP, { cwd });
    await assertChats(t, url, user('alice'), { name: 'alice' });
    await server.stop();
    // The copy has what was stored before it was made, and nothing of what came after.
    const copy = { ROOMCAST_STORE__PATH: join(cwd, 'backup.db') };
    const restored = await serve(t, copy);
    const read = { as: user('alice') };
    const { body } = await request(restored.url, 'GET', '/api/rooms/lobby/messages?after=0', read);
    assert.deepEqual(body.messages.map(({ seq, content }) => [seq, content]), [[1, 'hello']]);
  },

  async [DOCTOR](t) {
    const [npm, text, ...others] = DOCTOR.split('\n');
    assert.deepEqual([npm, others], ['npm install --prefix examples/doctor', []]);
    const { url } = await serve(t, { JWT_SECRET: NODES_SECRET });
    const here = { 'eyJ…': mint({ sub: 'alice' }), '//localhost:4000': await node(t), '//localhost:3000': url };
    const run = Object.entries(here).reduce((all, [said, is]) => all.replace(said, is.replace('http:', '')), text);
    const { code, stdout, stderr } = await new Program(run, { cwd: await install(t) }).ended();
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, /^ {2}same +with-auth +connected$/m);
    assert.match(stdout, /^\d+ same, \d+ different/m);
  },

  async [DOCUMENTATION]() {
    // As it is, but that it opens no browser.
    const env = { RUSTDOCFLAGS: '-D warnings' };
    await output(DOCUMENTATION.replace(' --open', ''), { cwd: ROOT, env }, COMPILE_LIMIT_MS);
    const page = await readFile(join(TARGET, 'doc', 'roomcast', 'guide', 'tour', 'index.html'), 'utf8');
    assert.match(page, /href="\.\.\/guarantees\/index\.html"/, 'pages lead to each other');
    assert.ok(existsSync(join(TARGET, 'doc', 'roomcast', 'guide', 'guarantees', 'index.html')));
  },

  async 'cargo bench'() {
    // The numbers mean nothing in this profile, which is built already; that they come does.
    const env = { BENCH_DIVISOR: '50' };
    const bench = new Program('cargo bench --profile dev', { cwd: ROOT, env });
    const end = await bench.ended(COMPILE_LIMIT_MS);
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /ops\/s/);
    assert.match(end.stdout, /KiB resident per connection/);
    assert.match(end.stdout, /broadcast to 1,000 members.*µs\/delivery.*×/);
    assert.match(end.stdout, /times one commit each/);
    assert.match(end.stdout, /bytes resident per stream/);
    assert.match(end.stdout, /sync of \d+ messages/);
  },
};
