// What the server tells of drivers, and what the page makes of it.

import type { Coordinates } from './city';

/** What `location-update` carries. */
export interface Location extends Coordinates {
  driverId: string;
  /** When it was measured, in milliseconds since 1970. */
  timestamp: number;
  /** Degrees clockwise from north. */
  heading?: number;
  /** Metres a second. */
  speed?: number;
}

/** What `driver-offline` carries. */
export interface Silence {
  driverId: string;
  lastSeen: string;
}

export interface Driver {
  id: string;
  name: string;
  /** What a marker has room for. */
  initial: string;
  /** A colour: `var(--c1)` and so on. */
  colour: string;
}

/** What a watcher knows of a driver. */
export interface Seen {
  /** The newest position; null: none was ever heard. */
  location: Location | null;
  /** Whether the position has lapsed, as the server says. */
  isOffline: boolean;
  /** How many positions have been heard. */
  updates: number;
}

export const UNSEEN: Seen = { location: null, isOffline: false, updates: 0 };
