// The shop's backend, as far as this page plays it: it sets what is in stock.

import { api } from '../../lib/http';
import { tokenOf, type User } from '../../session/users';
import type { Product } from './catalogue';
import { TO_ALL } from './meter';

const MOST = 999;

export class Shop {
  /** What was asked for and may not have been heard yet, by product. */
  readonly #wanted = new Map<string, number>();
  /** The requests of each product one after another, so that none overtakes another. */
  readonly #queues = new Map<string, Promise<void>>();
  /** Products that are being given their first stock. */
  readonly #stocking = new Set<string>();

  constructor(readonly backend: User) {}

  /** Sells or adds so many, on top of what was asked for before. */
  change(productId: string, stock: number, by: number): Promise<void> {
    const next = Math.min(Math.max((this.#wanted.get(productId) ?? stock) + by, 0), MOST);
    this.#wanted.set(productId, next);
    return this.set(productId, next);
  }

  set(productId: string, newInventory: number): Promise<void> {
    const path = `/api/products/${productId}/inventory`;
    const before = this.#queues.get(productId) ?? Promise.resolve();
    const done = before.then(async () => {
      await api('PUT', path, { as: this.#signed, body: { newInventory } });
    });
    // A failure is told to who asked; the next request does not wait for it.
    this.#queues.set(productId, done.catch(() => {}).then(() => {
      if (this.#wanted.get(productId) === newInventory) this.#wanted.delete(productId);
    }));
    return done;
  }

  /** Gives a product that the server does not know its first stock, once for all who miss it. */
  async stockUp({ id, stock }: Product): Promise<void> {
    if (this.#stocking.has(id)) return;
    this.#stocking.add(id);
    await this.set(id, stock).finally(() => this.#stocking.delete(id));
  }

  /** Tells all of these sockets, whatever they look at. */
  async tellAll(sockets: readonly string[], productId: string, newInventory: number): Promise<void> {
    const body = { event: TO_ALL, args: [{ productId, newInventory }], to: { sockets } };
    await api('POST', '/api/emit', { as: this.#signed, body });
  }

  /** With the token as it is now. */
  get #signed(): User {
    return { ...this.backend, token: tokenOf(this.backend.userId) ?? this.backend.token };
  }
}
