// The vendor's board: orders as they come, and how far each of them is.

import { useEffect, useState } from 'react';

import { api, reason } from '../../lib/http';
import { useStore } from '../../lib/store';
import { count } from '../../lib/text';
import type { User } from '../../session/users';
import { Button } from '../../ui/Button';
import { CutButton, LinkState } from '../../ui/LinkState';
import { Empty, Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { Badge } from '../../ui/Small';
import { OrderCard } from './OrderCard';
import { followStages, inWords, moveTo, stages, type Order, type Stage } from './orders';
import { SWITCH, ring, toggle, useSound, type Sound } from './sound';
import { useOrders } from './useOrders';
import css from './Vendor.module.css';

const COLUMNS: { stage: Stage; title: string; none: string }[] = [
  { stage: 'new', title: 'New', none: 'Nothing to accept. Place an order.' },
  { stage: 'preparing', title: 'In the kitchen', none: 'Accepted orders are prepared here.' },
  { stage: 'ready', title: 'Ready', none: 'What is ready waits here.' },
];

/** What the customer is told when an order gets there. */
const NEWS: Partial<Record<Stage, { title: string; text: string }>> = {
  preparing: { title: 'Your order was accepted', text: 'The kitchen is at work on it.' },
  ready: { title: 'Your order is ready', text: 'Pick it up at the counter.' },
};

const SOUND: Record<Sound, string> = { off: 'Sound off', waiting: 'Sound on after a click', on: 'Sound on' };

interface Props {
  vendor: User;
  backend: User;
}

export function Board({ vendor, backend }: Props) {
  const sound = useSound();
  const [said, setSaid] = useState('');
  const [failure, setFailure] = useState('');
  const at = useStore(stages);
  const { orders, stream, complaint } = useOrders(vendor, {
    onOrder(order) {
      ring();
      if (order.arrival === 'live') setSaid(`New order from ${order.customer}: ${inWords(order)}`);
    },
  });
  useEffect(followStages, []);
  const { missed } = stream.link;
  useEffect(() => {
    if (missed) setSaid(`${count(missed, 'order')} came while the board was cut off`);
  }, [missed]);

  const move = async (order: Order, stage: Stage) => {
    try {
      await tell(backend, order, stage);
      moveTo(order.id, stage);
      setFailure('');
    } catch (error) {
      setFailure(`${order.customer} could not be told of order ${order.code}: ${reason(error)}`);
    }
  };

  const actions = (
    <>
      <LinkState link={stream.link} />
      <Button
        size="small"
        icon={sound === 'on' ? 'sound' : 'muted'}
        aria-pressed={sound !== 'off'}
        onClick={toggle}
        {...{ [SWITCH]: '' }}
      >
        {SOUND[sound]}
      </Button>
      <CutButton {...stream} size="small" />
    </>
  );
  const problem = failure || complaint;
  return (
    <Panel title={`${vendor.name}’s orders`} actions={actions} flush className={css.board}>
      {problem && <div className={css.problem}><Notice kind="bad">{problem}</Notice></div>}
      <div className={css.columns}>
        {COLUMNS.map(({ stage, title, none }) => {
          const here = orders.filter(({ id }) => (at[id] ?? 'new') === stage);
          return (
            <section key={stage} className={css.column} aria-label={title}>
              <h3>
                {title}
                <Badge kind={stage === 'new' && here.length > 0 ? 'accent' : 'plain'}>{here.length}</Badge>
              </h3>
              {here.length === 0 && <Empty>{none}</Empty>}
              <ol className={css.cards}>
                {here.toReversed().map((order) => (
                  <OrderCard key={order.id} order={order} stage={stage} onMove={move} />
                ))}
              </ol>
            </section>
          );
        })}
      </div>
      <p className="unseen" role="status">{said}</p>
    </Panel>
  );
}

/** Tells the customer, as the shop's backend; once, however often the button is pressed. */
async function tell(backend: User, { id, code, customerId }: Order, stage: Stage): Promise<void> {
  const news = NEWS[stage];
  if (!news || !customerId) return;
  const body = { userId: customerId, title: `${news.title} · #${code}`, text: news.text, orderId: id };
  const headers = { 'Idempotency-Key': `${id} ${stage}` };
  await api('POST', '/api/notifications', { as: backend, body, headers });
}
