// The same changes of stock told in two ways, on one server and to the same stock clients: to each
// product's room, and to everybody. What the clients got is counted, and what their sockets read.

import { createRequire } from 'node:module';

import { API_KEY, Server, request } from '../../tests/clients/server.mjs';

const require = createRequire(new URL('../../tests/clients/client.mjs', import.meta.url));
const { io } = require('sio-4-8');

const EVENT = 'inventory-update';
const CONNECT_LIMIT_MS = 20_000;
const ARRIVAL_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 5;
/** So that the server is busy and requests do not wait for each other. */
const AT_ONCE = 4;

/** Somebody who looks at one product. */
class Watcher {
  heard = 0;

  constructor(url, productId) {
    this.productId = productId;
    this.socket = io(url, { forceNew: true, transports: ['websocket'] });
    this.socket.on(EVENT, () => {
      this.heard += 1;
    });
  }

  async join() {
    const asking = this.socket.timeout(CONNECT_LIMIT_MS);
    const { ok } = await asking.emitWithAck('join-product-room', this.productId);
    if (!ok) throw new Error(`${this.productId} cannot be watched`);
  }

  /** All that its socket has read since it was opened. */
  get bytes() {
    return this.socket.io.engine.transport.ws._socket.bytesRead;
  }
}

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));

async function forEach(all, act) {
  const left = [...all];
  const one = async () => {
    for (let item = left.shift(); item; item = left.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** Tells all changes; the messages that came of it, and the bytes. */
async function told(watchers, changes, tell, expected) {
  const [messages, bytes] = [sum(watchers.map(({ heard }) => heard)), sum(watchers.map((one) => one.bytes))];
  const heard = () => sum(watchers.map((one) => one.heard)) - messages;
  await forEach(changes, tell);
  const end = Date.now() + ARRIVAL_LIMIT_MS;
  while (heard() < expected) {
    if (Date.now() > end) throw new Error(`${heard()} of ${expected} messages came`);
    await pause();
  }
  return { messages: heard(), bytes: sum(watchers.map((one) => one.bytes)) - bytes };
}

/** Answers `{connecting, byRoom, toAll}`; `connecting` is what it took to connect and to join, in bytes. */
export async function measure({ watchers: count, products: kinds, changes: amount }) {
  const server = await Server.start({ ROOMCAST_AUTH__GUESTS: 'true' });
  const products = Array.from({ length: kinds }, (_, n) => `sku-${1001 + n}`);
  const watchers = [];
  try {
    const send = async (method, path, body, status) => {
      const answer = await request(server.url, method, path, { as: API_KEY, body });
      if (answer.status !== status) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    };
    for (let n = 0; n < count; n += 1) watchers.push(new Watcher(server.url, products[n % kinds]));
    await Promise.all(watchers.map((watcher) => watcher.join()));
    const connecting = sum(watchers.map(({ bytes }) => bytes));
    const change = (n) => ({ productId: products[n % kinds], newInventory: 100 + n });
    const changes = Array.from({ length: amount }, (_, n) => change(n));
    const lookAt = (id) => watchers.filter(({ productId }) => productId === id).length;
    const byRoom = await told(
      watchers,
      changes,
      ({ productId, newInventory }) =>
        send('PUT', `/api/products/${productId}/inventory`, { newInventory }, 204),
      sum(changes.map(({ productId }) => lookAt(productId))),
    );
    const sockets = watchers.map(({ socket }) => socket.id);
    const toAll = await told(
      watchers,
      changes,
      // Who is told of every product must be told of which.
      (change) => send('POST', '/api/emit', { event: EVENT, args: [change], to: { sockets } }, 202),
      changes.length * count,
    );
    return { connecting, byRoom, toAll };
  } finally {
    watchers.forEach(({ socket }) => socket.disconnect());
    await server.stop();
  }
}

/** By how much `part` is less than `whole`, in percent. */
export const saved = (part, whole) => Math.round((1 - part / whole) * 100);
