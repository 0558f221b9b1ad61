// The image, as far as it can be known without an engine: what its build reads is there, and what it
// runs, runs.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

import { isIgnored, stages } from './dockerfile.mjs';
import { Program, ROOT, folder, start } from './program.mjs';
import { freePort } from './proxy.mjs';
import { request } from './server.mjs';

const LIMIT_MS = 60_000;
const APT_LISTS = '/var/lib/apt/lists';
const SECRET = 'at-least-sixteen-bytes';
const [build, image, ...others] = stages();

/** A folder with all that the build may read; the paths of its files. */
async function context(t) {
  const dir = await folder(t);
  await cp(ROOT, dir, { recursive: true, filter: (path) => !isIgnored(relative(ROOT, path)) });
  return { dir, files: new Set(readdirSync(dir, { recursive: true })) };
}

/** What a source file takes in when it is compiled. */
function* included(path) {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const files = text.matchAll(/include_(?:str|bytes)!\(\s*"([^"]+)"/g);
  for (const [, name] of files) yield join(dirname(path), name);
  for (const [, name] of text.matchAll(/migrate!\(\s*"([^"]+)"/g)) yield name;
}

test('one stage builds, and of it only the program is in the image', () => {
  assert.deepEqual([build.name, others], ['build', []]);
  const [program, ...rest] = image.copies.filter(({ from }) => from);
  assert.deepEqual([program.from, rest], [build.name, []]);
  const made = build.of('RUN').at(-1);
  assert.match(made, /cargo build --release --locked --bin roomcast /);
  assert.ok(made.endsWith(` ${program.paths.join(' ')}`), made);
  assert.equal(program.to, '/usr/local/bin/roomcast');
});

test('every path that is copied is there, and no pattern of .dockerignore leaves it out', () => {
  const paths = [...build.copies, ...image.copies].filter(({ from }) => !from).flatMap((copy) => copy.paths);
  assert.ok(paths.includes('.'), 'the sources are copied');
  for (const path of paths) {
    assert.ok(existsSync(join(ROOT, path)), path);
    assert.ok(!isIgnored(path), `${path} is ignored`);
  }
});

test('the build has all that it compiles', { timeout: LIMIT_MS }, async (t) => {
  const { dir, files } = await context(t);
  for (const path of ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src/main.rs']) assert.ok(files.has(path));
  const sources = [...files].filter((path) => path.startsWith('src/') && path.endsWith('.rs'));
  const taken = sources.flatMap((path) => [...included(path)]);
  assert.ok(taken.length > 5, 'the sources take files in');
  for (const path of taken) {
    assert.ok(files.has(path), `${path} is compiled in and not there`);
  }
  // The manifest names files, too.
  const metadata = new Program('cargo metadata --format-version 1 --no-deps --offline', { cwd: dir });
  const { code, stdout, stderr } = await metadata.ended();
  assert.equal(code, 0, stderr);
  const { packages: [{ targets }] } = JSON.parse(stdout);
  assert.ok(targets.some(({ name, kind }) => name === 'roomcast' && kind.includes('bin')));
  for (const { src_path: path } of targets) assert.ok(existsSync(path), path);
});

test('neither secrets nor data of this machine go into the build', () => {
  const kept = ['.env', 'data/roomcast.db', '.git/config', 'target/x', 'examples/node_modules/x'];
  for (const path of kept) assert.ok(isIgnored(path), path);
});

test('the Debian packages that it names exist', { timeout: LIMIT_MS }, async (t) => {
  const names = [...build.packages, ...image.packages];
  assert.ok(names.includes('npm') && names.includes('ca-certificates'), names.join(', '));
  const hasLists = existsSync(APT_LISTS) && readdirSync(APT_LISTS).some((name) => name.includes('_Packages'));
  if (!hasLists) {
    return t.diagnostic(`NOT CHECKED that ${names.join(', ')} exist: there are no lists of packages here`);
  }
  const shown = new Program(`apt-cache show --no-all-versions ${names.join(' ')}`, { cwd: ROOT });
  const { code, stdout, stderr } = await shown.ended();
  assert.equal(code, 0, stderr);
  for (const name of names) assert.match(stdout, new RegExp(`^Package: ${name}$`, 'm'));
});

test('it runs as a user of its own, who is not root and owns its data', () => {
  const user = image.last('USER');
  const [, options] = new RegExp(`useradd (.*) ${user}$`).exec(image.of('RUN').join('\n'));
  const value = (name) => new RegExp(`--${name} (\\S+)`).exec(options)[1];
  assert.ok(Number(value('uid')) > 0);
  assert.match(options, /--create-home/);
  const order = image.all.map(({ instruction }) => instruction);
  assert.ok(order.lastIndexOf('COPY') < order.indexOf('USER'), 'the user owns nothing of the program');
  const data = image.last('VOLUME');
  const folders = [value('home-dir'), image.last('WORKDIR'), dirname(image.env.DATABASE_URL)];
  assert.deepEqual(folders, [data, data, data]);
});

test('what it runs serves, is healthy, and ends when it is told to', { timeout: LIMIT_MS }, async (t) => {
  const cwd = await folder(t);
  const port = await freePort();
  const data = image.last('VOLUME');
  const here = ([name, value]) => [name, value.replace(data, cwd)];
  const env = Object.fromEntries(Object.entries(image.env).map(here));
  const own = { cwd, env: { ...env, JWT_SECRET: SECRET, PORT: String(port) } };
  const command = [...image.words('ENTRYPOINT'), ...image.words('CMD')].join(' ');
  const server = start(t, `exec ${command}`, own);
  assert.equal(await server.address(), `http://0.0.0.0:${port}`, 'it can be reached from outside');
  assert.equal((await request(`http://127.0.0.1:${port}`, 'GET', '/healthz')).status, 200);
  assert.ok(existsSync(env.DATABASE_URL), 'its data is where the volume is');
  const check = image.words('HEALTHCHECK').join(' ');
  assert.match(image.last('HEALTHCHECK'), /--start-period=\d+s CMD/);
  const healthy = await new Program(check, own).ended();
  assert.deepEqual([healthy.code, healthy.stdout], [0, 'healthy']);
  assert.equal(image.last('STOPSIGNAL'), 'SIGTERM');
  assert.equal((await server.stop()).code, 0);
  assert.equal((await new Program(check, own).ended()).code, 1, 'what is gone is not healthy');
});

test('the port that it exposes is the one where it listens', { timeout: LIMIT_MS }, async (t) => {
  const { stdout } = await new Program('roomcast default-config', { cwd: await folder(t) }).ended();
  const section = stdout.split(/^(?=\[)/m).find((text) => text.startsWith('[server]\n'));
  const [, port] = /^port = (\d+)$/m.exec(section);
  assert.deepEqual([image.last('EXPOSE'), image.env.PORT], [port, undefined]);
});
