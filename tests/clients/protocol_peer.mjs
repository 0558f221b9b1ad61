// The other side of the example `protocol_suite`: its process, and bare Engine.IO spoken to it.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Program, TARGET } from './program.mjs';
import { within } from './raw.mjs';

const require = createRequire(import.meta.url);
const { WebSocket } = createRequire(require.resolve('sio-4-8'))('ws');

const BINARY = process.env.PROTOCOL_SUITE_BIN ?? join(TARGET, 'debug', 'examples', 'protocol_suite');
const SEPARATOR = '\x1e';
/** How long anything may take that should happen at once. */
const WAIT_MS = 2_000;

export const PING_INTERVAL_MS = 300;
export const PING_TIMEOUT_MS = 200;
export const EXPIRY_MS = PING_INTERVAL_MS + PING_TIMEOUT_MS;
/** How much earlier than it could a session may end. */
export const EARLY_MS = 50;
export const MAX_PAYLOAD = 1_000_000;
/** What Python's client reads of one answer. */
export const MAX_PACKETS = 16;
export const PONG = '3';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs so often, one after the other: a race that is lost now and then must be lost here. */
export async function rounds(count, run) {
  for (let n = 1; n <= count; n += 1) {
    await run().catch((error) => {
      error.message = `round ${n} of ${count}: ${error.message}`;
      throw error;
    });
  }
}

/** The example, or the server at PROTOCOL_SUITE_URL. */
export class Suite {
  #program;

  static async start() {
    const suite = new Suite();
    suite.url = process.env.PROTOCOL_SUITE_URL;
    if (!suite.url) {
      suite.#program = new Program(`exec '${BINARY}'`, { env: { PORT: '0' } });
      suite.url = (await suite.#program.address()).replace(/\/$/, '');
    }
    return suite;
  }

  async stop() {
    await this.#program?.stop();
  }
}

/** One path at which Engine.IO is spoken. `asks` is a packet to which `hears` is the answer. */
export class Endpoint {
  constructor(url, path, { asks, hears }) {
    this.url = url;
    this.path = path;
    this.asks = asks;
    this.hears = hears;
  }

  /** The path with a query. */
  target(query) {
    return `${this.path}?${query}`;
  }

  /** Where a session begins, or goes on. */
  query(transport, sid) {
    return `EIO=4&transport=${transport}${sid ? `&sid=${sid}` : ''}`;
  }

  /** One request; resolves with what its answer says. */
  async http(method, query, { body, headers: sent, signal } = {}) {
    const limit = signal ?? AbortSignal.timeout(WAIT_MS);
    const response = await fetch(this.url + this.target(query), { method, body, headers: sent, signal: limit });
    const text = await response.text();
    const { status, headers } = response;
    return { status, text, headers, packets: text.split(SEPARATOR) };
  }

  /** A new polling session. */
  async open() {
    const { status, text } = await this.http('GET', this.query('polling'));
    assert.equal(status, 200, text);
    return new Polling(this, JSON.parse(text.slice(1)).sid);
  }

  /** A WebSocket on this query, whatever comes of it. */
  socket(query, options) {
    return new Socket(this.url.replace(/^http/, 'ws') + this.target(query), options);
  }

  /** A new WebSocket session. */
  async session(options) {
    const socket = this.socket(this.query('websocket'), options);
    const open = await socket.next();
    assert.match(open, /^0\{/);
    socket.sid = JSON.parse(open.slice(1)).sid;
    return socket;
  }

  /** An open WebSocket that wants to take this polling session over. */
  async rival(polling, options) {
    const socket = this.socket(this.query('websocket', polling.sid), options);
    await socket.opened();
    return socket;
  }
}

/** A session over HTTP long-polling, one request at a time, each when the test says so. */
export class Polling {
  constructor(endpoint, sid) {
    this.endpoint = endpoint;
    this.sid = sid;
    this.query = endpoint.query('polling', sid);
  }

