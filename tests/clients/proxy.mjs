// A network between client and server that can lose a client without telling the server, cut
// everybody off, or hold what is under way.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A port that is free now. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

export class Proxy {
  #pairs = new Set();
  #listener;
  #limit;
  #isBroken = false;
  #holds = false;

  /** Leads to the server at this address, over an own one. */
  static async open(base) {
    const proxy = new Proxy();
    const port = Number(new URL(base).port);
    proxy.#listener = createServer((client) => proxy.#lead(client, port));
    proxy.#listener.listen(0, '127.0.0.1');
    await once(proxy.#listener, 'listening');
    proxy.url = `http://127.0.0.1:${proxy.#listener.address().port}`;
    return proxy;
  }

  #lead(client, port) {
    if (this.#isBroken) return client.resetAndDestroy();
    const server = connect(port, '127.0.0.1');
    const pair = { client, server };
    this.#pairs.add(pair);
    const end = () => {
      client.destroy();
      // Of who vanished the server hears nothing, not even an end.
      if (!pair.hasVanished) server.destroy();
    };
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => client.destroyed || this.#pass(client, bytes));
    [client, server].forEach((socket) => {
      socket.on('error', end).on('close', end);
      if (this.#holds) socket.pause();
    });
  }

  #pass(client, bytes) {
    if (this.#isBroken) return;
    const limit = this.#limit;
    const passed = limit ? bytes.subarray(0, limit.bytes) : bytes;
    if (limit) limit.bytes -= passed.length;
    this.#isBroken = limit?.bytes === 0;
    client.write(passed, () => this.#isBroken && this.#break());
  }

  #break() {
    this.#destroyAll();
    this.#limit?.broken();
    this.#limit = undefined;
  }

  /**
   * Lets so many more bytes through to the clients, then breaks all connections, wherever an event
   * is, and refuses new ones until it is mended. Resolves once they are broken.
   */
  breakAfter(bytes) {
    return new Promise((broken) => {
      this.#limit = { bytes, broken };
    });
  }

  /** Resets all connections, and every new one until it is mended. */
  cut() {
    this.#isBroken = true;
    this.#pairs.forEach(({ client, server }) => {
      client.resetAndDestroy();
      server.destroy();
    });
  }

  /** Passes nothing on, either way, until it is told to: connections stay open and new ones open. */
  hold() {
    this.#holds = true;
    this.#each((socket) => socket.pause());
  }

  release() {
    this.#holds = false;
    this.#each((socket) => socket.resume());
  }

  mend() {
    this.#isBroken = false;
  }

  /** Breaks the clients' connections; to the server they look as they did. */
  vanish() {
    for (const pair of this.#pairs) {
      pair.hasVanished = true;
      pair.client.destroy();
    }
  }

  #destroyAll() {
    this.#each((socket) => socket.destroy());
  }

  #each(act) {
    this.#pairs.forEach(({ client, server }) => [client, server].forEach(act));
  }

  close() {
    this.#destroyAll();
    this.#listener.close();
  }
}
