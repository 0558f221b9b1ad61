// What is bought, and with which card.

import { useState } from 'react';

import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import css from './Checkout.module.css';
import { FULL, ITEMS, money, total, type Basket as Content, type Item } from './money';
import { CARDS, type CardId } from './payments';

const MOST = 9;

interface Props {
  /** Whether a payment is under way. */
  isBusy: boolean;
  isConnected: boolean;
  error: string;
  onPay(amount: number, card: CardId): void;
}

export function Basket({ isBusy, isConnected, error, onPay }: Props) {
  const [basket, setBasket] = useState<Content>(FULL);
  const [card, setCard] = useState<CardId>('good');
  const sum = total(basket);
  return (
    <Panel title="Your basket" className={css.basket}>
      <ul className={css.items}>
        {ITEMS.map((item) => (
          <Row
            key={item.id}
            item={item}
            count={basket[item.id] ?? 0}
            onCount={(count) => setBasket({ ...basket, [item.id]: count })}
          />
        ))}
      </ul>
      <p className={css.total}>
        <span>Total</span>
        <output>{money(sum)}</output>
      </p>
      <fieldset className={css.cards}>
        <legend>Card</legend>
        {CARDS.map(({ id, number, about }) => (
          <label key={id} className={css.card}>
            <input type="radio" name="card" checked={card === id} onChange={() => setCard(id)} />
            <span className={css.cardBody}>
              <strong>{number}</strong>
              <small>{about}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {error && <Notice kind="bad" title="The payment was not taken">{error}</Notice>}
      <Button
        kind="primary"
        icon="checkout"
        className={css.pay}
        disabled={isBusy || !isConnected || sum === 0}
        onClick={() => onPay(sum, card)}
      >
        {isBusy ? 'Processing…' : `Pay ${money(sum)}`}
      </Button>
    </Panel>
  );
}

interface RowProps {
  item: Item;
  count: number;
  onCount(count: number): void;
}

function Row({ item: { name, price }, count, onCount }: RowProps) {
  return (
    <li className={css.item} data-none={count === 0 || undefined}>
      <span className={css.itemName}>
        <strong>{name}</strong>
        <small>{money(price)} each</small>
      </span>
      <span className={css.stepper}>
        <Step label={`One ${name} less`} sign="−" isOff={count === 0} onClick={() => onCount(count - 1)} />
        <output aria-label={`Number of ${name}`}>{count}</output>
        <Step label={`One ${name} more`} sign="+" isOff={count === MOST} onClick={() => onCount(count + 1)} />
      </span>
      <span className={css.itemSum}>{money(price * count)}</span>
    </li>
  );
}

interface StepProps {
  label: string;
  sign: string;
  isOff: boolean;
  onClick(): void;
}

function Step({ label, sign, isOff, onClick }: StepProps) {
  return (
    <Button size="small" aria-label={label} disabled={isOff} onClick={onClick}>
      <span aria-hidden="true">{sign}</span>
    </Button>
  );
}
