// One order on the board.

import { useState } from 'react';

import { clock } from '../../lib/text';
import { Button } from '../../ui/Button';
import { Avatar, Badge } from '../../ui/Small';
import { price } from './catalogue';
import { NEXT, type Order, type Stage } from './orders';
import css from './Vendor.module.css';

const ACTION: Record<Stage, string> = { new: 'Accept', preparing: 'Ready', ready: 'Handed over', done: '' };

const MARK = { live: { kind: 'good', word: 'New' }, missed: { kind: 'warn', word: 'Missed' } } as const;

interface Props {
  order: Order;
  stage: Stage;
  /** Resolves when it is done, or has failed. */
  onMove(order: Order, stage: Stage): Promise<void>;
}

export function OrderCard({ order, stage, onMove }: Props) {
  const [isMoving, setMoving] = useState(false);
  const { code, customer, customerId, lines, total, at, arrival } = order;
  const mark = stage === 'new' && arrival !== 'known' ? MARK[arrival] : null;
  const move = () => {
    setMoving(true);
    void onMove(order, NEXT[stage]).finally(() => setMoving(false));
  };
  return (
    <li className={css.card} data-fresh={mark ? true : undefined}>
      <div className={css.cardHead}>
        <Avatar id={customerId ?? customer} name={customer} size="small" />
        <h4>
          {customer} <span>#{code}</span>
        </h4>
        {mark && <Badge kind={mark.kind}>{mark.word}</Badge>}
      </div>
      <ul className={css.lines}>
        {lines.map(({ name, quantity }, n) => (
          <li key={n}>
            <b>{quantity}</b> {name}
          </li>
        ))}
      </ul>
      <div className={css.cardFoot}>
        <span>
          {at && <time dateTime={at.toISOString()}>{clock(at)}</time>}
          {total !== null && ` · ${price(total)}`}
        </span>
        <Button
          size="small"
          kind={stage === 'ready' ? 'plain' : 'primary'}
          disabled={isMoving}
          aria-label={`${ACTION[stage]}: order ${code} of ${customer}`}
          onClick={move}
        >
          {ACTION[stage]}
        </Button>
      </div>
    </li>
  );
}
