// What a user missed, in all that is theirs.

import assert from 'node:assert/strict';

import { say } from '../away.mjs';
import { bySocket, contentsOf, missed, notify } from '../catch_up.mjs';
import { assertOk, assertProblem, assertRefused, scenario } from '../world.mjs';

/** Alice in two rooms. */
async function writer(w) {
  const [kitchen, garage] = [w.id('kitchen'), w.id('garage')];
  const users = { alice: w.user('alice'), bob: w.user('bob') };
  const alice = await w.member(users.alice, kitchen);
  assertOk(await alice.ask('join:room', garage));
  return { kitchen, garage, users, alice };
}

export default [
  scenario('sync tells who was away what came in all that is theirs, once and in order', async (w) => {
    const { kitchen, garage, users, alice } = await writer(w);
    const bob = await w.member(users.bob, kitchen);
    assertOk(await bob.ask('join:room', garage));
    await say(alice, kitchen, 'bob is there');
    const { cursor } = await missed(bySocket(bob));
    bob.close();
    const one = await say(alice, kitchen, 'one');
    await say(alice, garage, 'two');
    await say(alice, kitchen, 'three');
    const direct = await alice.ask('send-message', { to: users.bob.id, content: 'for bob' });
    const id = await notify(w, users.bob, { title: 'news' });
    await notify(w, users.alice, { title: 'not for bob' });
    assertOk(await alice.ask('presence:update', 'busy'));
    const sync = bySocket(await w.connect(users.bob));
    const page = await missed(sync, cursor);
    assert.equal(page.verdict, 'complete');
    assert.deepEqual(contentsOf(page.messages), ['one', 'two', 'three']);
    assert.deepEqual(page.messages[0], one);
    assert.deepEqual(page.directMessages, [assertOk(direct).message]);
    const [{ createdAt, ...notification }, ...more] = page.notifications;
    const expected = { id, seq: 1, event: 'notification', userId: users.bob.id, title: 'news' };
    assert.deepEqual(notification, expected);
    assert.deepEqual(more, []);
    assert.deepEqual(page.orders, []);
    const ofAlice = page.presenceUpdates.filter(({ userId }) => userId === users.alice.id);
    assert.deepEqual(ofAlice.map(({ status }) => status), ['busy']);
    await say(alice, garage, 'four');
    const next = await missed(sync, page.cursor);
    assert.deepEqual(contentsOf(next.messages), ['four']);
    assert.deepEqual([...next.directMessages, ...next.notifications], []);
    assert.ok(!next.presenceUpdates.some(({ userId }) => userId === users.alice.id));
  }),

  scenario('sync goes from the beginning, or from a time on, where no cursor is known', async (w) => {
    const { kitchen, garage, alice } = await writer(w);
    const written = [];
    for (const room of [kitchen, garage, kitchen]) written.push(await say(alice, room, `in ${room}`));
    const sync = bySocket(alice);
    for (const since of [undefined, '', '1970-01-01T00:00:00Z', '2020-02-02T02:02:02.123+02:00']) {
      assert.deepEqual((await missed(sync, since)).messages, written, since);
    }
    const { createdAt } = written[2];
    const since = written.filter((message) => message.createdAt >= createdAt);
    assert.deepEqual((await missed(sync, createdAt)).messages, since);
    const soon = new Date(Date.now() + 60_000).toISOString();
    assert.deepEqual((await missed(sync, soon)).messages, []);
  }),

  scenario('a vendor finds orders in sync', async (w) => {
    const user = w.user('vera', { roles: ['vendor'] });
    const vera = await w.connect(user);
    const { body } = await w.service('POST', '/api/orders', { vendorId: user.id, total: 7 });
    const { orders } = await missed(bySocket(vera));
    assert.deepEqual(orders.map(({ id, event, total }) => [id, event, total]), [[body.id, 'new-order', 7]]);
  }),

  scenario('what is neither a cursor nor a time is invalid_payload', async (w) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    for (const since of ['yesterday', '2020-13-01T00:00:00Z', '1.2.3.4', 5, true, {}, []]) {
      assertRefused(await alice.ask('sync', { since }), 'invalid_payload');
    }
    for (const argument of ['1970-01-01T00:00:00Z', 5, []]) {
      assertRefused(await alice.ask('sync', argument), 'invalid_payload');
    }
    assertProblem(await w.http('GET', '/api/sync?since=yesterday', { as: user }), 400, 'invalid_payload');
  }),

  scenario('sync is for those who are signed in', async (w) => {
    const guest = await w.connect();
    const ack = await guest.ask('sync');
    assertRefused(ack);
    assert.equal(ack.error, 'Authentication required');
    assertProblem(await w.http('GET', '/api/sync'), 401);
  }, 'guests'),
];
