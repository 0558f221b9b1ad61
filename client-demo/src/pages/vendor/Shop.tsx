// Where customers order, so that the board has something to show.

import { useEffect, useRef, useState } from 'react';

import { reason } from '../../lib/http';
import { newId } from '../../lib/text';
import type { User } from '../../session/users';
import { Button } from '../../ui/Button';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { DISHES, anyCart, post, price, totalOf, type Cart, type Dish } from './catalogue';
import css from './Vendor.module.css';

const MOST_OF_A_DISH = 9;
/** A busy hour, and how long it takes here. */
const RUSH_ORDERS = 12;
const RUSH_EVERY_MS = 350;

interface Props {
  vendor: User;
  backend: User;
  customer: User;
  /** Who orders in a busy hour. */
  everybody: User[];
}

export function Shop({ vendor, backend, customer, everybody }: Props) {
  const [cart, setCart] = useState<Cart>({});
  // An order that may have got through is not placed twice by trying again.
  const [key, setKey] = useState(newId);
  const [state, setState] = useState<'idle' | 'placing'>('idle');
  const [failure, setFailure] = useState('');
  const rush = useRush(vendor, backend, everybody, setFailure);
  const total = totalOf(cart);

  const change = (id: string, quantity: number) => {
    setCart({ ...cart, [id]: quantity });
    setKey(newId());
  };
  const place = async () => {
    setState('placing');
    setFailure('');
    try {
      await post(backend, { vendorId: vendor.userId, customer, cart, key });
      setCart({});
      setKey(newId());
    } catch (error) {
      setFailure(`The order was not placed: ${reason(error)}`);
    }
    setState('idle');
  };
  return (
    <Panel title={`Order as ${customer.name}`}>
      <ul className={css.dishes}>
        {DISHES.map((dish) => (
          <Choice key={dish.id} dish={dish} quantity={cart[dish.id] ?? 0} onChange={change} />
        ))}
      </ul>
      <div className={css.place}>
        <Button kind="primary" disabled={total === 0 || state === 'placing'} onClick={() => void place()}>
          Place order{total > 0 && ` · ${price(total)}`}
        </Button>
        {rush.placed === null
          ? <Button icon="play" onClick={rush.begin}>Busy hour</Button>
          : (
            <Button icon="pause" onClick={rush.end}>
              {rush.placed} of {RUSH_ORDERS}
              <span className="unseen"> placed, stop</span>
            </Button>
          )}
      </div>
      {failure && <div className={css.failure}><Notice kind="bad">{failure}</Notice></div>}
    </Panel>
  );
}

interface ChoiceProps {
  dish: Dish;
  quantity: number;
  onChange(id: string, quantity: number): void;
}

/** How many of a dish. */
function Choice({ dish: { id, name, price: each }, quantity, onChange }: ChoiceProps) {
  const step = (by: number, word: string, sign: string) => {
    const next = quantity + by;
    return (
      <button
        type="button"
        aria-label={`One ${name} ${word}`}
        disabled={next < 0 || next > MOST_OF_A_DISH}
        onClick={() => onChange(id, next)}
      >
        {sign}
      </button>
    );
  };
  return (
    <li>
      <span className={css.dish}>{name} <small>{price(each)}</small></span>
      <span className={css.stepper} role="group" aria-label={name}>
        {step(-1, 'less', '−')}
        <output aria-label={`${name}, how many`}>{quantity}</output>
        {step(1, 'more', '+')}
      </span>
    </li>
  );
}

/** Places a series of orders; `placed` is null while none is under way. */
function useRush(vendor: User, backend: User, everybody: User[], onFailure: (text: string) => void) {
  const [placed, setPlaced] = useState<number | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const begin = async () => {
    const { signal } = (stop.current = new AbortController());
    onFailure('');
    try {
      for (let n = 0; n < RUSH_ORDERS && !signal.aborted; n += 1) {
        setPlaced(n);
        const customer = everybody[n % everybody.length];
        if (!customer) break;
        await post(backend, { vendorId: vendor.userId, customer, cart: anyCart(), key: newId() });
        await new Promise((resolve) => setTimeout(resolve, RUSH_EVERY_MS));
      }
    } catch (error) {
      onFailure(`The busy hour ended early: ${reason(error)}`);
    }
    setPlaced(null);
  };
  return { placed, begin: () => void begin(), end: () => stop.current?.abort() };
}
