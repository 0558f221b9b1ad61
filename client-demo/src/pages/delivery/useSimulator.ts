// The page's own simulator: it starts by itself while nobody else moves the drivers, and makes way
// for who does.

import { useCallback, useEffect, useRef, useState } from 'react';

import { useStore } from '../../lib/store';
import { useLatest } from '../../lib/useLatest';
import { useRoute } from '../../shell/route';
import { useUsersWith } from '../../session/users';
import type { Coordinates } from './city';
import { Simulator, type SimulatorState } from './simulator';
import type { Location } from './types';
import type { Watcher } from './watcher';

/** So long nobody may have been heard before it starts; two pages must not start at the same time. */
const QUIET_MS = { least: 1_500, more: 2_000 };
const LOOK_EVERY_MS = 250;

interface Owned {
  simulator: Simulator;
  /** Whether it may start by itself. */
  isWanted: boolean;
  setWanted(isWanted: boolean): void;
}

/** Whoever the page is shown as, there is one. `#/delivery?simulator=off` leaves the drivers to others. */
export function useOwnSimulator(): Owned {
  const { params } = useRoute();
  const [simulator] = useState(() => new Simulator());
  const [isWanted, setWanted] = useState(params.get('simulator') !== 'off');
  useEffect(() => () => simulator.stop(), [simulator]);
  return { simulator, isWanted, setWanted };
}

interface Handle extends SimulatorState {
  start(): void;
  stop(): void;
  setNetwork(driverId: string, hasNetwork: boolean): void;
  /** Is to be told of every position that is heard. */
  heard(location: Location): void;
}

export function useSimulator(own: Owned, watcher: Watcher, isConnected: boolean): Handle {
  const { simulator, isWanted, setWanted } = own;
  const drivers = useUsersWith('driver');
  const state = useStore(simulator.state);
  const heardAt = useRef(0);
  const latest = useLatest(drivers);

  const start = useCallback(() => {
    const positions = new Map<string, Coordinates>();
    for (const [id, { location }] of watcher.store.get().seen) if (location) positions.set(id, location);
    simulator.start(latest.current, positions);
  }, [simulator, watcher, latest]);

  useEffect(() => {
    if (!isWanted || !isConnected || state.isRunning) return undefined;
    const since = performance.now();
    const quiet = QUIET_MS.least + Math.random() * QUIET_MS.more;
    const timer = setInterval(() => {
      if (performance.now() - Math.max(since, heardAt.current) > quiet) start();
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [isWanted, isConnected, state.isRunning, start]);

  return {
    ...state,
    start: () => {
      setWanted(true);
      start();
    },
    stop: () => {
      setWanted(false);
      simulator.stop();
    },
    setNetwork: (id, hasNetwork) => simulator.setNetwork(id, hasNetwork),
    heard: ({ timestamp }) => {
      if (simulator.isOwn(timestamp)) return;
      // What a new watcher is shown may be of a while ago.
      heardAt.current = performance.now() - Math.max(0, Date.now() - timestamp);
      if (state.isRunning) simulator.stop();
    },
  };
}
