// What it saves that only those hear of a product who look at it: counted, not computed.

import { useState, type CSSProperties } from 'react';

import { number } from '../../lib/text';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { Stat } from '../../ui/Small';
import { PRODUCTS } from './catalogue';
import { CHANGES, compare, type Comparison } from './compare';
import type { Stock } from './crowd';
import type { Count, Meter, Reading } from './meter';
import css from './Products.module.css';
import type { Shop } from './shop';
import { useFlash } from './useFlash';

interface Props {
  meter: Meter;
  reading: Reading;
  /** Whether all shoppers are there. */
  isComplete: boolean;
  shop: Shop;
  stock: Stock;
  onError(error: unknown): void;
}

export function Savings({ meter, reading, isComplete, shop, stock, onError }: Props) {
  const [comparison, setComparison] = useState<Comparison | null>(null);
  const [isRunning, setRunning] = useState(false);
  const run = async () => {
    setRunning(true);
    setComparison(null);
    meter.reset();
    try {
      setComparison(await compare(meter, shop));
    } catch (error) {
      onError(error);
    }
    setRunning(false);
  };
  const { changes, sockets, byRoom } = reading;
  const toAll = changes * sockets;
  return (
    <Panel
      title="What rooms save"
      className={css.savings}
      actions={
        <Button icon="play" onClick={() => void run()} disabled={isRunning || !isComplete}>
          {isRunning ? 'Measuring…' : `Measure ${CHANGES} changes both ways`}
        </Button>
      }
    >
      <div className={css.savingsBody}>
        <div className={css.figures}>
          <dl className={css.stats}>
            <Stat name="Connections">{number(sockets)}</Stat>
            <Stat name="Stock changes">{number(changes)}</Stat>
            <Stat name="Messages delivered">{number(byRoom.messages)}</Stat>
            <Stat name="Messages saved" note={toAll > 0 && `of ${number(toAll)}`}>
              {share(byRoom.messages, toAll)}
            </Stat>
          </dl>
          <Measured comparison={comparison} />
        </div>
        <ul className={css.crowd} aria-label="The shop’s products">
          {PRODUCTS.map((product) => (
            <Tile
              key={product.id}
              name={product.name}
              colour={product.colour}
              picture={product.picture}
              stock={stock.get(product.id)}
              heard={reading.heard.get(product.id) ?? 0}
            />
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${Math.round((1 - part / whole) * 100)} %`;
}

const KILO = 1_000;
const size = (bytes: number) => `${(bytes / KILO).toFixed(1)} kB`;

function Measured({ comparison }: { comparison: Comparison | null }) {
  const { byRoom, toAll } = comparison ?? {};
  return (
    <div className={css.measured} role="status">
      <Bar name="By room" count={byRoom} most={toAll} isOurs />
      <Bar name="To everybody" count={toAll} most={toAll} />
      <p>
        {comparison
          ? inWords(comparison)
          : `The same ${CHANGES} changes, told to each product’s room and then to every connection.`}
      </p>
    </div>
  );
}

function inWords({ sockets, byRoom, toAll }: Comparison): string {
  const [messages, bytes] = [share(byRoom.messages, toAll.messages), share(byRoom.bytes, toAll.bytes)];
  return `${messages} fewer messages and ${bytes} fewer bytes to ${sockets} connections.`;
}

interface BarProps {
  name: string;
  count: Count | undefined;
  most: Count | undefined;
  isOurs?: boolean;
}

function Bar({ name, count, most, isOurs }: BarProps) {
  const width = count && most ? (count.messages / most.messages) * 100 : 0;
  return (
    <div className={css.bar}>
      <span>{name}</span>
      <span className={css.track} aria-hidden="true">
        <span data-ours={isOurs} style={{ width: `${width}%` }} />
      </span>
      <span className={css.amount}>
        {count ? `${number(count.messages)} messages, ${size(count.bytes)}` : '–'}
      </span>
    </div>
  );
}

interface TileProps {
  name: string;
  colour: string;
  picture: string;
  stock: number | undefined;
  heard: number;
}

function Tile({ name, colour, picture, stock, heard }: TileProps) {
  const flash = useFlash(heard);
  return (
    <li className={css.tile} style={{ '--hue': colour } as CSSProperties}>
      <output className={css.light} ref={flash} aria-label={`${name}: ${stock ?? 'not known'} in stock`}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d={picture} /></svg>
        <span className={css.tileName} aria-hidden="true">{name}</span>
        <strong aria-hidden="true">{stock ?? '–'}</strong>
      </output>
    </li>
  );
}
