// What is drawn: which figure in which chart, in which colour, in which unit.

import type { Figures, Moment } from './figures';
import { MIB } from './format';

export type Unit = 'count' | 'rate' | 'ms' | 'MB';

export interface Series {
  name: string;
  /** As the table calls it, where charts of several units stand side by side. */
  column: string;
  /** A custom property of the theme. */
  color: `--c${1 | 2 | 3 | 4 | 5 | 6}`;
  /** Lines that lie close together are told apart by more than their colour. */
  dash?: number[];
  of(moment: Moment): number | null;
}

/** A figure, where there is one at that moment. */
const figure = (of: (figures: Figures) => number | null | undefined) => ({ figures }: Moment) =>
  (figures ? of(figures) ?? null : null);

export interface ChartSpec {
  title: string;
  unit: Unit;
  /** The least that the vertical axis reaches up to: noise is not to look like mountains. */
  floor: number;
  series: Series[];
}

/** Lines that may lie on each other. */
const DASHED = [6, 3];
const DOTTED = [2, 3];

export const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Connections',
    unit: 'count',
    floor: 10,
    series: [
      { name: 'Sockets', column: 'Sockets', color: '--c1', of: figure((of) => of.connections) },
      { name: 'Streams', column: 'Streams', color: '--c2', dash: DASHED, of: figure((of) => of.streams) },
    ],
  },
  {
    title: 'Events per second',
    unit: 'rate',
    floor: 10,
    series: [
      { name: 'Events', column: 'Events/s', color: '--c1', of: figure((of) => of.eventsPerSecond) },
      {
        name: 'HTTP requests', column: 'HTTP/s', color: '--c2', dash: DASHED,
        of: figure((of) => of.requestsPerSecond),
      },
    ],
  },
  {
    title: 'Deliveries per second',
    unit: 'rate',
    floor: 50,
    series: [
      {
        name: 'Deliveries', column: 'Deliveries/s', color: '--c1',
        of: figure((of) => of.deliveriesPerSecond),
      },
    ],
  },
  {
    title: 'Time to answer an event',
    unit: 'ms',
    floor: 5,
    series: [
      { name: 'p50', column: 'p50', color: '--c1', of: figure((of) => of.eventMs?.p50) },
      { name: 'p95', column: 'p95', color: '--c5', dash: DASHED, of: figure((of) => of.eventMs?.p95) },
      { name: 'p99', column: 'p99', color: '--c4', dash: DOTTED, of: figure((of) => of.eventMs?.p99) },
    ],
  },
  {
    title: 'Memory',
    unit: 'MB',
    floor: 50,
    series: [
      {
        name: 'Resident', column: 'Memory', color: '--c3',
        of: figure((of) => (of.memoryBytes === null ? null : of.memoryBytes / MIB)),
      },
    ],
  },
  {
    title: 'Dropped and refused, in 5 s',
    unit: 'count',
    floor: 5,
    series: [
      { name: 'Dropped', column: 'Dropped', color: '--c4', of: ({ drops }) => drops },
      { name: 'By limits', column: 'Refused', color: '--c2', dash: DASHED, of: ({ refusals }) => refusals },
    ],
  },
];
