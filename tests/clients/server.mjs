// One Roomcast process for a test: fresh data, an ephemeral port, and tokens that it accepts.

import { spawn } from 'node:child_process';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
const BINARY = process.env.ROOMCAST_BIN ?? join(TARGET, 'debug', 'roomcast');
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;
const KEPT_LOG_LINES = 40;
const START_ATTEMPTS = 20;

export const SECRET = 'a secret that only these tests know, long enough for HS256';
export const API_KEY = 'service-key-for-tests-0123456789abcdef';

/** Settings that every test server shares; no rates, since all clients share one address. */
const COMMON = {
  JWT_SECRET: SECRET,
  API_KEYS: API_KEY,
  ROOMCAST_PAYMENTS__DELAY_MS: '1500',
  ROOMCAST_PRESENCE__GRACE_MS: '700',
  ROOMCAST_LIMITS__CONNECTIONS_PER_IP: '0',
  ROOMCAST_LIMITS__EVENTS_PER_SECOND: '0',
  ROOMCAST_LIMITS__USER_EVENTS_PER_SECOND: '0',
  ROOMCAST_LIMITS__REQUESTS_PER_SECOND: '0',
};

const running = new Set();
// Once nothing is left to do, and the reports are written, this process ends: as it takes itself down
// by itself, Node may wait for ever for a pipe of a child that has gone.
let idle = 0;
process.on('beforeExit', () => {
  idle += 1;
  if (idle > 1) process.exit();
  setImmediate(() => {});
});
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Server {
  #child;
  #log = [];
  #panics = [];
  #settings;
  /** Is given every line that the process writes. */
  onLine = () => {};

  /** @param settings environment variables on top of the common ones */
  constructor(settings = {}) {
    this.#settings = settings;
    this.port = 0;
  }

  static async start(settings) {
    const server = new Server(settings);
    await server.start();
    return server;
  }

  /** Starts the process; a second start uses the same data and the same port. */
  async start() {
    this.dir ??= await mkdtemp(join(tmpdir(), 'roomcast-'));
    const child = spawn(BINARY, ['serve'], {
      cwd: this.dir,
      env: {
        PATH: process.env.PATH,
        ...COMMON,
        ROOMCAST_STORE__PATH: join(this.dir, 'roomcast.db'),
        PORT: String(this.port),
        ...this.#settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    createInterface({ input: child.stderr }).on('line', (line) => this.#keep(line));
    this.url = await this.#address(child);
    this.port = Number(new URL(this.url).port);
  }

  /** The address that the process prints once it accepts. */
  #address(child) {
    return new Promise((resolve, reject) => {
      const fail = (why) => {
        clearTimeout(timer);
        reject(new Error(`the server ${why}\n${this.log}`));
      };
      const timer = setTimeout(() => fail('printed no address in time'), START_LIMIT_MS);
      child.once('error', (error) => fail(`did not start: ${error.message}`));
      child.once('close', (code, signal) => fail(`ended at start (${signal ?? code})`));
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.#keep(line);
        const address = /^listening on (http:\/\/\S+)$/.exec(line)?.[1];
        if (address) {
          clearTimeout(timer);
          resolve(address.replace(/\/$/, ''));
        }
      });
    });
  }

  /** Starts again on the same data and port, which a client that tries to connect may hold. */
  async startAgain() {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.start();
      } catch (error) {
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  #keep(line) {
    this.onLine(line);
    if (line.includes('panick')) this.#panics.push(line);
    this.#log.push(line);
    if (this.#log.length > KEPT_LOG_LINES) this.#log.shift();
  }

  /** The last lines that the process wrote. */
  get log() {
    return this.#log.join('\n');
  }

  /** Every line about a panic. */
  get panics() {
    return this.#panics;
  }

  /** The process that runs now. */
  get pid() {
    return this.#child.pid;
  }

  /** Sends a signal, without waiting for what comes of it. */
  signal(name) {
    this.#child.kill(name);
  }

  get isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with the exit code, or with the name of the signal that ended the process. */
  async ended() {
    const child = this.#child;
    if (this.isRunning) await once(child, 'exit');
    return child.exitCode ?? child.signalCode;
  }

  /** Asks the process to end and resolves with its exit code; the data stays. */
  async terminate() {
    this.signal('SIGTERM');
    return this.ended();
  }

  /** Ends the process without a warning, as a power cut would. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** Asks the process to end, and removes its data; one that was never started has none. */
  async stop() {
    if (!this.#child) return;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.#end('SIGTERM');
    clearTimeout(timer);
    await rm(this.dir, { recursive: true, force: true });
  }

  async #end(signal) {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT with these claims; `alg: 'none'` leaves it unsigned. */
export function mint(claims, { secret = SECRET, alg = 'HS256', ttlSeconds = 3600 } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const body = { iat: now, exp: now + ttlSeconds, jti: randomUUID(), ...claims };
  const signed = `${part({ alg, typ: 'JWT' })}.${part(body)}`;
  const signature =
    alg === 'none' ? '' : createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

/** A short text that no other test uses. */
export const unique = () => randomBytes(4).toString('hex');

/**
 * Sends one HTTP request. `as` is a bearer token or API key; an object body goes as JSON, a text
 * body goes as it is under the JSON content type.
 */
export async function request(base, method, path, { as, body, headers = {}, withinMs = 20_000 } = {}) {
  const sent = { ...headers };
  if (as) sent.authorization = `Bearer ${as}`;
  if (body !== undefined) sent['content-type'] ??= 'application/json';
  const response = await fetch(base + path, {
    method,
    headers: sent,
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(withinMs),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    headers: response.headers,
    text,
    body: type.includes('json') && text ? JSON.parse(text) : undefined,
  };
}
