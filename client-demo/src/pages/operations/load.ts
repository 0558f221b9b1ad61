// Load that this browser makes: many sockets that chat in a room of their own.

import type { Socket } from 'socket.io-client';

import { ask } from '../../lib/ask';
import { reason } from '../../lib/http';
import { createStore } from '../../lib/store';
import { Sockets } from '../../session/sockets';
import type { User } from '../../session/users';

export const SIZES = ['10', '25', '50'] as const;
export type Size = (typeof SIZES)[number];

/** Nobody else's conversation is disturbed. */
const ROOM = 'scratch';
const EACH_EVERY_MS = 1_000;
const TELL_EVERY_MS = 1_000;
/** Nobody forgets it running. */
const LIMIT_MS = 120_000;

export interface LoadState {
  isOn: boolean;
  wanted: number;
  joined: number;
  /** In the last second: messages that were acknowledged, and how many of them arrived here. */
  sent: number;
  heard: number;
  /** The time that half of the acknowledgements took at most; null while there were none. */
  medianMs: number | null;
  failure: string;
}

const OFF: LoadState = { isOn: false, wanted: 0, joined: 0, sent: 0, heard: 0, medianMs: null, failure: '' };

export class Load {
  readonly store = createStore<LoadState>(OFF);
  readonly #sockets = new Sockets();
  #timers: number[] = [];
  #took: number[] = [];
  #heard = 0;

  /** So many sockets, shared out among these users, each with a message a second. */
  start(size: Size, users: User[]): void {
    this.stop();
    const wanted = Number(size);
    this.store.set({ ...OFF, isOn: true, wanted });
    for (let n = 0; n < wanted; n += 1) {
      const user = users[n % users.length];
      if (user) this.#open(user.userId, (n / wanted) * EACH_EVERY_MS);
    }
    this.#timers.push(
      window.setInterval(() => this.#tell(), TELL_EVERY_MS),
      window.setTimeout(() => this.stop(), LIMIT_MS),
    );
  }

  #open(userId: string, delayMs: number): void {
    const socket = this.#sockets.add(userId);
    socket.on('connect', () => void this.#enter(socket, delayMs));
    socket.on('message:new', () => {
      this.#heard += 1;
    });
    socket.on('connect_error', (error) => {
      if (!socket.active) this.stop(`A socket was refused: ${error.message}`);
    });
  }

  async #enter(socket: Socket, delayMs: number): Promise<void> {
    try {
      await ask(socket, 'join:room', ROOM);
      this.store.set((now) => ({ ...now, joined: this.#sockets.connected }));
      // Spread over the second, and never twice after a reconnect.
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      while (socket.connected) {
        await this.#send(socket);
        await new Promise((resolve) => setTimeout(resolve, EACH_EVERY_MS));
      }
    } catch (error) {
      if (socket.connected) this.stop(`The load ended: ${reason(error)}`);
    }
  }

  async #send(socket: Socket): Promise<void> {
    const began = performance.now();
    await ask(socket, 'message:send', { roomId: ROOM, content: 'Any news?' });
    this.#took.push(performance.now() - began);
  }

  #tell(): void {
    const took = this.#took.toSorted((a, b) => a - b);
    const heard = this.#heard;
    this.#took = [];
    this.#heard = 0;
    this.store.set((now) => ({
      ...now,
      joined: this.#sockets.connected,
      heard,
      sent: took.length,
      medianMs: took[Math.floor(took.length / 2)] ?? null,
    }));
  }

  stop(failure = ''): void {
    this.#timers.forEach((timer) => {
      clearInterval(timer);
      clearTimeout(timer);
    });
    this.#timers = [];
    this.#sockets.end();
    this.store.set({ ...OFF, failure });
  }
}
