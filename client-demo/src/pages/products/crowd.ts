// Shoppers who look at a product each, over connections of their own.

import type { Socket } from 'socket.io-client';

import { ask } from '../../lib/ask';
import { createStore } from '../../lib/store';
import { Sockets } from '../../session/sockets';
import { PRODUCTS, type Product } from './catalogue';
import { BY_ROOM, type Meter } from './meter';
import type { Shop } from './shop';

/** How many look at each product. */
const PER_PRODUCT = 2;
export const SHOPPERS = PER_PRODUCT * PRODUCTS.length;

/** By product, what its shoppers see. */
export type Stock = ReadonlyMap<string, number>;

/**
 * Joins a product's room, and stocks the product where the server does not know it; resolves once the
 * stock has been heard, so that whoever counts from then on counts changes only, with what the server
 * knew before.
 */
export async function look(socket: Socket, shop: Shop, product: Product): Promise<number | null> {
  const heard = new Promise((resolve) => socket.once(BY_ROOM, resolve));
  const { inventory } = await ask<{ inventory: number | null }>(socket, 'join-product-room', product.id);
  if (inventory === null) await shop.stockUp(product);
  await heard;
  return inventory;
}

export class Crowd {
  readonly stock = createStore<Stock>(new Map());
  readonly #sockets = new Sockets();
  readonly #ends: (() => void)[] = [];

  constructor(readonly meter: Meter, readonly shop: Shop) {}

  /** Opens all connections; returns what ends them. */
  open(): () => void {
    for (let n = 0; n < SHOPPERS; n += 1) {
      const product = PRODUCTS[n % PRODUCTS.length];
      if (product) this.#ends.push(this.#shopper(product));
    }
    return () => {
      this.#sockets.end();
      this.#ends.splice(0).forEach((end) => end());
    };
  }

  #shopper(product: Product): () => void {
    const socket = this.#sockets.add(null);
    const tally = this.meter.add(socket, product.id);
    // Who cannot join is not there; the next connect tries again.
    socket.on('connect', () => void look(socket, this.shop, product).then(tally.there, () => {}));
    socket.on(BY_ROOM, (stock: number) => {
      this.stock.set((now) => (now.get(product.id) === stock ? now : new Map(now).set(product.id, stock)));
    });
    return tally.end;
  }
}
