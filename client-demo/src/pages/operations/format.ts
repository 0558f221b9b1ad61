// Figures as people read them.

import { number } from '../../lib/text';
import type { Unit } from './series';

export const NOTHING = '–';

const FEW = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const MANY = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const SMALL = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 });
const SECONDS = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
});

export const MIB = 2 ** 20;
const KIB = 2 ** 10;

export const second = (at: number): string => SECONDS.format(at * 1_000);

/** A figure with its unit; a dash where there is none. */
export function amount(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return NOTHING;
  switch (unit) {
    case 'count':
      return number(value);
    case 'rate':
      return value < 100 ? FEW.format(value) : number(Math.round(value));
    case 'ms':
      return `${value < 10 ? SMALL.format(value) : number(Math.round(value))} ms`;
    case 'MB':
      return `${FEW.format(value)} MB`;
  }
}

/** The same where there is little space: along an axis. */
export function tick(value: number, unit: Unit): string {
  const short = value < 1_000 ? FEW.format(value) : MANY.format(value);
  return unit === 'ms' || unit === 'MB' ? `${short} ${unit}` : short;
}

/** So many bytes; a dash where that is not known. */
export function bytes(value: number | undefined): string {
  if (value === undefined) return NOTHING;
  if (value >= MIB) return `${FEW.format(value / MIB)} MB`;
  return value >= KIB ? `${FEW.format(value / KIB)} KB` : `${number(value)} B`;
}

/** `3 h 20 min`, `4 min 5 s`. */
export function duration(seconds: number): string {
  const [h, min, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (h > 0) return `${h} h ${min} min`;
  return min > 0 ? `${min} min ${s} s` : `${s} s`;
}
