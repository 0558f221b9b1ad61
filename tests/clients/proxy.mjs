// A network between client and server that can lose a client without telling the server.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
  #pairs = new Set();
  #listener;

  /** Leads to the server at this address, over an own one. */
  static async open(base) {
    const proxy = new Proxy();
    proxy.#listener = createServer((client) => proxy.#lead(client, connect(Number(new URL(base).port), '127.0.0.1')));
    proxy.#listener.listen(0, '127.0.0.1');
    await once(proxy.#listener, 'listening');
    proxy.url = `http://127.0.0.1:${proxy.#listener.address().port}`;
    return proxy;
  }

  #lead(client, server) {
    const pair = { client, server };
    this.#pairs.add(pair);
    const end = () => {
      client.destroy();
      // Of who vanished the server hears nothing, not even an end.
      if (!pair.hasVanished) server.destroy();
    };
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => client.destroyed || client.write(bytes));
    [client, server].forEach((socket) => socket.on('error', end).on('close', end));
  }

  /** Breaks the clients' connections; to the server they look as they did. */
  vanish() {
    for (const pair of this.#pairs) {
      pair.hasVanished = true;
      pair.client.destroy();
    }
  }

  close() {
    this.#pairs.forEach(({ client, server }) => [client, server].forEach((socket) => socket.destroy()));
    this.#listener.close();
  }
}
