// What the doctor is tested on: a Node server as apps have one, and the doctor where it has been installed.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Server as SocketIo } from 'socket.io';

import { Program, ROOT, folder } from './program.mjs';
import { SECRET, Server, mint } from './server.mjs';

const MODULES = join(ROOT, 'tests', 'clients', 'node_modules');
/** What the doctor depends on, by what this folder calls it. */
const INSTALLED = { 'socket.io-client': 'sio-4-8', 'socket.io-msgpack-parser': 'socket.io-msgpack-parser' };
const RUN_LIMIT_MS = 60_000;

export const msgpack = createRequire(import.meta.url)('socket.io-msgpack-parser');

/** An HTTP server on a port of its own that is gone after the test. */
export async function listen(t, server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** A Node server with these options and this behaviour; its address. */
export async function node(t, options = {}, behave = asAppsDo) {
  const server = createServer((_, response) => response.writeHead(404).end());
  const io = new SocketIo(server, options);
  behave(io);
  const url = await listen(t, server);
  t.after(() => io.close());
  return url;
}

/** The claims of a token that this secret has signed. */
function verify(token, secret = SECRET) {
  const [head, claims, signature] = String(token).split('.');
  const expected = createHmac('sha256', secret).update(`${head}.${claims}`).digest('base64url');
  return signature === expected ? JSON.parse(Buffer.from(claims, 'base64url')) : undefined;
}

/** Tokens are checked, rooms joined, and some events are acknowledged. */
export function asAppsDo(io) {
  io.use((socket, next) => {
    const { token } = socket.handshake.auth;
    if (!token) return next(new Error('Authentication required'));
    const claims = verify(token);
    return claims ? next() : next(Object.assign(new Error('Invalid token'), { data: { status: 401 } }));
  });
  io.on('connection', (socket) => {
    socket.emit('socket-id', socket.id);
    socket.on('join:room', (roomId, ack) => {
      socket.join(`room:${roomId}`);
      ack?.({ ok: true });
    });
    socket.on('echo', (...args) => args.at(-1)(...args.slice(0, -1)));
    socket.on('kick', () => socket.disconnect());
    socket.on('greet', () => socket.emit('greeting', { text: 'hello' }));
  });
}

/** Everybody is let in, and nobody answered. */
export const asNobodyDoes = (io) => io.on('connection', () => {});

/** The doctor in a folder where `npm install` has been run. */
export async function install(t) {
  const cwd = await folder(t);
  const doctor = join(cwd, 'examples', 'doctor');
  const from = join(ROOT, 'examples', 'doctor');
  await cp(from, doctor, { recursive: true, filter: (path) => !path.includes('node_modules') });
  await mkdir(join(doctor, 'node_modules'));
  for (const [name, here] of Object.entries(INSTALLED)) {
    await symlink(join(MODULES, here), join(doctor, 'node_modules', name));
  }
  const read = async (...path) => JSON.parse(await readFile(join(...path, 'package.json'), 'utf8'));
  const { dependencies } = await read(doctor);
  assert.deepEqual(Object.keys(dependencies), Object.keys(INSTALLED));
  for (const [name, here] of Object.entries(INSTALLED)) {
    assert.equal(dependencies[name], `^${(await read(MODULES, here)).version}`, name);
  }
  return cwd;
}

/** Roomcast with these settings; its address. */
export async function roomcast(t, settings) {
  const server = await Server.start(settings);
  t.after(() => server.stop());
  return server.url;
}

/** What alice is known by, on either server. */
export const token = mint({ sub: 'alice', rooms: ['*'] });

/** What the doctor says to machines of these two servers; `line` finds a line by its check and name. */
export async function examined(t, [one, other], args = []) {
  const asked = ['--node-server', one, '--roomcast', other, '--json', '--wait-ms', '2000', ...args];
  const { code, stdout, stderr } = await doctor(t, asked, { TOKEN: token });
  assert.equal(stderr, '');
  const report = JSON.parse(stdout);
  const line = (name) => {
    const found = report.lines.find(({ check, what }) => `${check}.${what}` === name);
    assert.ok(found, `there is no ${name} in ${stdout}`);
    return found;
  };
  return { code, report, line };
}

/** The names of the lines that differ. */
export const differences = ({ lines }) =>
  lines.filter(isDifferent).map(({ check, what }) => `${check}.${what}`).sort();

export const isDifferent = ({ verdict }) => ['differs', 'only Node', 'only Roomcast'].includes(verdict);

/** Runs the doctor to its end. */
export async function doctor(t, args, env = {}) {
  const cwd = await install(t);
  const words = args.map((one) => `'${one}'`).join(' ');
  return new Program(`node examples/doctor ${words}`, { cwd, env }).ended(RUN_LIMIT_MS);
}
