// A customer's phone: one driver on a map that moves along with them.

import { useEffect, useId, useMemo, useRef, type ReactNode } from 'react';

import { clock, count } from '../../lib/text';
import type { User } from '../../session/users';
import { IconButton } from '../../ui/Button';
import { CutButton, LinkState } from '../../ui/LinkState';
import { between, distance, HEIGHT, junction, toPoint, WIDTH, type Point } from './city';
import { CityMap } from './CityMap';
import css from './Delivery.module.css';
import type { Fleet } from './fleet';
import { UNSEEN, type Driver, type Seen } from './types';
import { useWatching } from './useWatching';

interface Props {
  user: User;
  driver: Driver;
  onClose(): void;
}

/** In metres. */
const AT_THE_DOOR = 50;

/** Where customers live: half-way between two junctions. */
const DOORS: Record<string, readonly [string, string]> = {
  alice: ['E2', 'E3'],
  bob: ['C4', 'C5'],
  carol: ['G5', 'H5'],
};

function doorOf(userId: string): Point {
  const [one, other] = DOORS[userId] ?? ['F2', 'F3'];
  return between(junction(one), junction(other), 0.5);
}

export function Customer({ user, driver, onClose }: Props) {
  const id = useId();
  const drivers = useMemo(() => [driver], [driver]);
  const watching = useWatching(user, drivers, `${user.name}, a customer`);
  const { seen, watcher, firstAfterMs, link } = watching;
  const now = seen.get(driver.id) ?? UNSEEN;
  const door = doorOf(user.userId);
  return (
    <section className={css.customer} aria-labelledby={id}>
      <div className={css.customerHead}>
        <h3 id={id}>{user.name} waits for {driver.name}</h3>
        <IconButton label={`${user.name} leaves`} icon="close" size="small" onClick={onClose} />
      </div>
      <Camera fleet={watcher.fleet} driverId={driver.id} door={door}>
        <CityMap label={`Map around ${driver.name}`} fleet={watcher.fleet} drivers={drivers} seen={seen}>
          <Door at={door} />
        </CityMap>
      </Camera>
      <div className={css.customerFoot}>
        <p className={css.waiting} data-offline={now.isOffline || undefined}>{inWords(driver, now, door)}</p>
        <p className={css.measured}>
          {firstAfterMs === null ? 'No position yet' : `Position ${inMs(firstAfterMs)} after joining`}
          {', '}
          {count(now.updates, 'update')} heard
        </p>
        <div className={css.customerLink}>
          <LinkState link={link} />
          <CutButton {...watching} size="small" />
        </div>
      </div>
    </section>
  );
}

const inMs = (ms: number) => `${Math.max(1, Math.round(ms))} ms`;

function inWords({ name }: Driver, { location, isOffline }: Seen, door: Point): string {
  if (!location) return `Where ${name} is, is not known`;
  if (isOffline) return `${name} is offline, last seen at ${clock(location.timestamp)}`;
  const metres = Math.round(distance(toPoint(location), door) / 10) * 10;
  return metres < AT_THE_DOOR ? `${name} is at the door` : `${name} is ${metres} m from the door`;
}

function Door({ at: [x, y] }: { at: Point }) {
  return (
    <g className={css.door} transform={`translate(${x} ${y})`}>
      <circle r="17" />
      <path d="M-9 0L0-8L9 0M-6-2V8H6V-2" />
    </g>
  );
}

interface CameraProps {
  fleet: Fleet;
  driverId: string;
  /** Is shown until the driver is known. */
  door: Point;
  children: ReactNode;
}

/** Shows the part of the map that the driver is in. */
function Camera({ fleet, driverId, door, children }: CameraProps) {
  const frame = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLDivElement>(null);
  const [doorX, doorY] = door;

  useEffect(() => {
    const look = (now: number) => {
      if (!frame.current || !ground.current) return;
      const [x, y] = fleet.glides.get(driverId)?.at(now) ?? [doorX, doorY];
      const { clientWidth, clientHeight } = frame.current;
      const left = offset(x, clientWidth, WIDTH);
      const top = offset(y, clientHeight, HEIGHT);
      ground.current.style.transform = `translate(${-left}px, ${-top}px)`;
    };
    const observer = new ResizeObserver(() => look(performance.now()));
    if (frame.current) observer.observe(frame.current);
    const end = fleet.onFrame(look);
    return () => {
      observer.disconnect();
      end();
    };
  }, [fleet, driverId, doorX, doorY]);

  return (
    <div className={css.camera} ref={frame}>
      <div className={css.ground} ref={ground} style={{ width: WIDTH, height: HEIGHT }}>{children}</div>
    </div>
  );
}

/** How far the view is moved so that this is in its middle, but nothing beyond the city is shown. */
const offset = (middle: number, view: number, whole: number) =>
  Math.round(Math.min(Math.max(middle - view / 2, 0), Math.max(0, whole - view)) * 10) / 10;
