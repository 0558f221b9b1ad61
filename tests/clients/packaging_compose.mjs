// docker-compose.yml: who is in it, who sees whom, and that nodes start with what it gives them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';

import { stages } from './dockerfile.mjs';
import { CONFIG as NGINX_CONFIG } from './nginx.mjs';
import { Program, ROOT, folder } from './program.mjs';

const LIMIT_MS = 60_000;
const NODES = ['node1', 'node2'];
const MUST_BE_SET = ['JWT_SECRET', 'API_KEYS'];
const ENV = { JWT_SECRET: 'at-least-sixteen-bytes', API_KEYS: 'an api key of this test' };
/** The clients that may be there. */
const CLIENTS = ['docker compose', 'docker-compose'];

const VARIABLE = /\$\{(\w+)(?::([-?])([^}]*))?\}/g;

/** What compose makes of `${NAME}`, `${NAME:-default}` and `${NAME:?why it must be}`. */
function filled(value, env) {
  if (typeof value !== 'string') return value;
  return value.replace(VARIABLE, (_, name, how, text) => {
    if (env[name]) return env[name];
    assert.notEqual(how, '?', `${name}: ${text}`);
    return how === '-' ? text : '';
  });
}

const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true });
const { services } = compose;

/** What is mounted: `{from, to, how}`. */
const mounts = ({ volumes = [] }) =>
  volumes.map((text) => {
    const [from, to, how] = text.split(':');
    return { from, to, how };
  });

/** The variables of a service as its container has them. */
const environment = ({ environment: of }, env = ENV) =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, filled(value, env)]));

/** A node's variables, with the file that is mounted instead of the one in the container. */
function outside(name) {
  const env = environment(services[name]);
  const file = mounts(services[name]).find(({ to }) => to === env.ROOMCAST_CONFIG);
  return { ...env, ROOMCAST_CONFIG: resolve(ROOT, file.from) };
}

const roomcast = (text, cwd, env) => new Program(`roomcast ${text}`, { cwd, env }).ended();

test('two nodes, Redis, PostgreSQL and nginx are in it, and only nginx can be reached from outside', () => {
  assert.deepEqual(Object.keys(services).sort(), ['nginx', 'node1', 'node2', 'postgres', 'redis']);
  const published = Object.entries(services).filter(([, { ports, network_mode: mode }]) => ports || mode);
  assert.deepEqual(published.map(([name]) => name), ['nginx']);
  const images = { nginx: /^nginx:/, redis: /^redis:7/, postgres: /^postgres:1[3-9]/ };
  for (const [name, image] of Object.entries(images)) assert.match(services[name].image, image);
  for (const name of NODES) assert.equal(services[name].build, '.');
});

