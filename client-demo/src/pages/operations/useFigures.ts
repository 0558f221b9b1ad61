// The server's figures, live, and whether they still are.

import { useEffect, useState } from 'react';

import { useStore } from '../../lib/store';
import { useStream, type StreamHandle } from '../../session/useStream';
import type { User } from '../../session/users';
import { INTERVAL_S, history, remember, type Figures, type Moment } from './figures';

/** Two that did not come: no hiccup any more. */
const STALE_AFTER_MS = INTERVAL_S * 2.4 * 1_000;
const LOOK_EVERY_MS = 1_000;

export interface Live {
  moments: readonly Moment[];
  /** The newest, perhaps of long ago. */
  latest: Figures | null;
  isStale: boolean;
  /** How long ago the newest came; null before the first one. */
  ageSeconds: number | null;
  stream: StreamHandle;
}

export function useFigures(user: User | null): Live {
  const moments = useStore(history);
  const [heardAt, setHeardAt] = useState<number | null>(null);
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);

  const heard = (figures: Figures) => {
    remember(figures);
    setHeardAt(performance.now());
    setNow(performance.now());
  };
  const stream = useStream('/events/stream/dashboard:metrics', user, {
    name: 'Figures',
    events: { initial: heard, update: heard },
  });
  const isConnected = stream.link.phase === 'connected';
  const age = heardAt === null ? null : Math.max(0, now - heardAt);
  return {
    moments,
    latest: moments.at(-1)?.figures ?? null,
    isStale: moments.length > 0 && !(isConnected && age !== null && age < STALE_AFTER_MS),
    ageSeconds: age === null ? null : Math.round(age / 1_000),
    stream,
  };
}
