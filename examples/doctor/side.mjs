// One of the two servers, as the checks reach it.

import { createRequire } from 'node:module';

import { ask } from './ask.mjs';
import { Line } from './line.mjs';

const msgpack = createRequire(import.meta.url)('socket.io-msgpack-parser');
/** The parser of the client, by the name that Roomcast gives it. */
export const PARSERS = { json: undefined, msgpack };
const NONCE = Buffer.alloc(16, 1).toString('base64');

export class Side {
  #goodbyes = [];
  #lines = new Set();

  constructor(name, { url, path }, { auth, origin, events, waitMs, limitMs }) {
    Object.assign(this, { name, url, auth, origin, events, waitMs, limitMs });
    this.path = `/${path.replace(/^\/+|\/+$/g, '')}`;
  }

  /** Finds out whether a Socket.IO server is there, and its transports; rejects where none is. */
  async reach() {
    const { status, headers, text } = await this.engine({ transport: 'polling' }).catch((error) => {
      throw new Error(`cannot be reached: ${error.message || error.code}`);
    });
    if (!isOpen(text) && refusalCode(text) === undefined) {
      const type = headers['content-type'] ?? 'without a content type';
      throw new Error(`is no Socket.IO server: it answered ${status} ${type} under ${this.path}/`);
    }
    this.leave(text);
    const upgraded = await this.webSocket().catch(() => ({}));
    const works = { polling: isOpen(text), websocket: upgraded.status === 101 };
    this.transports = Object.keys(works).filter((name) => works[name]);
  }

  /** Which parser the server answers to; it is used from then on. */
  async findParser() {
    const outcomes = [];
    for (const [name, parser] of Object.entries(PARSERS)) {
      const { isAnswered, text } = await this.dial({ parser }).outcome;
      outcomes.push(text);
      if (!isAnswered) continue;
      this.parser = name;
      return;
    }
    throw new Error(`lets no client talk to it: ${outcomes[0]}`);
  }

  /** One Engine.IO request. */
  engine(query, options) {
    const asked = new URLSearchParams({ EIO: '4', ...query });
    return ask(`${this.url}${this.path}/?${asked}`, { limitMs: this.limitMs, ...options });
  }

  /** Asks for a WebSocket; 101 is yes. */
  webSocket(headers = {}) {
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': NONCE,
    };
    return this.engine({ transport: 'websocket' }, { headers: { ...upgrade, ...headers } });
  }

  /** Says goodbye to a session that this answer opened, so that the server need not find out by itself. */
  leave(text) {
    const sid = isOpen(text) && /"sid":"([^"]+)"/.exec(text)?.[1];
    if (!sid) return;
    const [EIO, body] = isOfEio3(text) ? ['3', '1:1'] : ['4', '1'];
    this.#goodbyes.push(this.engine({ EIO, transport: 'polling', sid }, { method: 'POST', body }));
  }

  /** Starts a connection of the stock client; nothing is awaited. */
  dial({ namespace = '/', ...options } = {}) {
    const { path, auth, transports } = this;
    const asked = { path, auth, transports, parser: PARSERS[this.parser], ...options };
    const line = new Line(this.url + namespace, asked, this.limitMs);
    this.#lines.add(line);
    return line;
  }

  /** A connection that was let in, or undefined where that is refused; rejects where nothing is said. */
  async connect(options = {}) {
    if (options.transports?.some((name) => !this.transports.includes(name))) return undefined;
    const line = this.dial(options);
    const { isConnected, isAnswered, text } = await line.outcome;
    if (!isAnswered) throw new Error(`it answers no client any more: ${text}`);
    return isConnected ? line : undefined;
  }

  /** Leaves nothing open; whether the server hears it does not matter. */
  async close() {
    const [lines, goodbyes] = [[...this.#lines], this.#goodbyes.splice(0)];
    this.#lines.clear();
    await Promise.allSettled([...goodbyes, ...lines.map((line) => line.close())]);
  }
}

/** Whether a polled text opens a session. */
export const isOpen = (text) => /^(\d+:)?0\{/.test(text);

/** It puts its length before a packet. */
const isOfEio3 = (text) => /^\d+:/.test(text);

/** The code of an Engine.IO refusal, or undefined where the text is none. */
export function refusalCode(text) {
  try {
    const { code, message } = JSON.parse(text);
    return typeof message === 'string' && Number.isInteger(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
