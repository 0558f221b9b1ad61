// What a user missed: pages of `sync`, over the socket and over HTTP.

import assert from 'node:assert/strict';

import { assertOk } from './world.mjs';

const LISTS = ['messages', 'directMessages', 'notifications', 'orders', 'presenceUpdates'];
const PAGE = 100;
const PRESENCE_PAGE = 200;

/** The event `sync` of this client: from a cursor or a time on, or from the beginning. */
export const bySocket = (client) => async (since) => {
  const { ok, ...page } = assertOk(await client.ask('sync', ...(since === undefined ? [] : [{ since }])));
  return page;
};

/** The route `GET /api/sync` as this user. */
export const byHttp = (w, user) => async (since) => {
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
  const got = await w.http('GET', `/api/sync${query}`, { as: user });
  assert.equal(got.status, 200, got.text);
  return got.body;
};

/** Every page until there is no more. */
export async function pages(sync, since) {
  const all = [];
  do {
    all.push(await sync(all.at(-1)?.cursor ?? since));
    const { presenceUpdates, ...rest } = all.at(-1);
    const entries = LISTS.slice(0, -1).flatMap((list) => rest[list]);
    assert.ok(entries.length <= PAGE, `${entries.length} entries on one page`);
    assert.ok(presenceUpdates.length <= PRESENCE_PAGE);
  } while (all.at(-1).hasMore);
  return all;
}

/** All pages as one, and the verdict of the first. */
export async function missed(sync, since) {
  const all = await pages(sync, since);
  const joined = LISTS.map((list) => [list, all.flatMap((page) => page[list])]);
  return { ...Object.fromEntries(joined), verdict: all[0].verdict, cursor: all.at(-1).cursor };
}

/** What a backend posts; gives the id under which it is stored. */
export async function post(w, path, body) {
  const { status, body: stored, text } = await w.service('POST', path, body);
  assert.ok([201, 202].includes(status), text);
  assert.ok(stored.id, text);
  return stored.id;
}

export const notify = (w, user, more = {}) => post(w, '/api/notifications', { userId: user.id, ...more });

export const contentsOf = (messages) => messages.map(({ content }) => content);
export const seqsOf = (entries) => entries.map(({ seq }) => seq);
