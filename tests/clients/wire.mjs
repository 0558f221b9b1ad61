// HTTP and WebSocket written byte by byte, so that a test can write them wrongly.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

import { within } from './raw.mjs';

const WAIT_MS = 10_000;

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** The payload length as RFC 6455, section 5.2 writes it, with the mask bit. */
function lengthBytes(length, mask) {
  const bit = mask ? 0x80 : 0;
  if (length < 126) return Buffer.from([bit | Number(length)]);
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 9);
  bytes[0] = bit | (length < 65_536 ? 126 : 127);
  if (length < 65_536) bytes.writeUInt16BE(Number(length), 1);
  else bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

/** A WebSocket frame, right unless told otherwise; `claims` is the length that it says it has. */
export function frame(payload, { opcode = OPCODE.text, fin = true, rsv = 0, mask = true, claims } = {}) {
  const body = Buffer.from(payload);
  const head = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  const length = lengthBytes(claims ?? body.length, mask);
  if (!mask) return Buffer.concat([head, length, body]);
  const key = randomBytes(4);
  return Buffer.concat([head, length, key, body.map((byte, n) => byte ^ key[n % 4])]);
}

/** A TCP connection to the server. */
export class Wire {
  #heard = Buffer.alloc(0);
  #waiting = new Set();
  #upgraded = false;

  static #all = new Set();

  constructor(base) {
    Wire.#all.add(this);
    const { hostname, port } = new URL(base);
    this.socket = connect(Number(port), hostname);
    /** The text frames that came. */
    this.frames = [];
    /** Answer pings of the heartbeat, so that only what a test does ends the connection. */
    this.beats = true;
    this.socket.on('data', (bytes) => this.#arrived(bytes));
    this.socket.on('error', () => {});
    /** Resolves once the server has ended the connection. */
    this.ended = new Promise((resolve) => {
      this.socket.once('end', resolve);
      this.socket.once('close', resolve);
    });
  }

  static async open(base) {
    const wire = new Wire(base);
    await once(wire.socket, 'connect');
    return wire;
  }

  /** A WebSocket on this path; `behind` follows the request at once. */
  static async websocket(base, path, { headers = {}, behind = '' } = {}) {
    const wire = await Wire.open(base);
    wire.#upgraded = true;
    const all = {
      host: new URL(base).host,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    wire.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, behind);
    return wire;
  }

  /** Writes these bytes in one go. */
  write(...parts) {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  /** Everything that came, as text. */
  get text() {
    return this.#heard.toString('latin1');
  }

  #arrived(bytes) {
    this.#heard = Buffer.concat([this.#heard, bytes]);
    if (this.#upgraded) this.#parse();
    for (const waiter of this.#waiting) waiter();
  }

  /** Servers' frames are whole and not masked. */
  #parse() {
    this.at ??= 0;
    if (this.at === 0) {
      const end = this.#heard.indexOf('\r\n\r\n');
      if (end < 0 || !this.text.startsWith('HTTP/1.1 101')) return;
      this.at = end + 4;
    }
    for (;;) {
      const rest = this.#heard.subarray(this.at);
      if (rest.length < 2) return;
      let length = rest[1] & 0x7f;
      let start = 2;
      if (length === 126) {
        if (rest.length < 4) return;
        length = rest.readUInt16BE(2);
        start = 4;
      } else if (length === 127) {
        if (rest.length < 10) return;
        length = Number(rest.readBigUInt64BE(2));
        start = 10;
      }
      if (rest.length < start + length) return;
      this.at += start + length;
      if ((rest[0] & 0x0f) !== OPCODE.text) continue;
      const text = rest.subarray(start, start + length).toString();
      this.frames.push(text);
      if (text === '2' && this.beats) this.write(frame('3'));
    }
  }

  /** Resolves once what came fits. */
  async until(fits, what) {
    let waiter;
    const fitted = new Promise((resolve) => {
      waiter = () => fits(this) && resolve();
      this.#waiting.add(waiter);
      waiter();
    });
    await within(WAIT_MS, fitted, what).catch((error) => {
      throw new Error(`${error.message}; the last it heard: ${this.text.slice(-200)}`);
    });
    this.#waiting.delete(waiter);
  }

  /** Resolves with the first text frame that begins like this. */
  async frame(start) {
    const found = () => this.frames.find((text) => text.startsWith(start));
    await this.until(found, `no frame ${start}`);
    return found();
  }

  destroy() {
    this.socket.destroy();
    Wire.#all.delete(this);
  }

  /** Breaks every connection that a test has left open. */
  static destroyAll() {
    Wire.#all.forEach((wire) => wire.destroy());
  }
}
