// One product's page, as somebody sees it who looks at nothing else.

import { useId, useRef, useState, type CSSProperties } from 'react';

import { count, number } from '../../lib/text';
import { useSocket } from '../../session/useSocket';
import { Button } from '../../ui/Button';
import { CutButton, LinkState } from '../../ui/LinkState';
import type { Product } from './catalogue';
import { look } from './crowd';
import type { Meter } from './meter';
import css from './Products.module.css';
import type { Shop } from './shop';
import { useFlash } from './useFlash';

const RESTOCK = 5;
const LOW = 5;

interface Props {
  product: Product;
  shop: Shop;
  meter: Meter;
  onError(error: unknown): void;
}

export function ProductPage({ product, shop, meter, onError }: Props) {
  const id = useId();
  const [stock, setStock] = useState<number | null>(null);
  const [heard, setHeard] = useState(0);
  const tally = useRef<ReturnType<Meter['add']> | null>(null);
  const latest = useRef<number | null>(null);
  const connection = useSocket(null, {
    name: `Page of the ${product.name}`,
    events: {
      'inventory-update': (now: number) => {
        latest.current = now;
        setStock(now);
        setHeard((before) => before + 1);
      },
    },
    onSocket: (socket) => {
      const added = meter.add(socket, product.id);
      tally.current = added;
      return added.end;
    },
    onConnect: async (socket) => {
      const before = latest.current;
      // A server that was started anew knows no stock.
      const inventory = await look(socket, shop, { ...product, stock: before ?? product.stock });
      tally.current?.there();
      return before === null || inventory === null || inventory === before ? 0 : 1;
    },
  });
  const change = (by: number) => void shop.change(product.id, stock ?? 0, by).catch(onError);

  const style = { '--hue': product.colour } as CSSProperties;
  return (
    <article className={css.product} aria-labelledby={id} style={style}>
      <div className={css.picture} aria-hidden="true">
        <svg viewBox="0 0 24 24"><path d={product.picture} /></svg>
      </div>
      <div className={css.productBody}>
        <h2 id={id}>{product.name}</h2>
        <p className={css.blurb}>{product.about}</p>
        <Stock stock={stock} />
        <div className={css.buttons}>
          <Button kind="primary" disabled={!stock} onClick={() => change(-1)}>Buy one</Button>
          <Button disabled={stock === null} onClick={() => change(RESTOCK)}>Restock {RESTOCK}</Button>
        </div>
      </div>
      <div className={css.productFoot}>
        <span>{count(heard, 'message')} heard</span>
        <LinkState link={connection.link} />
        <CutButton {...connection} size="small" />
      </div>
    </article>
  );
}

function Stock({ stock }: { stock: number | null }) {
  const flash = useFlash(stock);
  const state = stock === null ? 'none' : stock === 0 ? 'out' : stock <= LOW ? 'low' : 'good';
  const words = { none: 'Not known yet', out: 'Sold out', low: 'Only a few left', good: 'In stock' }[state];
  return (
    <p className={css.stock} data-state={state} aria-live="polite">
      <output className={css.figure} ref={flash}>{stock === null ? '–' : number(stock)}</output>
      <span>{words}</span>
    </p>
  );
}
