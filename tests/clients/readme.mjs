// The README is true: every command in it runs, every block works, every variable exists.

import { generateKeyPairSync } from 'node:crypto';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { CONNECTED, Client, DIALECTS, REFUSED } from './client.mjs';
import { Program, ROOT, folder, start } from './program.mjs';
import { blocks, commands, variables } from './readme_text.mjs';
import { NEEDS, VALUES } from './readme_values.mjs';
import { mint, request } from './server.mjs';

const COMPILE_LIMIT_MS = 20 * 60_000;
const LIMIT_MS = 60_000;
const SECRET = 'at-least-sixteen-bytes';
const KEY = 'an api key of this test';
const DEV = 'cargo run --release -- serve --dev';
const WITHOUT_DEV = blocks('sh').find((text) => text.startsWith('export JWT_SECRET'));
const [CURL, NOTIFY] = blocks('sh').filter((text) => text.startsWith('curl '));
const TOKEN = "roomcast token --sub alice --name Alice --rooms '*' --ttl 1h";
const CUSTOM_EVENT = 'JWT_SECRET=at-least-sixteen-bytes cargo run --example custom_event';

/** A port of its own and data in a folder of its own, whatever the folder it runs in. */
const apart = (dir, env = {}) => ({ PORT: '0', ROOMCAST_STORE__PATH: join(dir, 'test.db'), ...env });

/** A stock client that is closed after the test. */
async function connect(t, url, token) {
  const client = new Client(url, { dialect: DIALECTS['4.8'], token });
  t.after(() => client.close());
  await client.next(CONNECTED);
  return client;
}

const user = (sub) => mint({ sub, rooms: ['*'] }, { secret: SECRET });

async function assertChats(t, url, token, { name }) {
  const client = await connect(t, url, token);
  assert.equal((await client.ask('join:room', 'lobby')).ok, true);
  const { ok, message } = await client.ask('message:send', { roomId: 'lobby', content: 'hello' });
  assert.equal(ok, true);
  const heard = await client.next('message:new');
  assert.deepEqual([heard.id, heard.username, heard.content], [message.id, name, 'hello']);
}

/** Runs a command to its end, which must be a success; its standard output. */
async function output(text, options) {
  const end = await new Program(text, options).ended();
  assert.equal(end.code, 0, `\`${text}\`: ${end.stderr}`);
  return end.stdout;
}

/** Starts a configured server as `roomcast serve` does it. */
async function serve(t, env = {}, text = 'roomcast serve') {
  const cwd = await folder(t);
  const server = start(t, text, { cwd, env: apart(cwd, { JWT_SECRET: SECRET, API_KEYS: KEY, ...env }) });
  return { server, cwd, url: await server.address() };
}

/** A server to which curl goes for the address in the README. */
async function serveCurl(t) {
  const { url, cwd } = await serve(t);
  const connectTo = `connect-to = "localhost:3000:${new URL(url).host}"`;
  await writeFile(join(cwd, '.curlrc'), `${connectTo}\nnoproxy = "*"\nsilent\nshow-error\nfail\n`);
  const env = { CURL_HOME: cwd, API_KEYS: KEY };
  return { url, curl: (text) => output(text, { cwd, env }) };
}

/** How each command of the README is run. */
const RUN = {
  async [DEV](t) {
    const dir = await folder(t);
    const server = start(t, DEV, { cwd: ROOT, env: apart(dir) });
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
    const [alice, bob] = [await connect(t, url, user('alice')), await connect(t, url, user('bob'))];
    assert.equal((await bob.ask('join:room', 'lobby')).ok, true);
    assert.deepEqual(await alice.ask('wave', { room: 'lobby' }), { ok: true, from: 'alice' });
    assert.equal(await bob.next('waved'), 'alice');
  },

  async 'cargo bench'() {
    // The numbers mean nothing in this profile, which is built already; that they come does.
    const env = { BENCH_DIVISOR: '50' };
    const bench = new Program('cargo bench --profile dev', { cwd: ROOT, env });
    const end = await bench.ended(COMPILE_LIMIT_MS);
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /ops\/s/);
    assert.match(end.stdout, /KiB resident per connection/);
    assert.match(end.stdout, /µs of CPU per delivery/);
    assert.match(end.stdout, /bytes resident per stream/);
    assert.match(end.stdout, /sync of \d+ messages/);
  },
};

for (const text of commands) {
  const timeout = /\bcargo (run|bench)\b/.test(text) ? COMPILE_LIMIT_MS : LIMIT_MS;
  test(`\`${text.replaceAll('\n', '; ')}\` works`, { timeout }, (t) => {
    assert.ok(RUN[text], 'the README has a command that this test does not know');
    return RUN[text](t);
  });
}

test('every command that is tested stands in the README', () => {
  assert.deepEqual(Object.keys(RUN).filter((text) => !commands.includes(text)), []);
});

test('the page is the one in examples/page.html', async () => {
  const [page, ...others] = blocks('html');
  assert.equal(`${page}\n`, await readFile(join(ROOT, 'examples', 'page.html'), 'utf8'));
  assert.deepEqual(others, []);
});

