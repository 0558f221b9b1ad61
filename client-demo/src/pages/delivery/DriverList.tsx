// The drivers in words: how each is doing, and when that was heard.

import type { CSSProperties } from 'react';

import { clock } from '../../lib/text';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Small';
import css from './Delivery.module.css';
import type { SimulatorState } from './simulator';
import { UNSEEN, type Driver, type Seen } from './types';
import { useNow } from './useNow';

/** A report that is this late is worth a word. */
const LATE_MS = 4_000;
/** As many need not be scrolled. */
const FIT = 4;

interface Props {
  drivers: readonly Driver[];
  seen: ReadonlyMap<string, Seen>;
  simulator: SimulatorState;
  onNetwork(driverId: string, hasNetwork: boolean): void;
}

export function DriverList({ drivers, seen, simulator, onNetwork }: Props) {
  const now = useNow();
  return (
    // More than fit are scrolled, by keyboard, too.
    <ul className={css.drivers} tabIndex={drivers.length > FIT ? 0 : undefined} aria-label="Drivers">
      {drivers.map((driver) => {
        const known = seen.get(driver.id) ?? UNSEEN;
        const isSilent = simulator.silent.includes(driver.id);
        return (
          <li key={driver.id} style={{ '--hue': driver.colour } as CSSProperties}>
            <span className={css.face} data-offline={known.isOffline || undefined} aria-hidden="true">
              {driver.initial}
            </span>
            <span className={css.about}>
              <span className={css.who}>
                <strong>{driver.name}</strong>
                <State seen={known} now={now} />
              </span>
              <small>{inWords(known, now)}</small>
            </span>
            {simulator.isRunning && (
              <Button
                size="small"
                icon={isSilent ? 'plug' : 'unplug'}
                aria-label={`${isSilent ? 'Restore' : 'Cut'} ${driver.name}’s network`}
                onClick={() => onNetwork(driver.id, isSilent)}
              >
                {isSilent ? 'Restore' : 'Cut'}
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function State({ seen: { location, isOffline }, now }: { seen: Seen; now: number }) {
  if (!location) return <Badge>never seen</Badge>;
  if (isOffline) return <Badge kind="bad">offline</Badge>;
  const isLate = now - location.timestamp > LATE_MS;
  return isLate ? <Badge kind="warn">no signal</Badge> : <Badge kind="good">live</Badge>;
}

const POINTS = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west'];
const KMH = 3.6;

function inWords({ location, isOffline }: Seen, now: number): string {
  if (!location) return 'Has not reported yet';
  const { timestamp, speed = 0, heading = 0 } = location;
  if (isOffline) return `Last seen at ${clock(timestamp)}`;
  const late = now - timestamp;
  if (late > LATE_MS) return `Silent for ${Math.floor(late / 1_000)} s`;
  return `${Math.round(speed * KMH)} km/h, going ${POINTS[Math.round(heading / 45) % POINTS.length]}`;
}
