// The server's figures as it publishes them, and what this page remembers of them.

import { createStore } from '../../lib/store';

/** Milliseconds that this share of what there was took at most. */
export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/** What the channel `dashboard:metrics` carries. */
export interface Figures {
  at: string;
  uptimeSeconds: number;
  connections: number;
  streams: number;
  pendingBytes: number;
  queuedEvents: number;
  eventsPerSecond: number;
  deliveriesPerSecond: number;
  requestsPerSecond: number;
  appendsPerSecond: number;
  dropsTotal: number;
  limitedTotal: number;
  errorsTotal: number;
  eventMs: Percentiles | null;
  appendMs: Percentiles | null;
  requestMs: Percentiles | null;
  memoryBytes: number | null;
}

export interface Moment {
  /** In seconds, as charts want it. */
  at: number;
  /** Null where the stream was cut, so that a line has a gap there. */
  figures: Figures | null;
  /** What was dropped and what was refused since the moment before; null where that is not known. */
  drops: number | null;
  refusals: number | null;
}

/** How often the server publishes. */
export const INTERVAL_S = 5;
/** Five minutes, and the gaps. */
const MOST_MOMENTS = 80;

/** They outlive the page, so that who comes back finds the chart that was left. */
export const history = createStore<readonly Moment[]>([]);

export function remember(figures: Figures): void {
  history.set((moments) => withFigures(moments, figures));
}

function withFigures(moments: readonly Moment[], figures: Figures): readonly Moment[] {
  const at = Date.parse(figures.at) / 1_000;
  const last = moments.at(-1);
  // A stream begins with the last value, which may be known.
  if (last && at <= last.at) return moments;
  const before = last?.figures;
  const isSameRun = before && figures.uptimeSeconds >= before.uptimeSeconds;
  const since = (total: (of: Figures) => number) =>
    (isSameRun ? Math.max(0, total(figures) - total(before)) : null);
  const moment: Moment = {
    at,
    figures,
    drops: since(({ dropsTotal }) => dropsTotal),
    refusals: since(({ limitedTotal }) => limitedTotal),
  };
  const hasGap = last && at - last.at > INTERVAL_S * 1.7;
  const gap = hasGap ? [{ at: last.at + INTERVAL_S, figures: null, drops: null, refusals: null }] : [];
  return [...moments, ...gap, moment].slice(-MOST_MOMENTS);
}
