// A Socket.IO client without a library: what a test writes is what goes over the wire.
//
// It costs little, so that a test can have thousands, and it can do what a stock client cannot: stop
// reading, send before it may, keep silent.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { WebSocket } = createRequire(require.resolve('sio-4-8'))('ws');

const WAIT_MS = 20_000;
const RECORD_SEPARATOR = '\x1e';

/** The address of a new Engine.IO session, or of one that is there. */
export const engineUrl = (base, transport, sid) =>
  `${base}/socket.io/?EIO=4&transport=${transport}${sid ? `&sid=${sid}` : ''}`;

/** Rejects with this text unless the promise settles before. */
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs for 0 up to `count`, so many at a time. */
export async function inBatches(count, size, run) {
  const results = [];
  for (let from = 0; from < count; from += size) {
    const batch = Array.from({ length: Math.min(size, count - from) }, (_, n) => run(from + n));
    results.push(...(await Promise.all(batch)));
  }
  return results;
}

/** Engine.IO over WebSocket. */
export class Raw {
  #acks = new Map();
  #asked = 0;
  #first;
  #greeting;
  #handlers = new Map();
  #opened = {};
  #gone = {};

  /**
   * Opens a session and sends CONNECT with this token. `early` are packets that follow CONNECT in the
   * same tick, `first` those that follow its answer. Without `greets` it never sends CONNECT.
   */
  constructor(url, { token, label = 'a raw client', early = [], first = [], greets = true } = {}) {
    this.label = label;
    /** How often the server has said goodbye, which keeps stock clients away for good. */
    this.goodbyes = 0;
    this.connected = new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
    this.connected.catch(() => {});
    /** Resolves with the close code and the time once the transport is gone. */
    this.ended = new Promise((resolve) => {
      this.#gone = { resolve };
    });
    this.ws = new WebSocket(engineUrl(url.replace(/^http/, 'ws'), 'websocket'), {
      perMessageDeflate: false,
    });
    this.#greeting = greets ? [`40${JSON.stringify({ token })}`, ...early] : [];
    this.#first = first;
    this.ws.on('message', (data, isBinary) => isBinary || this.#heard(data.toString()));
    this.ws.on('error', (error) => this.#opened.reject(error));
    this.ws.on('close', (code) => this.#lost(code));
  }

  /** A client that is connected to the namespace `/`. */
  static async connect(url, options) {
    const raw = new Raw(url, options);
    await within(WAIT_MS, raw.connected, `${raw.label} did not connect`);
    return raw;
  }

  /** A connected client in this room. */
  static async member(url, room, options) {
    const raw = await Raw.connect(url, options);
    const ack = await raw.ask('join:room', room);
    if (!ack.ok) throw new Error(`${raw.label} could not join: ${JSON.stringify(ack)}`);
    return raw;
  }

  #heard(text) {
    if (text.startsWith('42')) this.#event(text);
    else if (text === '2') this.send('3');
    else if (text.startsWith('43')) this.#ack(text);
    else if (text.startsWith('0')) this.send(...this.#greeting);
    else if (text.startsWith('40')) this.#welcomed(JSON.parse(text.slice(2)));
    else if (text.startsWith('44')) this.#opened.reject(new Error(`refused: ${text}`));
    else if (text.startsWith('41')) this.goodbyes += 1;
  }

  #welcomed({ sid, pid }) {
    this.send(...this.#first);
    this.id = sid;
    this.pid = pid;
    this.#opened.resolve(this);
  }

  /** Only what a test listens to is parsed: `42["name",…]`. */
  #event(text) {
    const name = text.slice(4, text.indexOf('"', 4));
    const handler = this.#handlers.get(name);
    if (handler) handler(...JSON.parse(text.slice(2)).slice(1));
  }

  #ack(text) {
    const at = text.indexOf('[');
    const id = Number(text.slice(2, at));
    this.#acks.get(id)?.resolve(JSON.parse(text.slice(at))[0]);
    this.#acks.delete(id);
  }

  #lost(code) {
    const error = new Error(`${this.label} was closed (${code})`);
    this.isGone = true;
    this.#opened.reject(error);
    this.#acks.forEach(({ reject }) => reject(error));
    this.#gone.resolve({ code, at: Date.now() });
  }

  /** Calls back with the arguments of each such event. */
  on(event, handler) {
    this.#handlers.set(event, handler);
  }

  /** Writes these Engine.IO packets, one a frame. */
  send(...packets) {
    packets.forEach((packet) => this.ws.send(packet, () => {}));
  }

  /** Sends an event without asking for an ack. */
  tell(event, ...args) {
    this.send(`42${JSON.stringify([event, ...args])}`);
  }

  /** Sends an event; resolves with its ack. */
  ask(event, ...args) {
    this.#asked += 1;
    const acked = this.acked(this.#asked, event);
    this.send(`42${this.#asked}${JSON.stringify([event, ...args])}`);
    return acked;
  }

  /** The ack with this id. */
  acked(id, event = 'its event') {
    const acked = new Promise((resolve, reject) => {
      this.#acks.set(id, { resolve, reject });
    });
    return within(WAIT_MS, acked, `${this.label} got no ack for ${event}`);
  }

  /** Reads nothing more, as a process that hangs does. */
  pause() {
    this.ws.pause();
  }

  resume() {
    this.ws.resume();
  }

  /** Says goodbye and closes. */
  close() {
    if (this.ws.readyState === WebSocket.OPEN) this.send('41');
    this.ws.close();
  }

  /** Loses the transport without a word. */
  destroy() {
    this.ws.terminate();
  }
}

/** Engine.IO over HTTP long-polling, one request at a time, each when the test says so. */
export class Poller {
  constructor(url, sid) {
    this.url = url;
    this.sid = sid;
  }

  /** A new session, not yet connected to a namespace. */
  static async open(url) {
    const response = await fetch(engineUrl(url, 'polling'));
    const text = await response.text();
    if (response.status !== 200) throw new Error(`no session: ${response.status} ${text}`);
    return new Poller(url, JSON.parse(text.slice(1)).sid);
  }

  /** A session that is connected to the namespace `/`. */
  static async connect(url, token) {
    const poller = await Poller.open(url);
    await poller.post(`40${JSON.stringify({ token })}`);
    const welcome = await poller.until((packet) => packet.startsWith('40'));
    poller.id = JSON.parse(welcome.slice(2)).sid;
    return poller;
  }

  get address() {
    return engineUrl(this.url, 'polling', this.sid);
  }

  /** Posts these packets as one payload; resolves with the response's status and text. */
  async post(...packets) {
    const body = packets.join(RECORD_SEPARATOR);
    const headers = { 'content-type': 'text/plain;charset=UTF-8' };
    const signal = AbortSignal.timeout(WAIT_MS);
    const response = await fetch(this.address, { method: 'POST', body, headers, signal });
    return { status: response.status, text: await response.text() };
  }

  /** The status of one poll and the packets that it brought. */
  async poll() {
    const response = await fetch(this.address, { signal: AbortSignal.timeout(WAIT_MS) });
    const text = await response.text();
    return { status: response.status, packets: text.split(RECORD_SEPARATOR) };
  }

  /** Polls, and answers pings, until a packet fits. */
  async until(fits) {
    for (;;) {
      const { status, packets } = await this.poll();
      if (status !== 200) throw new Error(`the poll was answered ${status} ${packets}`);
      if (packets.includes('2')) await this.post('3');
      const found = packets.find(fits);
      if (found !== undefined) return found;
    }
  }
}
