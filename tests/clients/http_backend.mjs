// The operator's backend over HTTP: it checks signatures, notes what comes, and answers as it is told.

import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from './observe.mjs';

const KEY = Buffer.from('a key that backend and server share');
const TOLERANCE_S = 60;

/** As the configuration takes it. */
export const HOOK_SECRET = `whsec_${KEY.toString('base64')}`;

/** The media type of an answer that has events to be sent beside the ack. */
export const ENVELOPE = 'application/vnd.roomcast.reply+json';

/** Fails unless the request is signed as Standard Webhooks lays down, now. */
function checkSignature(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': given } = headers;
  assert.ok(Math.abs(Date.now() / 1000 - Number(time)) < TOLERANCE_S, `signed at ${time}`);
  const made = createHmac('sha256', KEY).update(`${id}.${time}.`).update(body).digest('base64');
  const [signature, expected] = [Buffer.from(given), Buffer.from(`v1,${made}`)];
  assert.ok(signature.length === expected.length && timingSafeEqual(signature, expected), 'the signature fits');
}

/** An answer of JSON. */
export const json = (body, { status = 200, type = 'application/json' } = {}) => ({
  status,
  type,
  text: JSON.stringify(body),
});

/** An answer that never comes. */
export const NEVER = Symbol('never');

export class HttpBackend {
  #server;
  #answers = new Map();
  #held = new Set();
  /** Everything that came: `{path, headers, body}`. */
  requests = [];
  /** What was wrong with signatures. */
  faults = [];
  #underWay = new Set();
  /** The most requests that were under way. */
  most = 0;

  static async start(t) {
    const backend = new HttpBackend();
    await backend.listen(0);
    t.after(() => backend.stop());
    return backend;
  }

  async listen(port = this.port) {
    this.#server = createServer((request, response) => this.#take(request, response));
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
  }

  /** How many requests are under way. */
  get now() {
    return this.#underWay.size;
  }

  url(path) {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Answers what comes to a path by what this gives for its body: an answer, or {@link NEVER}. */
  on(path, answer) {
    this.#answers.set(path, answer);
  }

  /** The bodies that came to a path and fit. */
  bodies(path, fits = () => true) {
    return this.requests.filter((one) => one.path === path && fits(one.body)).map(({ body }) => body);
  }

  /** The first body of a path that fits, once it has come. */
  async body(path, fits = () => true, withinMs) {
    const what = `${path} was asked`;
    return eventually(() => this.bodies(path, fits)[0], what, withinMs);
  }

  /** Answers what has had no answer yet. */
  release(answer) {
    for (const response of this.#held) this.#send(response, answer);
    this.#held.clear();
  }

  /** Ends it with all its connections; its port refuses from now on. */
  async stop() {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request, response) {
    this.#underWay.add(response);
    this.most = Math.max(this.most, this.now);
    const gone = () => {
      this.#underWay.delete(response);
      this.#held.delete(response);
    };
    // Who gives up may ask again before the response that nobody reads is closed here.
    request.socket.once('end', gone);
    response.on('close', () => {
      request.socket.off('end', gone);
      gone();
    });
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    try {
      checkSignature(request.headers, raw);
    } catch (error) {
      this.faults.push(error);
    }
    const [path, headers, body] = [request.url, request.headers, JSON.parse(raw)];
    this.requests.push({ path, headers, body });
    const answer = await this.#answers.get(path)?.(body, headers);
    if (answer === NEVER) this.#held.add(response);
    else this.#send(response, answer ?? { status: 204 });
  }

  #send(response, { status = 200, type, text, headers = {} }) {
    response.writeHead(status, { ...(type && { 'content-type': type }), ...headers });
    response.end(text);
  }
}

/** Settings of a server whose file has these lines. */
export function configured(t, lines) {
  const folder = mkdtempSync(join(tmpdir(), 'roomcast-rules-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'roomcast.toml');
  writeFileSync(file, lines);
  return { ROOMCAST_CONFIG: file };
}
