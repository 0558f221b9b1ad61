// Catching up: over the socket and over HTTP, in both directions.

import assert from 'node:assert/strict';

import { assertOk, assertProblem, assertRefused, scenario } from '../world.mjs';

const COUNT = 7;
const seqs = (page) => page.messages.map((message) => message.seq);

/** A room with seven messages. */
async function written(w) {
  const room = w.id('room');
  const users = { alice: w.user('alice') };
  const alice = await w.member(users.alice, room);
  const messages = [];
  for (let n = 1; n <= COUNT; n += 1) {
    const ack = await alice.ask('message:send', { roomId: room, content: `message ${n}` });
    messages.push(assertOk(ack).message);
  }
  return { room, users, alice, messages };
}

export default [
  scenario('messages:since pages forward by seq or by id', async (w) => {
    const { room, alice, messages } = await written(w);
    const since = async (rest) => assertOk(await alice.ask('messages:since', { roomId: room, ...rest }));
    const first = await since({ after: 0, limit: 3 });
    assert.deepEqual(seqs(first), [1, 2, 3]);
    assert.equal(first.hasMore, true);
    assert.equal(first.verdict, 'complete');
    const second = await since({ after: first.messages[2].id, limit: 3 });
    assert.deepEqual(seqs(second), [4, 5, 6]);
    const last = await since({ after: 6, limit: 3 });
    assert.deepEqual(seqs(last), [7]);
    assert.equal(last.hasMore, false);
    assert.equal(last.messages[0].id, messages[6].id);
    assert.deepEqual(seqs(await since({ after: 7 })), []);
  }),

  scenario('an unknown cursor is answered by reset, not by silence', async (w) => {
    const { room, alice } = await written(w);
    const page = assertOk(
      await alice.ask('messages:since', { roomId: room, after: 'no-such-message', limit: 2 }),
    );
    assert.equal(page.verdict, 'reset');
    assert.deepEqual(seqs(page), [1, 2]);
  }),

  scenario('messages:since is refused without access, and never gives more than 100', async (w) => {
    const { room, alice } = await written(w);
    const sends = Array.from({ length: 110 }, (_, n) =>
      alice.ask('message:send', { roomId: room, content: `more ${n}` }));
    (await Promise.all(sends)).forEach(assertOk);
    const page = await alice.ask('messages:since', { roomId: room, after: 0, limit: 1000 });
    // A server may refuse such a limit, or cut it.
    if (page.ok) assert.ok(page.messages.length <= 100 && page.hasMore);
    else assertRefused(page);
    const bob = await w.connect(w.user('bob', { rooms: [] }));
    assertRefused(await bob.ask('messages:since', { roomId: room, after: 0 }));
  }),

  scenario('the HTTP history pages in both directions', async (w) => {
    const { room, users, messages } = await written(w);
    const page = async (query) => {
      const got = await w.http('GET', `/api/rooms/${room}/messages?${query}`, { as: users.alice });
      assert.equal(got.status, 200, got.text);
      return got.body;
    };
    const forward = await page('after=2&limit=3');
    assert.deepEqual(seqs(forward), [3, 4, 5]);
    assert.equal(forward.hasMore, true);
    assert.equal(forward.verdict, 'complete');
    assert.deepEqual(seqs(await page(`after=${messages[4].id}&limit=10`)), [6, 7]);
    const back = await page('before=5&limit=3');
    assert.deepEqual(seqs(back).sort(), [2, 3, 4]);
    assert.equal(back.hasMore, true);
    const start = await page(`before=${messages[1].id}&limit=3`);
    assert.deepEqual(seqs(start), [1]);
    assert.equal(start.hasMore, false);
    assert.deepEqual(seqs(await page('limit=2')).sort(), [6, 7]);
  }),

  scenario('the HTTP history is for those with access', async (w) => {
    const { room } = await written(w);
    const path = `/api/rooms/${room}/messages`;
    assertProblem(await w.http('GET', path), 401);
    assertProblem(await w.http('GET', path, { as: w.user('bob', { rooms: [] }) }), 403);
    assertProblem(await w.http('GET', `${path}?limit=nonsense`, { as: w.user('bob') }), 400);
  }),
];
