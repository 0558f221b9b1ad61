// The demo's vendor page, as a test handles it.

import assert from 'node:assert/strict';

import { tokensOf } from './demo_app.mjs';
import { request } from './server.mjs';

export const COLUMNS = { fresh: 'New', kitchen: 'In the kitchen', ready: 'Ready' };

/** The page, with this customer beside the board. */
export async function vendorPage(open, t, url, customer = 'alice', options = {}) {
  const page = await open(t, `${url}/#/vendor?as=${customer}`, options);
  await state(board(page), 'Connected');
  await state(device(page, 'Phone'), 'Connected');
  return page;
}

const region = (page, name) => page.getByRole('region', { name, exact: true });

export const says = (where, text) => where.getByText(text, { exact: true }).waitFor();
export const state = (where, text) =>
  where.locator('[data-phase]').getByText(text, { exact: true }).waitFor();
export const button = (where, name) => where.getByRole('button', { name });

export const board = (page) => region(page, 'Vera’s orders');
export const column = (page, name) => region(board(page), name);
export const cards = (page, name) => column(page, name).locator('ol > li');
export const shop = (page) => page.getByRole('region', { name: /^Order as / });
/** One of the customer's devices: `Phone` or `Laptop`. */
export const device = (page, name) => page.getByRole('region', { name: new RegExp(`^${name}`) });
export const notes = (where) => where.getByRole('list', { name: /^Notifications on/ }).getByRole('listitem');
export const bell = (where) => where.locator('button[aria-expanded]');

/** That so many cards are in a column. */
export const holds = (page, name, count) =>
  column(page, name).locator('h3').getByText(String(count), { exact: true }).waitFor();

/** Waits until the bell counts so many. */
export const rings = (where, count) => {
  const some = `${count} unread notification${count > 1 ? 's' : ''}`;
  const words = count === 0 ? 'No unread notifications' : some;
  return where.getByRole('button', { name: words, exact: true }).waitFor();
};

/** Puts dishes into the cart, one a name, and orders them. */
export async function order(page, ...dishes) {
  for (const dish of dishes) await button(shop(page), `One ${dish} more`).click();
  await button(shop(page), /^Place order/).click();
  await shop(page).getByRole('button', { name: 'Place order', exact: true }).waitFor();
}

/** What the shop's backend does, without a browser. */
export class Backend {
  static async at(url) {
    const { backend, vera } = await tokensOf(url);
    return Object.assign(new Backend(), { url, backend, vera });
  }

  async #post(path, body) {
    const { status, text, body: answer } = await request(this.url, 'POST', path, { as: this.backend, body });
    assert.equal(status, 201, text);
    return answer.id;
  }

  order(fields) {
    return this.#post('/api/orders', { vendorId: 'vera', ...fields });
  }

  notify(userId, fields) {
    return this.#post('/api/notifications', { userId, ...fields });
  }

  /** The ids of all orders, as the server stored them. */
  async stored() {
    const { body } = await request(this.url, 'GET', '/api/vendor/vera/orders?limit=100', { as: this.vera });
    return body.orders.map(({ id, entryId }) => entryId ?? id);
  }
}

/** The codes on a column's cards, as they stand there. */
export const codes = (page, name) =>
  cards(page, name).locator('h4 span').allTextContents().then((all) => all.map((text) => text.slice(1)));

/** The code by which an order is called. */
export const codeOf = (id) => id.slice(-4).toUpperCase();
