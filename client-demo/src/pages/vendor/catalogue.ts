// What the shop sells, and how its backend passes an order on.

import { api } from '../../lib/http';
import type { User } from '../../session/users';

export interface Dish {
  id: string;
  name: string;
  price: number;
}

export const DISHES: readonly Dish[] = [
  { id: 'flat-white', name: 'Flat white', price: 3.2 },
  { id: 'croissant', name: 'Croissant', price: 2.8 },
  { id: 'toastie', name: 'Cheese toastie', price: 6.5 },
  { id: 'lemonade', name: 'Lemonade', price: 3.6 },
];

/** How many of each dish, by its id. */
export type Cart = Readonly<Record<string, number>>;

const MONEY = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' });
export const price = (amount: number): string => MONEY.format(amount);

export const totalOf = (cart: Cart): number =>
  DISHES.reduce((sum, dish) => sum + dish.price * (cart[dish.id] ?? 0), 0);

/** What somebody in a hurry asks for. */
export function anyCart(): Cart {
  const dish = () => DISHES[Math.floor(Math.random() * DISHES.length)]?.id ?? '';
  const [one, other] = [dish(), dish()];
  return one === other ? { [one]: 2 } : { [one]: 1, [other]: 1 + Math.floor(Math.random() * 2) };
}

interface Purchase {
  vendorId: string;
  customer: User;
  cart: Cart;
  /** The same key again is the same order. */
  key: string;
}

/** Posts an order as the shop's backend does when somebody has paid. */
export function post(backend: User, { vendorId, customer, cart, key }: Purchase): Promise<unknown> {
  const items = DISHES.filter(({ id }) => cart[id]).map(({ id, name }) => ({ name, quantity: cart[id] }));
  const cents = Math.round(totalOf(cart) * 100);
  const body = { vendorId, customerId: customer.userId, customer: customer.name, items, total: cents / 100 };
  return api('POST', '/api/orders', { as: backend, body, headers: { 'Idempotency-Key': key } });
}
