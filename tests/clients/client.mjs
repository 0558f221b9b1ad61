// One face for every published generation of socket.io-client.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const WAIT_MS = 10_000;

/** The clients of the matrix, and the server settings that each of them needs. */
export const DIALECTS = {
  4.8: { module: 'sio-4-8', generation: 4 },
  '4.0': { module: 'sio-4-0', generation: 4 },
  3.1: { module: 'sio-3-1', generation: 3 },
  2.5: { module: 'sio-2-5', generation: 2, settings: { ROOMCAST_SOCKET__EIO3: 'true' } },
  msgpack: {
    module: 'sio-4-8',
    parser: 'socket.io-msgpack-parser',
    generation: 4,
    settings: { ROOMCAST_SOCKET__PARSER: 'msgpack' },
  },
};

/** The ways to connect; absent means what the client does by itself: polling, then an upgrade. */
export const TRANSPORTS = { polling: ['polling'], websocket: ['websocket'], upgrade: undefined };

/** What happened to the connection itself stands in the inbox under these names. */
export const CONNECTED = '#connected';
export const REFUSED = '#refused';
export const DISCONNECTED = '#disconnected';

export class Client {
  #inbox = [];
  #waiting = new Set();

  /** Starts to connect; nothing is awaited. */
  constructor(url, { dialect, transport, token, label = 'a client', options = {} }) {
    this.label = label;
    this.dialect = dialect;
    this.socket = dial(url, { dialect, transport, token, options });
    this.#record();
  }

  get id() {
    return this.socket.id;
  }

  #record() {
    const { socket } = this;
    const note = (event, ...args) => this.#arrived({ event, args, taken: false });
    if (socket.onAny) {
      socket.onAny(note);
    } else {
      const { onevent } = socket;
      socket.onevent = (packet) => {
        note(...packet.data);
        onevent.call(socket, packet);
      };
    }
    socket.on('connect', () => note(CONNECTED));
    socket.on('disconnect', (reason) => note(DISCONNECTED, reason));
    socket.on('connect_error', (error) => note(REFUSED, error));
    // Generation 2 has one event for a refusal and for what the server calls `error`.
    socket.on('error', (error) => {
      if (this.dialect.generation === 2 && !socket.connected) note(REFUSED, refusal(error));
    });
  }

  #arrived(entry) {
    this.#inbox.push(entry);
    for (const waiter of this.#waiting) {
      if (!waiter.takes(entry)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(entry);
      return;
    }
  }

  /** The first argument of the next event of this name that fits and was not taken before. */
  async next(event, fits = () => true, withinMs = WAIT_MS) {
    const takes = (entry) => {
      if (entry.taken || entry.event !== event || !fits(...entry.args)) return false;
      entry.taken = true;
      return true;
    };
    const entry = this.#inbox.find(takes) ?? (await this.#wait(event, takes, withinMs));
    return entry.args[0];
  }

  #wait(event, takes, withinMs) {
    return new Promise((resolve, reject) => {
      const waiter = { takes };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        const heard = this.#inbox.slice(-12).map((entry) => entry.event).join(', ');
        reject(new Error(`${this.label} did not hear ${event}; the last it heard: ${heard}`));
      }, withinMs);
      waiter.resolve = (entry) => {
        clearTimeout(timer);
        resolve(entry);
      };
      this.#waiting.add(waiter);
    });
  }

  /** The first argument of every event of this name so far. */
  heard(event, fits = () => true) {
    return this.#inbox
      .filter((entry) => entry.event === event && fits(...entry.args))
      .map((entry) => entry.args[0]);
  }

  /** Sends an event without asking for an ack. */
  tell(event, ...args) {
    this.socket.emit(event, ...args);
  }

  /** Sends an event; resolves with its ack. */
  ask(event, ...args) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.label} got no ack for ${event}`)),
        WAIT_MS,
      );
      this.socket.emit(event, ...args, (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
    });
  }

  /** Loses the transport without a goodbye; the client reconnects by itself. */
  drop() {
    this.socket.io.engine.close();
  }

  /** Says goodbye. */
  close() {
    this.socket.close();
  }

  /** The name of the transport in use. */
  get transport() {
    return this.socket.io.engine.transport.name;
  }
}

function dial(url, { dialect, transport, token, options }) {
  const library = require(dialect.module);
  const io = library.io ?? library;
  const asked = {
    forceNew: true,
    reconnectionDelay: 20,
    reconnectionDelayMax: 200,
    ...(transport && { transports: transport }),
    ...(dialect.parser && { parser: require(dialect.parser) }),
    ...options,
  };
  // Generation 2 has no `auth`.
  if (token && dialect.generation === 2) asked.query = { ...asked.query, token };
  if (token && dialect.generation > 2) asked.auth = { token };
  return io(url, asked);
}

/** A generation 2 refusal is a text, or an object where the server adds data to it. */
function refusal(error) {
  return typeof error === 'string' ? { message: error } : { message: error?.message, data: error };
}

/** Binary as a Buffer, whatever the client calls it. */
export function bytes(value) {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`expected binary, got ${JSON.stringify(value)?.slice(0, 80)}`);
}
