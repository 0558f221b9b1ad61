// One connection of the stock client, and what became of it.

import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';

import { GOODBYE_LIMIT_MS, SETTLE_MS } from './limits.mjs';
import { shape } from './shape.mjs';

/** No server has this namespace; being told so shows that it has read all that came before. */
const FENCE = '/doctor-no-such-namespace';
const CONNECT_PACKET = 0;

export class Line {
  /** Every event that was heard: `{event, args}`. */
  heard = [];
  /** What the client told on 'disconnect'. */
  lost;

  constructor(url, options, limitMs) {
    this.limitMs = limitMs;
    this.socket = io(url, { forceNew: true, reconnection: false, timeout: limitMs, ...options });
    this.socket.onAny((event, ...args) => this.heard.push({ event, args }));
    this.socket.on('disconnect', (reason) => {
      this.lost = reason;
    });
    this.socket.io.engine.on('handshake', (handshake) => {
      this.handshake = handshake;
    });
    this.socket.io.on('packet', ({ type, nsp, data }) => {
      if (type === CONNECT_PACKET && nsp === '/') this.welcome = data;
    });
    /** `{isConnected, isAnswered, text}`, in any case. */
    this.outcome = this.opened();
  }

  /** How the next attempt to connect ends. */
  opened() {
    const { socket } = this;
    return new Promise((resolve) => {
      const told = (outcome) => {
        clearTimeout(timer);
        socket.off('connect', connected).off('connect_error', refused).off('disconnect', closed);
        resolve(outcome);
      };
      const connected = () => told({ isConnected: true, isAnswered: true, text: 'connected' });
      const refused = (error) => told(refusal(error));
      const closed = (reason) => told({ text: `closed: ${reason}` });
      // The client has its own limit for the transport, and none for the namespace.
      const timer = setTimeout(() => told({ text: 'no answer' }), this.limitMs);
      socket.on('connect', connected).on('connect_error', refused).on('disconnect', closed);
    });
  }

  /** The arguments of the ack, or undefined where none comes in time. */
  ask(event, args, waitMs) {
    return new Promise((resolve) => {
      const done = (reply) => {
        clearTimeout(timer);
        this.socket.off('disconnect', gone);
        resolve(reply);
      };
      const gone = () => done();
      const timer = setTimeout(gone, waitMs);
      this.socket.on('disconnect', gone);
      this.socket.emit(event, ...args, (...reply) => done(reply));
    });
  }

  /** Waits a moment for what comes by itself, and takes it. */
  async take() {
    await sleep(SETTLE_MS);
    return this.heard.splice(0);
  }

  /** Whether the server has read all that was sent, and the connection is still there. */
  async remains() {
    if (this.lost) return `closed: ${this.lost}`;
    const fence = this.socket.io.socket(FENCE);
    const isRead = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.limitMs);
      const done = (isRead) => () => {
        clearTimeout(timer);
        resolve(isRead);
      };
      fence.once('connect', done(true)).once('connect_error', done(true));
      this.socket.once('disconnect', done(false));
      if (this.lost) done(false)();
    });
    fence.removeAllListeners().disconnect();
    if (this.lost) return `closed: ${this.lost}`;
    return isRead ? 'stays' : 'stays, but the server says nothing more';
  }

  /** Says goodbye; resolves once it is said, or cannot be. */
  async close() {
    const { engine } = this.socket.io;
    const closed = new Promise((resolve) => engine.once('close', resolve));
    this.socket.disconnect();
    engine.close();
    if (engine.readyState !== 'closed') await Promise.race([closed, sleep(GOODBYE_LIMIT_MS)]);
  }
}

/** Refused by the server, or not even reached. */
function refusal(error) {
  if (!Object.hasOwn(error, 'data')) return { text: `no connection: ${error.message}` };
  const data = error.data === undefined ? '' : `, data ${shape(error.data)}`;
  return { isAnswered: true, text: `refused: ${JSON.stringify(error.message)}${data}` };
}