test('nginx has the configuration of the examples, which leads to both nodes', () => {
  const [config] = mounts(services.nginx);
  assert.deepEqual([resolve(ROOT, config.from), config.to, config.how],
    [join(ROOT, 'examples', 'cluster', 'nginx.conf'), '/etc/nginx/nginx.conf', 'ro']);
  const [, listened] = /^\s*listen (\d+);$/m.exec(NGINX_CONFIG);
  assert.deepEqual(services.nginx.ports.map((port) => filled(port, {})), [`8080:${listened}`]);
  assert.deepEqual(services.nginx.ports.map((port) => filled(port, { PORT: '80' })), [`80:${listened}`]);
  const port = stages().at(-1).last('EXPOSE');
  const servers = [...NGINX_CONFIG.matchAll(/^\s*server (\S+?)(?: [^;{]*)?;$/gm)].map(([, server]) => server);
  assert.deepEqual(servers, NODES.map((name) => `${name}:${port}`));
});

test('nginx is set to what nodes do by default', { timeout: LIMIT_MS }, async (t) => {
  const { stdout } = await roomcast('default-config', await folder(t), {});
  const key = (name) => Number(new RegExp(`^${name} = (\\d+)$`, 'm').exec(stdout)[1]);
  const set = (name, unit) => Number(new RegExp(`^\\s*${name} (\\d+)${unit};$`, 'm').exec(NGINX_CONFIG)[1]);
  assert.equal(set('client_max_body_size', ''), key('payload_bytes'));
  const [idleMs, silentMs] = [set('keepalive_timeout', 's') * 1_000, set('proxy_read_timeout', 's') * 1_000];
  assert.ok(idleMs < key('header_read_timeout_ms'), 'it closes idle connections before a node does');
  assert.ok(silentMs > key('ping_interval_ms'), 'it keeps sockets that are silent between pings');
  assert.ok(silentMs > key('keep_alive_ms'), 'and event streams');
});

test('who waits for a healthy one waits for one whose health is checked', () => {
  const image = stages().at(-1).last('HEALTHCHECK');
  const isChecked = ({ healthcheck, build }) => healthcheck?.test ?? (build && image);
  const waits = (name) => Object.entries(services[name].depends_on ?? {}).map(([on, { condition }]) => {
    assert.equal(condition, 'service_healthy');
    assert.ok(isChecked(services[on]), `${on}, for which ${name} waits`);
    return on;
  });
  for (const name of NODES) assert.deepEqual(waits(name).sort(), ['postgres', 'redis']);
  assert.deepEqual(waits('nginx').sort(), NODES);
});

test('both nodes have the same configuration, of services that are in it', () => {
  const [first, second] = NODES.map((name) => services[name]);
  assert.deepEqual(first, second);
  const env = environment(first);
  assert.equal(outside('node1').ROOMCAST_CONFIG, join(ROOT, 'examples', 'cluster', 'roomcast.toml'));
  const [database, redis] = [new URL(env.DATABASE_URL), new URL(env.REDIS_URL)];
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = environment(services.postgres);
  assert.deepEqual([database.hostname, database.username, database.password, database.pathname],
    ['postgres', POSTGRES_USER, POSTGRES_PASSWORD, `/${POSTGRES_DB}`]);
  assert.equal(redis.hostname, 'redis');
  const [data] = mounts(services.postgres);
  assert.ok(data.from in compose.volumes, 'what is committed outlives the container');
});

test('nodes accept what it gives them, and read the file', { timeout: LIMIT_MS }, async (t) => {
  const cwd = await folder(t);
  const image = stages().at(-1).env;
  for (const name of NODES) {
    const env = { ...image, ...outside(name) };
    const { code, stdout, stderr } = await roomcast('check-config', cwd, env);
    assert.deepEqual([code, stdout, stderr], [0, 'configuration is valid', '']);
    const text = await readFile(env.ROOMCAST_CONFIG, 'utf8');
    const other = join(cwd, 'other.toml');
    await writeFile(other, text.replace('trusted_proxies', 'trusted_proxy'));
    const refused = await roomcast('check-config', cwd, { ...env, ROOMCAST_CONFIG: other });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /server\.trusted_proxies/);
  }
});

test('a node may take as long to end as its drain', { timeout: LIMIT_MS }, async (t) => {
  const { stdout } = await roomcast('default-config', await folder(t), {});
  const deadlineMs = Number(/^drain_deadline_ms = (\d+)$/m.exec(stdout)[1]);
  for (const name of NODES) {
    const [, seconds] = /^(\d+)s$/.exec(services[name].stop_grace_period);
    assert.ok(seconds * 1_000 > deadlineMs, `${seconds} s for ${deadlineMs} ms`);
  }
});

test('secrets have no default: without them nothing starts, and it says which', () => {
  for (const name of MUST_BE_SET) {
    const { [name]: _, ...rest } = ENV;
    assert.throws(() => environment(services.node1, rest), new RegExp(`${name}: set ${name}`));
  }
});

/** The first client that is there; nothing where there is none. */
async function client(cwd) {
  for (const name of CLIENTS) {
    const { code } = await new Program(`${name} version`, { cwd }).ended();
    if (code === 0) return name;
  }
  return undefined;
}

const sentence = '`docker compose config` reads it as this test does, where there is a client';
test(sentence, { timeout: LIMIT_MS }, async (t) => {
  const dir = await folder(t);
  const name = await client(dir);
  if (!name) {
    t.diagnostic(`NOT CHECKED by a client: there is neither of ${CLIENTS.join(', ')} here`);
    assert.equal(compose.version, undefined, 'it is of the specification that has no versions');
    return;
  }
  // Another folder than the repository: a file .env there is none of this test's business.
  await writeFile(join(dir, 'docker-compose.yml'), await readFile(join(ROOT, 'docker-compose.yml')));
  const config = (env) => new Program(`${name} config`, { cwd: dir, env }).ended();
  const { code, stdout, stderr } = await config({ ...ENV, PORT: '8123' });
  assert.equal(code, 0, stderr);
  const read = parse(stdout).services;
  assert.deepEqual(Object.keys(read).sort(), Object.keys(services).sort());
  for (const node of NODES) assert.deepEqual(read[node].environment, environment(services[node]));
  const ports = read.nginx.ports.map(({ published, target }) => [Number(published), target]);
  assert.deepEqual(ports, [[8123, 8080]]);
  for (const missing of MUST_BE_SET) {
    const refused = await config({ ...ENV, [missing]: '' });
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, new RegExp(`set ${missing}`));
  }
  t.diagnostic(`checked by ${name}`);
});
