// The README and the guide are true: every command in them runs, every block works, every variable exists.

import { generateKeyPairSync } from 'node:crypto';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { Program, ROOT, folder } from './program.mjs';
import { COMPILE_LIMIT_MS, RUN } from './readme_commands.mjs';
import { KEY, SECRET, connect, output, serve, user } from './readme_run.mjs';
import { blocks, commands, variables } from './readme_text.mjs';
import { NEEDS, VALUES } from './readme_values.mjs';
import { request } from './server.mjs';

const LIMIT_MS = 60_000;

for (const text of commands) {
  const timeout = /\bcargo (run|bench|doc)\b/.test(text) ? COMPILE_LIMIT_MS : LIMIT_MS;
  test(`\`${text.replaceAll('\n', '; ')}\` works`, { timeout }, (t) => {
    assert.ok(RUN[text], 'the README or the guide has a command that this test does not know');
    return RUN[text](t);
  });
}

test('every command that is tested stands in the README or the guide', () => {
  assert.deepEqual(Object.keys(RUN).filter((text) => !commands.includes(text)), []);
});

test('the page is the one in examples/page.html', async () => {
  const [page, ...others] = blocks('html');
  assert.equal(`${page}\n`, await readFile(join(ROOT, 'examples', 'page.html'), 'utf8'));
  assert.deepEqual(others, []);
});

test('the event of one\'s own is the one in examples/custom_event.rs', async () => {
  const [code, ...others] = blocks('rust');
  assert.equal(`${code}\n`, await readFile(join(ROOT, 'examples', 'custom_event.rs'), 'utf8'));
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

test('the rules for backends and for what workers publish are such', { timeout: LIMIT_MS }, async (t) => {
  const [, forward, relay, ...others] = blocks('toml');
  const rules = `${forward}\n${relay}`;
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
    assert.ok(VALUES[name], 'the README or the guide names a variable that this test does not know');
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
    if (refuses === undefined) return;
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
