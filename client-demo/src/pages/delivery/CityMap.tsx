// The map: drawn from the city's own data, without a tile. What moves on it is drawn frame by frame,
// past React.

import { memo, useEffect, useId, useRef, type CSSProperties, type ReactNode } from 'react';

import { buildings, trees } from './buildings';
import { HEIGHT, line, PARKS, RIVER, STREETS, WAYS_OUT, WIDTH, type Point } from './city';
import css from './Delivery.module.css';
import type { Fleet } from './fleet';
import type { Driver, Seen } from './types';

interface Props {
  /** What it shows, for those who do not see it. */
  label: string;
  fleet: Fleet;
  drivers: readonly Driver[];
  seen: ReadonlyMap<string, Seen>;
  /** More to draw, above the streets and below the drivers. */
  children?: ReactNode;
}

export function CityMap({ label, fleet, drivers, seen, children }: Props) {
  return (
    <svg className={css.map} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <Streets />
      {children}
      {drivers.map((driver) => {
        const { location, isOffline } = seen.get(driver.id) ?? {};
        return location && <Marker key={driver.id} driver={driver} fleet={fleet} isOffline={isOffline} />;
      })}
    </svg>
  );
}

const HOUSES = buildings();
const TREES = trees();
const GREEN = PARKS.map(({ path }) => path).join('');
const ALL = STREETS.map(({ path }) => path).join('') + WAYS_OUT;
const MAIN = STREETS.filter(({ kind }) => kind === 'main');
const MAINS = MAIN.map(({ path }) => path).join('');

/** Never changes, so it is drawn once. */
const Streets = memo(function Streets() {
  const id = useId();
  return (
    <>
      <rect className={css.land} width={WIDTH} height={HEIGHT} />
      <path className={css.park} d={GREEN} />
      <path className={css.trees} d={TREES} />
      <path className={css.water} d={RIVER.path} strokeWidth={RIVER.width} />
      <path className={css.houses} d={HOUSES} />
      <path className={css.street} d={ALL} strokeWidth={13} />
      <path className={css.street} d={MAINS} strokeWidth={21} />
      {MAIN.map(({ name, path }, n) => (
        <g key={name}>
          <path id={`${id}${n}`} d={path} fill="none" />
          <text className={css.streetName} dy="4.5">
            <textPath href={`#${id}${n}`} startOffset="27%">{name}</textPath>
          </text>
        </g>
      ))}
    </>
  );
});

interface MarkerProps {
  driver: Driver;
  fleet: Fleet;
  isOffline: boolean | undefined;
}

function Marker({ driver, fleet, isOffline }: MarkerProps) {
  const marker = useRef<SVGGElement>(null);
  const arrow = useRef<SVGPathElement>(null);
  const trail = useRef<SVGPathElement>(null);

  useEffect(() => fleet.onFrame((now) => {
    const glide = fleet.glides.get(driver.id);
    if (!glide) return;
    const at = glide.at(now);
    marker.current?.setAttribute('transform', `translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})`);
    arrow.current?.setAttribute('transform', `rotate(${glide.heading.toFixed(0)})`);
    trail.current?.setAttribute('d', line([...glide.trail, at].map(tenths)));
  }), [fleet, driver.id]);

  const style = { '--hue': driver.colour } as CSSProperties;
  return (
    <g className={css.driver} data-offline={isOffline || undefined} style={style}>
      <path className={css.trail} ref={trail} />
      <g ref={marker} data-driver={driver.id}>
        <g className={css.pin}>
          <path className={css.arrow} ref={arrow} d="M0-30L10-15H-10z" />
          <circle className={css.disc} r="17" />
          <text className={css.initial} dy="6.5">{driver.initial}</text>
        </g>
      </g>
    </g>
  );
}

const tenths = ([x, y]: Point): Point => [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
