// Counts what the server really sends to the sockets of this page about stock.

import type { Socket } from 'socket.io-client';

import { createStore } from '../../lib/store';

/** The event of a product's room, and the one by which everybody is told in the comparison. */
export const BY_ROOM = 'inventory-update';
export const TO_ALL = 'inventory-changed';

export interface Count {
  messages: number;
  /** Of the WebSocket frames that carry them. */
  bytes: number;
}

export interface Reading {
  /** Sockets that are connected and have joined their room. */
  sockets: number;
  byRoom: Count;
  toAll: Count;
  /** How often stock has changed, as its watchers heard. */
  changes: number;
  /** What each product's watchers heard about any product, by product; the most that one of them heard. */
  heard: ReadonlyMap<string, number>;
}

const NOTHING: Count = { messages: 0, bytes: 0 };
const EMPTY: Reading = { sockets: 0, byRoom: NOTHING, toAll: NOTHING, changes: 0, heard: new Map() };

/** One socket's part. */
interface Tally {
  productId: string;
  socket: Socket;
  isThere: boolean;
  byRoom: Count;
  toAll: Count;
}

export class Meter {
  readonly store = createStore<Reading>(EMPTY);
  readonly #tallies = new Set<Tally>();
  #frame = 0;

  /** Counts on this socket, which looks at this product, from when it says that it is there. */
  add(socket: Socket, productId: string): { there(): void; end(): void } {
    const tally: Tally = { productId, socket, isThere: false, byRoom: NOTHING, toAll: NOTHING };
    this.#tallies.add(tally);
    socket.io.on('open', () => {
      socket.io.engine.on('packet', ({ type, data }: { type: string; data?: unknown }) => {
        if (type === 'message' && typeof data === 'string' && tally.isThere) this.#count(tally, data);
      });
    });
    const set = (isThere: boolean) => {
      tally.isThere = isThere;
      this.#changed();
    };
    socket.on('disconnect', () => set(false));
    return {
      there: () => set(true),
      end: () => {
        this.#tallies.delete(tally);
        this.#changed();
      },
    };
  }

  /** The ids of the sockets that are there. */
  get ids(): string[] {
    return this.#there.flatMap(({ socket }) => socket.id ?? []);
  }

  /** How many look at this product. */
  watchers(productId: string): number {
    return this.#there.filter((tally) => tally.productId === productId).length;
  }

  /** The count of this moment. */
  read(): Reading {
    const tallies = [...this.#tallies];
    const most = (of: (tally: Tally) => number) => {
      const found = new Map<string, number>();
      for (const tally of tallies) {
        found.set(tally.productId, Math.max(found.get(tally.productId) ?? 0, of(tally)));
      }
      return found;
    };
    // Whoever looks at a product hears each of its changes, so one of its watchers has heard them all.
    const changes = most(({ byRoom }) => byRoom.messages);
    return {
      sockets: this.#there.length,
      byRoom: sum(tallies.map(({ byRoom }) => byRoom)),
      toAll: sum(tallies.map(({ toAll }) => toAll)),
      changes: [...changes.values()].reduce((all, one) => all + one, 0),
      heard: most(({ byRoom, toAll }) => byRoom.messages + toAll.messages),
    };
  }

  reset(): void {
    for (const tally of this.#tallies) {
      tally.byRoom = NOTHING;
      tally.toAll = NOTHING;
    }
    this.#changed();
  }

  get #there(): Tally[] {
    return [...this.#tallies].filter(({ isThere }) => isThere);
  }

  #count(tally: Tally, data: string) {
    const more = ({ messages, bytes }: Count): Count => ({
      messages: messages + 1,
      bytes: bytes + frameBytes(data),
    });
    if (data.startsWith(`2["${BY_ROOM}"`)) tally.byRoom = more(tally.byRoom);
    else if (data.startsWith(`2["${TO_ALL}"`)) tally.toAll = more(tally.toAll);
    else return;
    this.#changed();
  }

  /** Told once a frame, however much has come. */
  #changed() {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.store.set(this.read());
    });
  }
}

const sum = (counts: readonly Count[]): Count => ({
  messages: counts.reduce((all, { messages }) => all + messages, 0),
  bytes: counts.reduce((all, { bytes }) => all + bytes, 0),
});

const text = new TextEncoder();
/** A frame from a server has a head of 2 bytes, of 4 from this length on. */
const SHORT_FRAME = 126;

/** The frame of a message: Engine.IO puts its type, one digit, before the data. */
function frameBytes(data: string): number {
  const length = 1 + text.encode(data).length;
  return length + (length < SHORT_FRAME ? 2 : 4);
}
