// What one watcher has heard of drivers.

import { createStore } from '../../lib/store';
import { Fleet } from './fleet';
import { UNSEEN, type Location, type Seen } from './types';

export interface Watched {
  /** By driver. */
  seen: ReadonlyMap<string, Seen>;
  /** From the question to the first position, in milliseconds; null before that. */
  firstAfterMs: number | null;
}

export class Watcher {
  readonly store = createStore<Watched>({ seen: new Map(), firstAfterMs: null });
  /** What the markers of a map follow. */
  readonly fleet = new Fleet();
  #askedAt = 0;

  /** The watcher asks to see them now. */
  ask(): void {
    this.#askedAt = performance.now();
  }

  of(driverId: string): Seen {
    return this.store.get().seen.get(driverId) ?? UNSEEN;
  }

  /** Takes a position; whether it is news. */
  hear(location: Location): boolean {
    const { location: known, updates, isOffline } = this.of(location.driverId);
    if (known && known.timestamp >= location.timestamp && !isOffline) return false;
    this.fleet.hear(location);
    this.#set(location.driverId, { location, isOffline: false, updates: updates + 1 });
    return true;
  }

  /** The position of this time, or of an earlier one, has lapsed; whether that is news. */
  lose(driverId: string, lastSeen: number): boolean {
    const now = this.of(driverId);
    if (!now.location || now.isOffline || now.location.timestamp > lastSeen) return false;
    this.#set(driverId, { ...now, isOffline: true });
    return true;
  }

  #set(driverId: string, now: Seen) {
    this.store.set(({ seen, firstAfterMs }) => ({
      seen: new Map(seen).set(driverId, now),
      firstAfterMs: firstAfterMs ?? performance.now() - this.#askedAt,
    }));
  }
}
