// Many sockets of one page, each over a connection of its own, which connect a few at a time: a browser
// lets those that connect wait for seconds where they are many.

import { io, type Socket } from 'socket.io-client';

import { tokenOf } from './users';

const AT_ONCE = 4;

export class Sockets {
  readonly #all = new Set<Socket>();
  readonly #connecting = new Set<Socket>();
  #waiting: Socket[] = [];

  /** One more, as this user or as a guest. It connects in its turn, but not before the caller is done. */
  add(userId: string | null): Socket {
    const socket = io({
      autoConnect: false,
      forceNew: true,
      transports: ['websocket'],
      reconnectionDelay: 300,
      reconnectionDelayMax: 3_000,
      // The token as it is by then: a server that was started anew signs others.
      auth: (give) => give(userId === null ? {} : { token: tokenOf(userId) }),
    });
    const settled = () => this.#settled(socket);
    socket.on('connect', settled);
    socket.on('connect_error', settled);
    this.#all.add(socket);
    this.#waiting.push(socket);
    queueMicrotask(() => this.#next());
    return socket;
  }

  get connected(): number {
    return [...this.#all].filter(({ connected }) => connected).length;
  }

  #next(): void {
    while (this.#connecting.size < AT_ONCE) {
      const socket = this.#waiting.shift();
      if (!socket) return;
      this.#connecting.add(socket);
      socket.connect();
    }
  }

  /** Whether it is connected or has to try again: the next one does not wait for it. */
  #settled(socket: Socket): void {
    if (this.#connecting.delete(socket)) this.#next();
  }

  /** Ends all of them, those too that wait for their turn. */
  end(): void {
    this.#waiting = [];
    this.#connecting.clear();
    this.#all.forEach((socket) => socket.disconnect());
    this.#all.clear();
  }
}
