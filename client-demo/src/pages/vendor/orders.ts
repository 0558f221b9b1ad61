// What an order is, whoever posted it, and how far it has come.

import { createStore } from '../../lib/store';
import { kept } from '../../lib/kept';

export interface Line {
  name: string;
  quantity: number;
}

/** `known` was there when the board opened; the others came since, `missed` while it was cut off. */
export type Arrival = 'known' | 'live' | 'missed';

export interface Order {
  id: string;
  /** Short enough to be called out. */
  code: string;
  customerId: string | null;
  customer: string;
  lines: Line[];
  total: number | null;
  /** When, where the order says that in a way that can be read. */
  at: Date | null;
  arrival: Arrival;
}

const CODE_LENGTH = 4;
/** What a card says elsewhere, or not at all. */
const OWN_FIELDS = new Set([
  'id', 'entryId', 'vendorId', 'customerId', 'customer', 'total', 'createdAt', 'seq', 'event',
]);

type Fields = Record<string, unknown>;

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

function time(value: unknown): Date | null {
  const at = new Date(typeof value === 'number' ? value : String(value));
  return Number.isNaN(at.getTime()) ? null : at;
}

/** An order as the server hands it on: the demo's own, or whatever a backend has posted. */
export function readOrder(fields: Fields, arrival: Arrival): Order {
  const id = String(fields.entryId ?? fields.id);
  const { items, total } = fields;
  return {
    id,
    code: id.slice(-CODE_LENGTH).toUpperCase(),
    customerId: text(fields.customerId),
    customer: text(fields.customer) ?? text(fields.customerId) ?? 'Somebody',
    lines: Array.isArray(items) ? items.map(line) : others(fields),
    total: typeof total === 'number' ? total : null,
    at: time(fields.createdAt),
    arrival,
  };
}

function line(item: unknown): Line {
  const { name, quantity } = (item ?? {}) as Fields;
  return { name: text(name) ?? JSON.stringify(item), quantity: typeof quantity === 'number' ? quantity : 1 };
}

/** Of an order without a list of items: all that it says. */
function others(fields: Fields): Line[] {
  const said = Object.entries(fields).filter(([name]) => !OWN_FIELDS.has(name));
  return said.map(([name, value]) => {
    const words = text(value) ?? JSON.stringify(value);
    return { name: `${name}: ${words}`, quantity: 1 };
  });
}

/** How many of what, in a sentence. */
export const inWords = ({ lines }: Order): string =>
  lines.map(({ name, quantity }) => `${quantity} ${name}`).join(', ');

/** `done` orders are off the board. */
export type Stage = 'new' | 'preparing' | 'ready' | 'done';

export const NEXT: Record<Stage, Stage> = {
  new: 'preparing', preparing: 'ready', ready: 'done', done: 'done',
};

/** An order's stage is this browser's business: the server keeps the order, not how far it is. */
export type Stages = Readonly<Record<string, Stage>>;

const MOST_STAGES = 500;
const isStages = (value: unknown): value is Stages => typeof value === 'object' && value !== null;
const memory = kept('order-stages', isStages);

export const stages = createStore<Stages>(memory.read() ?? {});

/** Another window with the same board goes along. */
export const followStages = (): (() => void) => memory.follow((value) => stages.set(value));

export function moveTo(orderId: string, stage: Stage): void {
  const { [orderId]: _, ...others } = stages.get();
  // The newest come last, the oldest are forgotten.
  const entries = [...Object.entries(others), [orderId, stage] as const].slice(-MOST_STAGES);
  stages.set(Object.fromEntries(entries));
  memory.write(stages.get());
}
