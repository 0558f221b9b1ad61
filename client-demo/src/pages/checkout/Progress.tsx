// The newest payment: what has happened, and what is waited for.

import { useEffect, useRef, useState } from 'react';

import type { SocketHandle } from '../../session/useSocket';
import { Icon } from '../../ui/Icon';
import { CutButton, LinkState } from '../../ui/LinkState';
import { Panel } from '../../ui/Panel';
import css from './Checkout.module.css';
import { money } from './money';
import type { Outcome, Payment } from './payments';

interface Props {
  payment: Payment | undefined;
  isGuest: boolean;
  socketId: string | null;
  connection: SocketHandle;
}

export function Progress({ payment, isGuest, socketId, connection }: Props) {
  const actions = (
    <>
      <LinkState link={connection.link} />
      <CutButton {...connection} size="small" />
    </>
  );
  const state = !payment ? 'none' : (payment.outcome ?? 'pending');
  const result = useRef<HTMLDivElement>(null);
  const pending = state === 'pending' ? payment?.id : undefined;
  // On a phone it is below the basket.
  useEffect(() => {
    if (pending) result.current?.scrollIntoView({ block: 'nearest' });
  }, [pending]);
  return (
    <Panel title="Payment" actions={actions}>
      <div className={css.result} data-state={state} role="status" ref={result}>
        <span className={css.sign}><Sign state={state} /></span>
        <div>
          <strong>{payment ? headline(payment) : 'Nothing paid yet'}</strong>
          <p>{explained(payment, isGuest)}</p>
        </div>
      </div>
      <ol className={css.steps} aria-label="What has happened">
        {payment?.steps.map(({ at, text }) => (
          <li key={`${at} ${text}`}>
            <time>{moment(at)}</time>
            {text}
          </li>
        ))}
        {payment && <Last payment={payment} />}
      </ol>
      <dl className={css.facts}>
        <div>
          <dt>Payment</dt>
          <dd>{payment?.id ?? '–'}</dd>
        </div>
        <div>
          <dt>Socket</dt>
          <dd>{socketId ?? 'not connected'}</dd>
        </div>
      </dl>
    </Panel>
  );
}

function Sign({ state }: { state: Outcome | 'pending' | 'none' }) {
  if (state === 'pending') return <span className={css.spinner} />;
  const icons = { accepted: 'check', declined: 'close', lost: 'close', none: 'checkout' } as const;
  return <Icon name={icons[state]} size="1.5rem" />;
}

function headline({ amount, outcome }: Payment): string {
  const what = amount === null ? 'The payment' : money(amount);
  switch (outcome) {
    case null:
      return `${what}: waiting for the bank`;
    case 'accepted':
      return `${what} paid`;
    case 'declined':
      return `${what} declined`;
    case 'lost':
      return `${what}: the result is not known here`;
  }
}

function explained(payment: Payment | undefined, isGuest: boolean): string {
  switch (payment?.outcome) {
    case undefined:
      return isGuest
        ? 'A guest hears of a payment on the page that paid.'
        : 'Pay, then reload the page, or cut the connection.';
    case null:
      return isGuest
        ? 'The result goes to this page’s socket. A guest who leaves does not hear it.'
        : 'Reload the page or cut the connection: the result finds you.';
    case 'accepted':
      return 'The order is on its way.';
    case 'declined':
      return 'Nothing was taken. Try another card.';
    case 'lost':
      return 'It went to the page that paid, which is gone. Who is signed in gets it all the same.';
  }
}

/** What is waited for, or what it came to. */
function Last({ payment }: { payment: Payment }) {
  const { at, outcome, doneAt } = payment;
  const seconds = useSeconds(at, outcome === null);
  if (outcome === null) {
    return (
      <li data-now>
        <time>+{seconds} s</time>
        <span>Waiting for <code>payment-status</code>, without asking for it</span>
      </li>
    );
  }
  if (outcome === 'lost') return null;
  return (
    <li>
      <time>{moment(doneAt ?? at)}</time>
      <span>
        <code>payment-status</code> is <code>{String(outcome === 'accepted')}</code>
        {doneAt !== null && doneAt > at && `, after ${((doneAt - at) / 1_000).toFixed(1)} s`}
      </span>
    </li>
  );
}

const EVERY_MS = 250;

function useSeconds(since: number, isRunning: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  return Math.max(0, Math.floor((now - since) / 1_000));
}

const MOMENT = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const moment = (at: number) => MOMENT.format(at);
