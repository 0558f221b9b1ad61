// What backends do: emits, members, sessions, revocations.

import assert from 'node:assert/strict';

import { DISCONNECTED, REFUSED } from '../client.mjs';
import { assertOk, assertProblem, assertRefused, scenario } from '../world.mjs';

export default [
  scenario('an emit reaches rooms, users and sockets, each socket once', async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob'), carol: w.user('carol') };
    const alice = await w.member(users.alice, room);
    const [bob, bobToo] = [await w.connect(users.bob), await w.connect(users.bob)];
    const [carol, dave] = [await w.connect(users.carol), await w.connect(w.user('dave'))];
    const emit = async (rest) => {
      const body = { event: 'news', args: ['extra', { n: 1 }, [2]], ...rest };
      const sent = await w.service('POST', '/api/emit', body);
      assert.equal(sent.status, 202, sent.text);
    };
    const arguments_ = new Promise((resolve) => {
      alice.socket.on('news', (...args) => resolve(args));
    });
    const to = { rooms: [`room:${room}`], users: [users.bob.id, users.alice.id], sockets: [carol.id] };
    await emit({ to });
    for (const device of [alice, bob, bobToo, carol]) await device.next('news');
    assert.deepEqual(await arguments_, ['extra', { n: 1 }, [2]]);
    await emit({ to, except: { sockets: [bobToo.id], users: [users.carol.id] } });
    for (const device of [alice, bob]) await device.next('news');
    await w.settle(alice, bob, bobToo, carol, dave);
    const counts = [alice, bob, bobToo, carol, dave].map((device) => device.heard('news').length);
    assert.deepEqual(counts, [2, 2, 1, 1, 0]);
  }),

  scenario('an emit is for services, and needs an event', async (w) => {
    const body = { event: 'news', args: [], to: { users: ['nobody'] } };
    assertProblem(await w.http('POST', '/api/emit', { body }), 401);
    assertProblem(await w.http('POST', '/api/emit', { as: 'not-a-key-nor-a-token', body }), 401);
    assertProblem(await w.http('POST', '/api/emit', { as: w.user('alice'), body }), 403);
    assertProblem(await w.service('POST', '/api/emit', { args: [] }), 400);
    const service = w.user('worker', { roles: ['service'] });
    assert.equal((await w.http('POST', '/api/emit', { as: service, body })).status, 202);
  }),

  scenario('a room by membership opens to members, and a removed one leaves it at once', async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const member = (method, user) =>
      w.service(method, `/api/rooms/${room}/members/${user.id}`).then((response) =>
        assert.equal(response.status, 204, response.text));
    const alice = await w.connect(users.alice);
    assertRefused(await alice.ask('join:room', room));
    await member('PUT', users.alice);
    await member('PUT', users.alice);
    await member('PUT', users.bob);
    assertOk(await alice.ask('join:room', room));
    const bob = await w.member(users.bob, room);
    await member('DELETE', users.alice);
    await bob.next('user:left', ({ userId }) => userId === users.alice.id);
    assertOk(await bob.ask('message:send', { roomId: room, content: 'is alice gone?' }));
    await w.settle(alice);
    assert.equal(alice.heard('message:new').length, 0);
    assertRefused(await alice.ask('message:send', { roomId: room, content: 'no' }), 'not_in_room');
    assertRefused(await alice.ask('join:room', room));
    const history = await w.http('GET', `/api/rooms/${room}/messages`, { as: users.alice });
    assertProblem(history, 403);
  }, 'members'),

  scenario('ended sessions disconnect all devices of that user and of nobody else', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const alices = [await w.connect(users.alice), await w.connect(users.alice)];
    const bob = await w.connect(users.bob);
    const path = `/api/users/${users.alice.id}/sessions`;
    assertProblem(await w.http('DELETE', path, { as: users.alice }), 403);
    assert.equal((await w.service('DELETE', path)).status, 204);
    for (const device of alices) await device.next(DISCONNECTED);
    await w.settle(bob);
    assert.equal(bob.heard(DISCONNECTED).length, 0);
  }),

  scenario('a revoked token is disconnected and not let in again', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const [alice, bob] = [await w.connect(users.alice), await w.connect(users.bob)];
    const body = { token: users.alice.token };
    assertProblem(await w.http('POST', '/api/tokens/revoke', { as: users.bob, body }), 403);
    const revoked = await w.service('POST', '/api/tokens/revoke', body);
    assert.equal(revoked.status, 204, revoked.text);
    await alice.next(DISCONNECTED);
    const again = w.dial(users.alice);
    const error = await again.next(REFUSED);
    assert.equal(error.message ?? 'Invalid token', 'Invalid token');
    assertProblem(await w.http('GET', '/api/presence?users=x', { as: users.alice }), 401);
    await w.settle(bob);
    const fresh = await w.connect(w.user('alice'));
    await fresh.next('socket-id');
  }),
];
