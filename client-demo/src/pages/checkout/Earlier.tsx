// Payments that are over.

import { clock } from '../../lib/text';
import { Empty } from '../../ui/Notice';
import { Badge } from '../../ui/Small';
import css from './Checkout.module.css';
import { money } from './money';
import { CARDS, type Outcome, type Payments } from './payments';

const KINDS: Record<Outcome, 'good' | 'bad' | 'warn'> = { accepted: 'good', declined: 'bad', lost: 'warn' };

export function Earlier({ payments }: { payments: Payments }) {
  if (payments.length === 0) return <div className={css.earlier}><Empty>None yet.</Empty></div>;
  return (
    <ul className={css.earlier}>
      {payments.map(({ id, amount, card, at, outcome }) => (
        <li key={id}>
          <time>{clock(at)}</time>
          <span className={css.what}>
            {amount === null ? 'Paid on another page' : money(amount)}
            <small>{CARDS.find((one) => one.id === card)?.number}</small>
          </span>
          {outcome && <Badge kind={KINDS[outcome]}>{outcome}</Badge>}
        </li>
      ))}
    </ul>
  );
}
