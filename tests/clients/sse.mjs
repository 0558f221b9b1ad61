// Event streams: what feeds them, a reader that sees all that is written, and the EventSource of npm.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:http2';

import { EventSource } from 'eventsource';

import { MIB, eventually } from './observe.mjs';
import { within } from './raw.mjs';
import { API_KEY, Server, mint, request, unique } from './server.mjs';

const PAGE = 100;
const WAIT_MS = 10_000;

/** Where each stream's entries come from, how they are called, and where else they are read. */
const KINDS = {
  orders: (owner) => ({
    path: `/api/vendor/${owner}/notifications/stream`,
    list: `/api/vendor/${owner}/orders`,
    event: 'new-order',
    posting: (value) => ['/api/orders', 201, { vendorId: owner, ...value }],
  }),
  notifications: (owner) => ({
    path: '/events/notifications',
    list: '/api/notifications',
    event: 'notification',
    posting: (value) => ['/api/notifications', 201, { userId: owner, ...value }],
  }),
  updates: (owner) => ({
    path: `/events/stream/${owner}`,
    list: `/api/channels/${owner}`,
    event: 'update',
    posting: ({ event, ...data }) => [`/api/channels/${owner}`, 202, { event, data }],
  }),
};

/** The names of the streams, as the HTTP cursors call their entries. */
export const STREAMS = Object.keys(KINDS);

/** A server, and what is opened on it, which are gone after the test. */
export class Station {
  #opened = [];

  static async start(t, settings) {
    const server = await Server.start(settings);
    const station = Station.at(t, server);
    t.after(async () => {
      await server.stop();
      assert.deepEqual(server.panics, []);
    });
    return station;
  }

  /** The same on a server that outlives the test. */
  static at(t, server) {
    const station = new Station();
    station.server = server;
    t.after(() => station.#opened.forEach((one) => one.close()));
    return station;
  }

  get url() {
    return this.server.url;
  }

  /** Closes this after the test. */
  keep(one) {
    this.#opened.push(one);
    return one;
  }

  /** A stream's entries; it is named after its only reader, a vendor. */
  feed(kind, owner = unique(), claims = {}, options = {}) {
    return new Feed(this, kind, { owner, token: mint({ sub: owner, roles: ['vendor'], ...claims }, options) });
  }

  /** All of a reader's streams. */
  feeds(...of) {
    return STREAMS.map((kind) => this.feed(kind, ...of));
  }

  /** An open stream, from this server or from what leads there. */
  async read(path, { url = this.url, ...options }) {
    const stream = this.keep(await Stream.open(url, path, options));
    assert.equal(stream.status, 200, path);
    return stream;
  }

  /** An HTTP/2 session with room for many bytes, so that its streams do not wait for each other. */
  session() {
    const session = connect(this.url);
    session.once('connect', () => session.setLocalWindowSize(64 * MIB));
    this.keep({ close: () => session.destroy() });
    return session;
  }

  /** A request of a backend, answered with this status. */
  async service(method, path, status, body, headers) {
    const response = await request(this.url, method, path, { as: API_KEY, body, headers });
    assert.equal(response.status, status, response.text);
    return response.body;
  }
}

/** What comes over one stream. */
export class Feed {
  /** The ids of all that was posted. */
  posted = [];

  constructor(station, kind, { owner, token }) {
    Object.assign(this, { station, kind, owner, token }, KINDS[kind](owner));
  }

  /** Posts a value, perhaps under an `event` of its own; resolves with the id that answers. */
  async post(value = {}, headers = {}) {
    const [path, status, body] = this.posting(value);
    const { id } = await this.station.service('POST', path, status, body, headers);
    this.posted.push(id);
    return id;
  }

  /** Posts values that are numbered from 1, one after the other. */
  async fill(count, more = {}) {
    for (let n = 1; n <= count; n += 1) await this.post({ n, ...more });
  }

