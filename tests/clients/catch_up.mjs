// What a user missed: pages of `sync`, over the socket and over HTTP, and what is unread.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { WEBSOCKET, inWorld } from './away.mjs';
import { Server, request } from './server.mjs';
import { assertOk } from './world.mjs';

const LISTS = ['messages', 'directMessages', 'notifications', 'orders', 'presenceUpdates'];
const PAGE = 100;
const PRESENCE_PAGE = 200;
const LIMIT_MS = 60_000;

/** The event `sync` of this client: from a cursor or a time on, or from the beginning. */
export const bySocket = (client) => async (since) => {
  const { ok, ...page } = assertOk(await client.ask('sync', ...(since === undefined ? [] : [{ since }])));
  return page;
};

/** The route `GET /api/sync` as this user. */
export const byHttp = (server, { token }) => async (since) => {
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
  const got = await request(server.url, 'GET', `/api/sync${query}`, { as: token });
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

/** Tests on one server, each with connections of its own. */
export function onOneServer(name, settings, tests) {
  describe(name, { timeout: LIMIT_MS }, () => {
    let server;
    before(async () => {
      server = await Server.start(settings);
    });
    after(() => server.stop());
    for (const [sentence, run] of Object.entries(tests)) {
      test(sentence, () => inWorld(server, WEBSOCKET, run));
    }
  });
}

/** Alice and bob in these rooms. */
export async function pairIn(w, ...rooms) {
  const users = { alice: w.user('alice'), bob: w.user('bob') };
  const [alice, bob] = [await w.connect(users.alice), await w.connect(users.bob)];
  for (const room of rooms) {
    for (const client of [alice, bob]) assertOk(await client.ask('join:room', room));
  }
  return { users, alice, bob };
}

/** The room as its member finds it: in the list of rooms and on joining. */
export async function overview(w, room, user, client) {
  const { status, body, text } = await w.http('GET', '/api/rooms', { as: user });
  assert.equal(status, 200, text);
  const { roomId, ...found } = body.rooms.find((one) => one.roomId === room);
  const { lastSeq, unread } = assertOk(await client.ask('join:room', room));
  assert.deepEqual({ lastSeq, unread }, { lastSeq: found.lastSeq, unread: found.unread });
  return found;
}

export const read = async (client, { roomId, id }) =>
  assertOk(await client.ask('chat:read', { roomId, messageId: id })).unread;
