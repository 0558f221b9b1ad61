// Products: two pages of a shop of which only the right one changes, and what that saves.

import { useEffect, useRef, useState } from 'react';

import { reason } from '../../lib/http';
import { useStore } from '../../lib/store';
import { useUsersWith, type User } from '../../session/users';
import { Notice } from '../../ui/Notice';
import { PageHead } from '../../ui/Panel';
import { PRODUCTS } from './catalogue';
import { Crowd, SHOPPERS } from './crowd';
import { Meter } from './meter';
import { ProductPage } from './Page';
import css from './Products.module.css';
import { Savings } from './Savings';
import { Shop } from './shop';

/** The pages that are shown. */
const SHOWN = 2;

export default function Products() {
  const [backend] = useUsersWith('service');
  return (
    <>
      <PageHead title="Products">
        A change of stock goes to those who look at that product, and to nobody else: not to the other
        page, and not to the shoppers of the other products below.
      </PageHead>
      {backend && <Shelves backend={backend} />}
    </>
  );
}

function Shelves({ backend }: { backend: User }) {
  const [meter] = useState(() => new Meter());
  const [shop] = useState(() => new Shop(backend));
  const [crowd] = useState(() => new Crowd(meter, shop));
  const [error, setError] = useState('');
  const reading = useStore(meter.store);
  const stock = useStore(crowd.stock);
  useEffect(() => crowd.open(), [crowd]);

  // What was counted while they came is no measure of anything.
  const isComplete = reading.sockets === SHOPPERS + SHOWN;
  const wasComplete = useRef(false);
  useEffect(() => {
    if (isComplete && !wasComplete.current) meter.reset();
    wasComplete.current ||= isComplete;
  }, [isComplete, meter]);

  const tell = (problem: unknown) => setError(reason(problem));
  return (
    <div className={css.page}>
      {error && <Notice kind="bad" title="The shop’s backend was refused">{error}</Notice>}
      <div className={css.pair}>
        {PRODUCTS.slice(0, SHOWN).map((product) => (
          <ProductPage key={product.id} product={product} shop={shop} meter={meter} onError={tell} />
        ))}
      </div>
      <Savings
        meter={meter}
        reading={reading}
        isComplete={isComplete}
        shop={shop}
        stock={stock}
        onError={tell}
      />
    </div>
  );
}
