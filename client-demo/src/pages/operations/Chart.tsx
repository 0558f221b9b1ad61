// One chart, drawn by uPlot in the colours of the theme.

import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { useLatest } from '../../lib/useLatest';
import { useTheme } from '../../shell/theme';
import type { Moment } from './figures';
import { second, tick } from './format';
import css from './Operations.module.css';
import type { ChartSpec } from './series';

/** What is shown at least and at most of the time that has passed, in seconds. */
const LEAST_SPAN_S = 60;
const MOST_SPAN_S = 300;
const AXIS_PX = 22;
const SCALE_PX = 52;
const FONT_PX = 11;
/** A time that stands closer to the edge would be cut off. */
const TIME_PX = 52;

interface Props {
  spec: ChartSpec;
  moments: readonly Moment[];
  /** Called with the moment that is pointed at, in this chart or another; null when none is. */
  onPoint(index: number | null): void;
}

export function Chart({ spec, moments, onPoint }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const point = useLatest(onPoint);
  const data = useMemo(() => dataOf(spec, moments), [spec, moments]);
  const latest = useLatest(data);

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const drawn = options(spec, element, (index) => point.current(index));
    const made = new uPlot(drawn, latest.current, element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize(sizeOf(element)));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
    // Colours are the theme's: another theme is another chart.
  }, [spec, theme, latest, point]);
  useEffect(() => plot.current?.setData(data), [data]);

  const label = `${spec.title}, a chart. The table at the end of the page has its figures.`;
  return <div ref={box} className={css.chart} role="img" aria-label={label} />;
}

const dataOf = (spec: ChartSpec, moments: readonly Moment[]): uPlot.AlignedData =>
  [moments.map(({ at }) => at), ...spec.series.map(({ of }) => moments.map(of))];

const sizeOf = (element: HTMLElement) => ({ width: element.clientWidth, height: element.clientHeight });

const times = (plot: uPlot, at: number[]) =>
  at.map((one) => (plot.valToPos(one, 'x') > plot.over.clientWidth - TIME_PX / 2 ? '' : second(one)));

function options(spec: ChartSpec, element: HTMLElement, onPoint: Props['onPoint']): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const font = `${FONT_PX}px ${style.getPropertyValue('--font')}`;
  const axis: uPlot.Axis = {
    stroke: color('--muted'),
    font,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  const isOne = spec.series.length === 1;
  return {
    ...sizeOf(element),
    padding: [6, 10, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: 'operations' },
      y: false,
      drag: { x: false, y: false },
      points: { size: 8, width: 0, fill: (_, n) => color(spec.series[n - 1]?.color ?? '--text') },
    },
    scales: {
      x: { range: (_, from, to) => [to - Math.min(Math.max(to - from, LEAST_SPAN_S), MOST_SPAN_S), to] },
      y: { range: (_, __, most) => [0, Math.max(spec.floor, (most ?? 0) * 1.15)] },
    },
    axes: [
      { ...axis, size: AXIS_PX, space: 90, values: times },
      { ...axis, size: SCALE_PX, space: 30, values: (_, at) => at.map((value) => tick(value, spec.unit)) },
    ],
    series: [
      {},
      ...spec.series.map(({ name, color: property, dash }): uPlot.Series => ({
        label: name,
        stroke: color(property),
        width: 2,
        dash,
        // A lone dot between two gaps would not be seen.
        points: { show: true, size: 5, fill: color('--surface') },
        fill: isOne ? `color-mix(in srgb, ${color(property)} 14%, transparent)` : undefined,
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}