  poll(options) {
    return this.endpoint.http('GET', this.query, options);
  }

  post(...packets) {
    return this.endpoint.http('POST', this.query, { body: packets.join(SEPARATOR) });
  }

  /** Posts packets that must be taken. */
  async posts(...packets) {
    const { status, text } = await this.post(...packets);
    assert.deepEqual([status, text], [200, 'ok']);
  }

  /** Polls until so many packets have come; answers pings. */
  async collect(count) {
    const all = [];
    const until = performance.now() + WAIT_MS;
    while (all.length < count) {
      assert.ok(performance.now() < until, `only ${JSON.stringify(all)} came`);
      const { status, packets, text } = await this.poll();
      assert.equal(status, 200, text);
      if (packets.includes('2')) await this.posts(PONG);
      all.push(...packets.filter((packet) => packet !== '2'));
    }
    return all;
  }

  async isUnknown() {
    const { status, text } = await this.poll();
    assert.equal(status, 400, text);
  }
}

/** A WebSocket that keeps what it hears until it is asked for. */
export class Socket {
  static #all = new Set();
  #inbox = [];
  #wanting = [];

  /** `beats`: answers pings, of which the test hears nothing then. */
  constructor(url, { beats = true } = {}) {
    Socket.#all.add(this);
    this.ws = new WebSocket(url);
    this.ws.on('message', (data, isBinary) => {
      const message = isBinary ? data : data.toString();
      if (beats && message === '2') this.send(PONG);
      else this.#heard(message);
    });
    this.ws.on('error', () => {});
    this.ws.once('unexpected-response', (_, response) => {
      response.resume();
      this.status = response.statusCode;
      this.ws.terminate();
    });
    /** Resolves with the time once the transport is gone. */
    this.gone = new Promise((resolve) => {
      this.ws.once('close', () => {
        this.isGone = true;
        this.#wanting.splice(0).forEach(({ reject }) => reject(new Error('it was closed')));
        resolve(performance.now());
      });
    });
  }

  #heard(message) {
    const first = this.#wanting.shift();
    if (first) first.resolve(message);
    else this.#inbox.push(message);
  }

  opened() {
    const { ws } = this;
    const opened = new Promise((resolve, reject) => {
      if (ws.readyState === WebSocket.OPEN) resolve();
      ws.once('open', resolve);
      ws.once('close', () => reject(new Error(`it was not opened (${this.status})`)));
    });
    return within(WAIT_MS, opened, 'no WebSocket');
  }

  /** The next message: a text, or bytes. */
  next() {
    if (this.#inbox.length > 0) return Promise.resolve(this.#inbox.shift());
    if (this.isGone) return Promise.reject(new Error('it was closed'));
    const message = new Promise((resolve, reject) => {
      this.#wanting.push({ resolve, reject });
    });
    return within(WAIT_MS, message, 'it heard nothing');
  }

  /** The next messages must be these; bytes are given as arrays. */
  async hears(...expected) {
    const heard = [];
    while (heard.length < expected.length) {
      const message = await this.next();
      heard.push(typeof message === 'string' ? message : [...message]);
    }
    assert.deepEqual(heard, expected);
  }

  /** Writes each as a message: a text, or bytes given as an array. */
  send(...messages) {
    for (const message of messages) {
      this.ws.send(Array.isArray(message) ? Uint8Array.from(message) : message, () => {});
    }
  }

  /** Resolves with the time at which the server ended it. */
  closed(limitMs = WAIT_MS) {
    return within(limitMs, this.gone, 'it was not closed');
  }

  /** The status by which the WebSocket was refused. */
  async refused() {
    await this.closed();
    return this.status;
  }

  /** Breaks every WebSocket that a test has left open. */
  static destroyAll() {
    Socket.#all.forEach((socket) => socket.ws.terminate());
    Socket.#all.clear();
  }
}