  /** All entries, as the HTTP cursor has them. */
  async entries() {
    const entries = [];
    for (let more = true; more; ) {
      const path = `${this.list}?limit=${PAGE}&after=${entries.at(-1)?.id ?? 0}`;
      const { status, body, text } = await request(this.station.url, 'GET', path, { as: this.token });
      assert.equal(status, 200, text);
      assert.equal(body.verdict, 'complete');
      entries.push(...body[this.kind]);
      more = body.hasMore;
    }
    return entries;
  }

  /** The ids of all entries. */
  async listed() {
    return (await this.entries()).map(({ id }) => id);
  }

  /** A reader of all that is written; `query` goes behind the path. */
  read({ query = '', ...options } = {}) {
    return this.station.read(this.path + query, { as: this.token, ...options });
  }

  /** The same, beside other streams in an HTTP/2 session. */
  async readWithin(session) {
    const asked = session.request({ ':path': this.path, authorization: `Bearer ${this.token}` });
    const [headers] = await once(asked, 'response');
    return this.station.keep(new Stream(asked, headers[':status'], headers));
  }

  /** An EventSource that is connected, to the server or to what leads there. */
  async follow(url = this.station.url, events = []) {
    const address = `${url}${this.path}?access_token=${this.token}`;
    const follower = this.station.keep(new Follower(address, [this.event, 'initial', ...events]));
    await eventually(() => follower.greetings.length > 0, 'the EventSource is connected');
    return follower;
  }
}

/** The answer to one request, as it comes. */
export class Stream {
  events = [];
  comments = 0;
  #rest = '';

  /** Over HTTP/1.1, on a connection of its own. */
  static open(url, path, { as, headers = {}, remember } = {}) {
    const sent = as ? { authorization: `Bearer ${as}`, ...headers } : headers;
    const answered = new Promise((resolve, reject) => {
      const asked = get(url + path, { agent: false, headers: sent }, (answer) =>
        resolve(new Stream(answer, answer.statusCode, answer.headers, remember)));
      asked.on('error', reject);
    });
    return within(WAIT_MS, answered, `${path} was not answered`);
  }

  /** `remember` picks what is kept of an event. */
  constructor(readable, status, headers, remember = (event) => event) {
    Object.assign(this, { readable, status, headers, remember });
    /** Resolves once it is over: when, and whether that was its end or a broken connection. */
    this.ended = new Promise((resolve) => {
      readable.once('close', () => resolve({ at: Date.now(), isWhole: readable.readableEnded }));
    });
    this.ended.then(() => {
      this.isGone = true;
    });
    readable.on('error', () => {});
    readable.setEncoding('utf8').on('data', (text) => this.#heard(text));
  }

  #heard(text) {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop();
    blocks.forEach((block) => this.#block(block));
  }

  #block(block) {
    const fields = {};
    for (const line of block.split('\n')) {
      const [, name, value] = /^(\w*): ?(.*)$/.exec(line);
      if (name === '') this.comments += 1;
      else fields[name] = value;
    }
    this.retry = fields.retry ?? this.retry;
    if ('data' in fields) {
      this.events.push(this.remember({ ...fields, data: JSON.parse(fields.data), at: Date.now() }));
    }
  }

  /** The first event that fits, heard already or to come. */
  next(fits, what, withinMs) {
    return eventually(() => this.events.find(fits), what, withinMs);
  }

  /** The ids of all but the greeting. */
  get ids() {
    return this.events.filter(({ event }) => event !== 'connected').map(({ id }) => id);
  }

  pause() {
    this.readable.pause();
  }

  resume() {
    this.readable.resume();
  }

  close() {
    this.readable.destroy();
  }
}

/** The EventSource of npm, and what it hears. */
export class Follower {
  heard = [];
  greetings = [];

  constructor(address, events) {
    this.source = new EventSource(address);
    this.source.addEventListener('connected', ({ data }) => this.greetings.push(JSON.parse(data)));
    this.source.addEventListener('error', ({ code }) => {
      this.refused = code;
    });
    for (const event of new Set(events)) {
      this.source.addEventListener(event, ({ data, lastEventId }) =>
        this.heard.push({ event, id: lastEventId, data: JSON.parse(data) }));
    }
  }

  get ids() {
    return this.heard.map(({ id }) => id);
  }

  close() {
    this.source.close();
  }
}
