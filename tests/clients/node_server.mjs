// A server of Node's socket.io with its Redis adapter, as a team has it before it knows Roomcast.

import { createServer } from 'node:http';
import { once } from 'node:events';

import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createClient, createCluster } from 'redis';
import { Server } from 'socket.io';

/** What its adapter is made by, by the name that Roomcast has for it. */
const ADAPTERS = {
  node: (pub, sub, key) => createAdapter(pub, sub, { key }),
  'node-sharded': (pub, sub, key) =>
    createShardedAdapter(pub, sub, { channelPrefix: key, subscriptionMode: 'static' }),
};

/** A client of one Redis, or of a Redis Cluster. */
function clientOf({ url, named }) {
  const rootNodes = named?.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` }));
  return rootNodes ? createCluster({ rootNodes }) : createClient({ url });
}

/** Rooms and messages, and nothing stored. */
function chat(io, name) {
  let sent = 0;
  io.on('connection', (socket) => {
    socket.data.name = socket.handshake.auth.name;
    socket.on('join:room', (roomId, ack) => {
      socket.join(`room:${roomId}`);
      ack?.({ ok: true });
    });
    socket.on('message:send', ({ roomId, content, clientId }, ack) => {
      sent += 1;
      io.to(`room:${roomId}`).emit('message:new', { id: `${name}-${sent}`, roomId, content, clientId });
      ack?.({ ok: true });
    });
  });
}

export class NodeServer {
  #clients;
  #http;

  static async start({ redis, key, adapter = 'node', name = 'node' }) {
    const server = new NodeServer();
    const pub = clientOf(redis);
    const sub = pub.duplicate();
    server.#clients = [pub, sub];
    server.#clients.forEach((client) => client.on('error', () => {}));
    await Promise.all(server.#clients.map((client) => client.connect()));
    server.#http = createServer().listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    server.io = new Server(server.#http, { adapter: ADAPTERS[adapter](pub, sub, key) });
    server.url = `http://127.0.0.1:${server.#http.address().port}`;
    server.pub = pub;
    chat(server.io, name);
    return server;
  }

  /** How many servers it takes the cluster for. */
  count() {
    return this.io.of('/').adapter.serverCount();
  }

  /** Ends it with its connections; its adapter says goodbye first. */
  async stop() {
    if (!this.#clients[0].isOpen) return;
    await this.io.close();
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  /** It is gone at once, with no goodbye to other servers. */
  die() {
    this.#clients.forEach((client) => client.destroy());
    this.#http.closeAllConnections();
    this.#http.close();
  }
}
