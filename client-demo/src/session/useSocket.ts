// One connection by the stock client, for as long as a component is shown.

import { useCallback, useEffect, useState } from 'react';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

import { reason } from '../lib/http';
import { useLatest } from '../lib/useLatest';
import { FIRST, useAnnounced, type Link } from './link';
import { renewToken, tokenOf, type User } from './users';

export interface SocketUse {
  /** What the header calls this connection. */
  name?: string;
  /** False: no connection. */
  enabled?: boolean;
  /** Called for each event that arrives; the newest function is called, whatever render made it. */
  events?: Record<string, (...args: any[]) => void>;
  /** Called with each new socket before it connects; what it returns is called when it is given up. */
  onSocket?(socket: Socket): void | (() => void);
  /**
   * Called on each connect: joins rooms and fetches what was missed; resolves with how much that was.
   * Until then the connection counts as `connecting` or `recovering`.
   */
  onConnect?(socket: Socket): Promise<number | void> | number | void;
  options?: Partial<ManagerOptions & SocketOptions>;
}

export interface SocketHandle {
  /** Null until it is made, and where it is not enabled. */
  socket: Socket | null;
  link: Link;
  /** Ends the transport, as a dead network would, and stays offline until `restore`. */
  cut(): void;
  restore(): void;
}

/** A connection as this user; as a guest without one. */
export function useSocket(user: User | null, use: SocketUse = {}): SocketHandle {
  const { enabled = true } = use;
  const userId = user?.userId ?? null;
  const latest = useLatest(use);
  const [socket, setSocket] = useState<Socket | null>(null);
  const [link, setLink] = useState<Link>(FIRST);

  useEffect(() => {
    if (!enabled) return undefined;
    const made = io({
      autoConnect: false,
      forceNew: true,
      reconnectionDelay: 300,
      reconnectionDelayMax: 3_000,
      // The token as it is by then: a server that was started anew signs others.
      auth: (give) => give(userId === null ? {} : { token: tokenOf(userId) }),
      ...latest.current.options,
    });
    made.onAny((event: string, ...args: unknown[]) => latest.current.events?.[event]?.(...args));
    const giveUp = latest.current.onSocket?.(made);
    const watch = new Watch(made, setLink, () => latest.current.onConnect?.(made), userId);
    setSocket(made);
    setLink(FIRST);
    made.connect();
    return () => {
      watch.end();
      giveUp?.();
      made.disconnect();
      setSocket(null);
    };
  }, [userId, enabled, latest]);

  const cut = useCallback(() => {
    socket?.io.reconnection(false);
    socket?.io.engine?.close();
  }, [socket]);
  const restore = useCallback(() => {
    socket?.io.reconnection(true);
    socket?.connect();
  }, [socket]);
  useAnnounced(use.name ?? user?.name ?? 'Guest', enabled ? link : null);
  return { socket, link, cut, restore };
}

/** Follows one socket and tells how it does. */
class Watch {
  #wasConnected = false;
  #ended = false;
  /** Counts connects, so that what an earlier one began says nothing any more. */
  #round = 0;

  constructor(
    readonly socket: Socket,
    readonly tell: (next: Link | ((now: Link) => Link)) => void,
    readonly onConnect: () => Promise<number | void> | number | void,
    readonly userId: string | null,
  ) {
    socket.on('connect', () => void this.#connected());
    socket.on('disconnect', () => this.#lost());
    socket.on('connect_error', (error) => this.#refused(error));
    socket.on('auth:expiring', () => void this.#refresh());
    socket.io.on('reconnect_attempt', () => this.#phase(this.#trying));
  }

  get #trying(): Link['phase'] {
    // It goes on trying, but a browser without a network knows better.
    if (!navigator.onLine) return 'offline';
    return this.#wasConnected ? 'recovering' : 'connecting';
  }

  #phase(phase: Link['phase'], error?: string) {
    if (!this.#ended) this.tell((now) => ({ ...now, phase, error }));
  }

  async #connected() {
    const round = ++this.#round;
    const again = this.#wasConnected;
    this.#phase(this.#trying);
    try {
      const missed = await this.onConnect();
      if (round !== this.#round || this.#ended) return;
      this.#wasConnected = true;
      const sameSession = this.socket.recovered;
      this.tell({ phase: 'connected', missed: again ? (missed ?? 0) : null, sameSession });
    } catch (error) {
      // Without a connection the next connect tries again.
      if (round === this.#round && this.socket.connected) this.#phase('refused', reason(error));
    }
  }

  #lost() {
    this.#round += 1;
    const willTry = this.socket.active && this.socket.io.reconnection();
    this.#phase(willTry ? this.#trying : 'offline');
  }

  #refused(error: Error) {
    // A transport that failed is tried again; a server that refuses is not.
    if (this.socket.active) this.#phase(this.socket.io.reconnection() ? this.#trying : 'offline');
    else if (error.message === 'Invalid token') void this.#signInAgain();
    else this.#phase('refused', error.message);
  }

  async #signInAgain() {
    this.#phase(this.#trying);
    if (this.userId && await renewToken(this.userId)) {
      if (!this.#ended) this.socket.connect();
    } else {
      this.#phase('refused', 'Invalid token');
    }
  }

  async #refresh() {
    if (this.userId && await renewToken(this.userId)) this.socket.emit('auth:refresh', tokenOf(this.userId));
  }

  end() {
    this.#ended = true;
  }
}
