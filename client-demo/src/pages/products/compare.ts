// The same changes of stock told in both ways, one after the other, on this server and these sockets.

import { PRODUCTS } from './catalogue';
import type { Count, Meter } from './meter';
import type { Shop } from './shop';

export const CHANGES = 60;
const AT_ONCE = 4;
/** How long what is on its way may take. */
const ARRIVAL_LIMIT_MS = 5_000;
const LOOK_EVERY_MS = 20;

export interface Comparison {
  sockets: number;
  byRoom: Count;
  toAll: Count;
}

interface Change {
  productId: string;
  stock: number;
}

/** Any product, any number: a busy minute in a shop. */
function changes(): Change[] {
  return Array.from({ length: CHANGES }, () => {
    const product = PRODUCTS[Math.floor(Math.random() * PRODUCTS.length)] ?? PRODUCTS[0]!;
    return { productId: product.id, stock: Math.floor(Math.random() * 30) };
  });
}

/** Throws where a request is refused, or not all that is to come has come. */
export async function compare(meter: Meter, shop: Shop): Promise<Comparison> {
  const todo = changes();
  const ids = meter.ids;
  const byRoom = await told(
    todo,
    ({ productId, stock }) => shop.set(productId, stock),
    todo.reduce((all, { productId }) => all + meter.watchers(productId), 0),
    () => meter.read().byRoom,
  );
  const toAll = await told(
    todo,
    ({ productId, stock }) => shop.tellAll(ids, productId, stock),
    todo.length * ids.length,
    () => meter.read().toAll,
  );
  return { sockets: ids.length, byRoom, toAll };
}

/** Tells all changes, a few at a time; what has come of it. */
async function told(
  all: readonly Change[],
  tell: (change: Change) => Promise<void>,
  expected: number,
  read: () => Count,
): Promise<Count> {
  const before = read();
  const left = [...all];
  const one = async () => {
    for (let change = left.shift(); change; change = left.shift()) await tell(change);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  const since = () => ({ messages: read().messages - before.messages, bytes: read().bytes - before.bytes });
  const end = performance.now() + ARRIVAL_LIMIT_MS;
  while (since().messages < expected) {
    if (performance.now() > end) throw new Error(`${since().messages} of ${expected} messages have come`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return since();
}
