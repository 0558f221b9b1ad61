// Delivery: drivers on a map as a dispatcher sees them, and customers who join late.

import { useState } from 'react';

import { clock } from '../../lib/text';
import { useUsersWith, type User } from '../../session/users';
import { setParams, useRoute } from '../../shell/route';
import { Button } from '../../ui/Button';
import { CutButton, LinkState } from '../../ui/LinkState';
import { PageHead, Panel } from '../../ui/Panel';
import { Segments } from '../../ui/Segments';
import { CityMap } from './CityMap';
import { Customers } from './Customers';
import css from './Delivery.module.css';
import { DriverList } from './DriverList';
import { driversOf } from './drivers';
import type { Driver } from './types';
import { useOwnSimulator, useSimulator } from './useSimulator';
import { useWatching } from './useWatching';

export default function Delivery() {
  const people = useUsersWith();
  const { params } = useRoute();
  const user = people.find(({ userId }) => userId === params.get('as')) ?? people[0];
  const staff = useUsersWith('driver');
  const drivers = driversOf(staff, Number(params.get('drivers')) || 0);
  const own = useOwnSimulator();
  if (!user) return null;
  return <Dispatch key={user.userId} user={user} people={people} drivers={drivers} own={own} />;
}

interface Props {
  user: User;
  people: readonly User[];
  drivers: readonly Driver[];
  own: ReturnType<typeof useOwnSimulator>;
}

function Dispatch({ user, people, drivers, own }: Props) {
  const [news, setNews] = useState('');
  const [heard, setHeard] = useState<Heard | null>(null);
  const watching = useWatching(user, drivers, user.name, {
    onLocation: (location) => {
      simulator.heard(location);
      setHeard({ name: 'location-update', payload: location });
    },
    onSilence: (id) => setNews(`${nameOf(drivers, id)} went offline at ${clock(Date.now())}.`),
    onReturn: (id) => setNews(`${nameOf(drivers, id)} is back since ${clock(Date.now())}.`),
  });
  const simulator = useSimulator(own, watching.watcher, watching.link.phase === 'connected');
  const { seen, watcher } = watching;

  const actions = (
    <>
      <Segments
        legend="You are"
        value={user.userId}
        options={people.map(({ userId, name }) => ({ value: userId, label: name }))}
        onChange={(as) => setParams({ as })}
      />
      {simulator.isRunning
        ? <Button icon="pause" onClick={simulator.stop}>Stop the drivers</Button>
        : <Button icon="play" onClick={simulator.start}>Start the drivers</Button>}
    </>
  );
  const connection = (
    <>
      <LinkState link={watching.link} />
      <CutButton {...watching} size="small" />
    </>
  );
  return (
    <>
      <PageHead title="Delivery" actions={actions}>
        Drivers’ phones post their position every second. Who watches a driver hears it, who comes
        late sees the last one at once, and all are told when a phone falls silent.
      </PageHead>
      <div className={css.page}>
        <Panel title={`${user.name}’s map`} className={css.mapPanel} actions={connection} flush>
          <CityMap
            label={`Map with ${drivers.length} drivers, who are listed beside it`}
            fleet={watcher.fleet}
            drivers={drivers}
            seen={seen}
          />
        </Panel>
        <Panel title="Drivers" className={css.driverPanel} flush>
          <DriverList drivers={drivers} seen={seen} simulator={simulator} onNetwork={simulator.setNetwork} />
          <p className={css.news} role="status">
            {news || <>Or from a shell: <code>roomcast simulate drivers</code></>}
          </p>
          <LastHeard event={heard} />
        </Panel>
        <Customers people={people.filter((one) => one !== user)} drivers={drivers} />
      </div>
    </>
  );
}

function nameOf(drivers: readonly Driver[], id: string): string {
  return drivers.find((driver) => driver.id === id)?.name ?? id;
}

interface Heard {
  name: string;
  payload: object;
}

/** The newest event as it came, for developers. */
function LastHeard({ event }: { event: Heard | null }) {
  return (
    <div className={css.wire}>
      <h3>Last event</h3>
      <pre>
        <b>{event?.name ?? '…'}</b>
        {event && `\n${JSON.stringify(event.payload, null, 1).slice(2, -2)}`}
      </pre>
    </div>
  );
}
