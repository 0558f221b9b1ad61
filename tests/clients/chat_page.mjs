// The demo's chat page, as a person finds their way on it.

/** The page as this user, connected; `open` is a browser's. */
export async function chat(open, t, url, user, options) {
  const page = await open(t, `${url}/#/chat?as=${user}`, options);
  await says(device(page), 'Connected');
  return page;
}

/** One of the devices that a page shows, from 1. */
export const device = (page, n = 1) => page.locator('main section[aria-labelledby]:has(form)').nth(n - 1);

export const says = (where, text) => where.getByText(text, { exact: true }).waitFor();
export const state = (where, text) => where.locator('[data-phase]').filter({ hasText: text }).waitFor();
export const button = (where, name) => where.getByRole('button', { name });
export const room = (where, name) =>
  where.getByRole('navigation', { name: 'Rooms' }).getByRole('button', { name });
export const person = (where, name, status) =>
  where.getByRole('listitem').filter({ hasText: name }).filter({ hasText: status }).waitFor();

export const input = (where) => where.getByRole('textbox', { name: /^Message to/ });
export const log = (where) => where.getByRole('log', { name: 'Messages' });
/** What is shown as stored, from the top. */
export const texts = (where) => log(where).locator('p').filter({ hasNotText: /^Read by/ }).allTextContents();
/** What is shown as not stored yet. */
export const waiting = (where) => where.getByRole('list', { name: 'Not sent yet' }).getByRole('listitem');

export async function send(where, text) {
  await input(where).fill(text);
  await input(where).press('Enter');
}

/** Waits until it is shown as stored. */
export const stored = (where, text) => log(where).getByText(text, { exact: true }).waitFor();

/** Sends it, and waits until it is shown as stored. */
export async function post(where, text) {
  await send(where, text);
  await stored(where, text);
}
