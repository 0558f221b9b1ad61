// Makes some load, so that the charts have something to show.

import { useEffect, useState } from 'react';

import { useStore } from '../../lib/store';
import { count, number } from '../../lib/text';
import type { User } from '../../session/users';
import { Button } from '../../ui/Button';
import { Segments } from '../../ui/Segments';
import { amount } from './format';
import { Load, SIZES, type LoadState, type Size } from './load';
import css from './Operations.module.css';

const IDLE = 'This browser opens so many sockets. In a room of their own, each writes a message a second.';

export function LoadPanel({ users }: { users: User[] }) {
  const [load] = useState(() => new Load());
  const state = useStore(load.store);
  const [size, setSize] = useState<Size>('25');
  useEffect(() => () => load.stop(), [load]);

  const hasFailed = state.failure ? true : undefined;
  const choose = (next: Size) => {
    setSize(next);
    if (state.isOn) load.start(next, users);
  };
  return (
    <section className={css.load} aria-label="Load">
      <Segments
        legend="Sockets"
        value={size}
        options={SIZES.map((value) => ({ value, label: value }))}
        onChange={choose}
      />
      <Button
        kind={state.isOn ? 'plain' : 'primary'}
        icon={state.isOn ? 'pause' : 'play'}
        onClick={() => (state.isOn ? load.stop() : load.start(size, users))}
      >
        {state.isOn ? 'Stop the load' : 'Make some load'}
      </Button>
      <p className={css.loadState} data-failed={hasFailed} role={hasFailed && 'alert'}>{inWords(state)}</p>
    </section>
  );
}

function inWords({ isOn, failure, wanted, joined, sent, heard, medianMs }: LoadState): string {
  if (failure) return failure;
  if (!isOn) return IDLE;
  if (joined < wanted) return `${joined} of ${count(wanted, 'socket')} have joined`;
  return `${count(wanted, 'socket')}: ${number(sent)} messages and ${number(heard)} deliveries a second, `
    + `acknowledged within ${amount(medianMs, 'ms')} (median here)`;
}