test('the watch rule opens its room to users and closes it again', { timeout: LIMIT_MS }, async (t) => {
  const [rule] = blocks('toml');
  const file = join(await folder(t), 'own.toml');
  await writeFile(file, rule);
  const { url } = await serve(t, { ROOMCAST_AUTH__GUESTS: 'true' }, `roomcast serve --config ${file}`);
  const emit = async (n) => {
    const body = { event: 'bid', args: [n], to: { rooms: ['auction:7'] } };
    assert.equal((await request(url, 'POST', '/api/emit', { as: KEY, body })).status, 202);
  };
  const [alice, bob] = [await connect(t, url, user('alice')), await connect(t, url, user('bob'))];
  assert.equal((await alice.ask('watch-auction', '7')).ok, true);
  assert.equal((await bob.ask('watch-auction', '7')).ok, true);
  await emit(1);
  assert.deepEqual([await alice.next('bid'), await bob.next('bid')], [1, 1]);
  assert.equal((await alice.ask('unwatch-auction', '7')).ok, true);
  await emit(2);
  assert.equal(await bob.next('bid'), 2);
  // What alice is sent after this she hears after it.
  assert.equal((await alice.ask('watch-auction', '8')).ok, true);
  assert.deepEqual(alice.heard('bid'), [1]);
  const guest = await connect(t, url);
  assert.equal((await guest.ask('watch-auction', '7')).ok, false);
});

test('the rules for what workers publish are such', { timeout: LIMIT_MS }, async (t) => {
  const [, rules, ...others] = blocks('toml');
  assert.deepEqual(others, []);
  const cwd = await folder(t);
  await writeFile(join(cwd, 'roomcast.toml'), rules);
  const env = { JWT_SECRET: SECRET, REDIS_URL: 'redis://r', DATABASE_URL: 'postgres://db/app' };
  assert.equal(await output('roomcast check-config', { cwd, env }), 'configuration is valid');
  await writeFile(join(cwd, 'roomcast.toml'), rules.replace('/data', 'data'));
  assert.equal((await new Program('roomcast check-config', { cwd, env }).ended()).code, 1);
});

const PATTERN = 'ROOMCAST_SECTION__KEY';

for (const name of variables.filter((one) => one !== PATTERN)) {
  test(`${name} is read`, { timeout: LIMIT_MS }, async (t) => {
    assert.ok(VALUES[name], 'the README names a variable that this test does not know');
    const { takes, refuses } = VALUES[name];
    const cwd = await folder(t);
    const { publicKey } = generateKeyPairSync('ed25519');
    const keys = { keys: [publicKey.export({ format: 'jwk' })] };
    await writeFile(join(cwd, 'keys.json'), JSON.stringify(keys));
    const check = (value) => {
      const env = { JWT_SECRET: SECRET, ...NEEDS[value], ...NEEDS[name], [name]: value };
      return new Program('roomcast check-config', { cwd, env }).ended();
    };
    for (const value of takes) {
      const { code, stderr } = await check(value);
      assert.deepEqual([code, stderr], [0, ''], `${name}=${value}`);
    }
    const { code, stderr } = await check(refuses);
    assert.equal(code, 1, `${name}=${refuses} is fine`);
    assert.match(stderr, /^roomcast: .+\n$/);
  });
}

test('every key has a variable that is named after it', { timeout: LIMIT_MS }, async (t) => {
  const lines = (await output('roomcast default-config', { cwd: await folder(t) })).split('\n');
  let section;
  let named = [];
  for (const line of lines) {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    named = /^# Environment: (.*)$/.exec(line)?.[1].split(', ') ?? named;
    const key = /^(\w+) = /.exec(line)?.[1];
    if (!key || !section) continue;
    assert.ok(named.includes(`ROOMCAST_${section}__${key}`.toUpperCase()), `${section}.${key}`);
    named = [];
  }
});

test('an unknown key stops the start and names the nearest one', { timeout: LIMIT_MS }, async (t) => {
  const cwd = await folder(t);
  await writeFile(join(cwd, 'own.toml'), '[limits]\ncontent_char = 5\n');
  for (const [text, env, nearest] of [
    ['roomcast serve --config own.toml', {}, 'limits.content_chars'],
    ['roomcast serve', { ROOMCAST_LIMITS__CONTENT_CHAR: '5' }, 'ROOMCAST_LIMITS__CONTENT_CHARS'],
    ['roomcast serve', { [PATTERN]: '1' }, 'ROOMCAST_'],
  ]) {
    const { code, stderr } = await new Program(text, { cwd, env: { JWT_SECRET: SECRET, ...env } }).ended();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^roomcast: unknown .*; the nearest is ${nearest}.*\\n$`));
  }
});

test('flags win over the environment, that over the file, that over the defaults', { timeout: LIMIT_MS }, async (t) => {
  const cwd = await folder(t);
  const file = join(cwd, 'roomcast.toml');
  // A value that cannot be is told with where it came from.
  const told = async (text, env) => {
    const { code, stderr } = await new Program(text, { cwd, env: { JWT_SECRET: SECRET, ...env } }).ended();
    assert.equal(code, 1, text);
    return stderr;
  };
  await writeFile(file, '[server]\nhost = "from.file.invalid"\nport = 1\n');
  const host = (name) => ({ ROOMCAST_SERVER__HOST: name });
  assert.match(await told('roomcast serve', {}), /from\.file\.invalid/);
  assert.match(await told('roomcast serve', host('from.env.invalid')), /from\.env\.invalid/);
  assert.match(await told('roomcast --host from.flag.invalid', host('from.env.invalid')), /from\.flag\.invalid/);
});

test('an operator sees life, readiness and, from this machine, metrics', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serve(t);
  for (const path of ['/healthz', '/readyz', '/metrics', '/api/openapi.json']) {
    assert.equal((await request(url, 'GET', path)).status, 200, path);
  }
});
