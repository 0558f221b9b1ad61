// What things cost.

const MONEY = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' });

export const money = (amount: number) => MONEY.format(amount);

export interface Item {
  id: string;
  name: string;
  price: number;
}

export const ITEMS: readonly Item[] = [
  { id: 'lamp', name: 'Desk lamp', price: 49 },
  { id: 'teapot', name: 'Teapot', price: 24.5 },
  { id: 'notebook', name: 'Notebook', price: 6.2 },
];

/** How many of each item, by id. */
export type Basket = Readonly<Record<string, number>>;

export const FULL: Basket = { lamp: 1, teapot: 1, notebook: 2 };

/** In cents while it is added up, so that it stays exact. */
export const total = (basket: Basket) =>
  ITEMS.reduce((cents, { id, price }) => cents + Math.round(price * 100) * (basket[id] ?? 0), 0) / 100;
