// Who is there: devices, the grace window, statuses.

import assert from 'node:assert/strict';

import { CONNECTED } from '../client.mjs';
import { assertOk, assertRefused, scenario } from '../world.mjs';

const of = (user, status) => (change) =>
  change.userId === user.id && (status === undefined || change.status === status);

const statuses = (watcher, user) =>
  watcher.heard('presence:changed', of(user)).map((change) => change.status);

export default [
  scenario('a user with two devices comes online once and goes offline once', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const bob = await w.connect(users.bob);
    const phone = await w.connect(users.alice);
    await bob.next('presence:changed', of(users.alice, 'online'));
    const laptop = await w.connect(users.alice);
    await laptop.next('socket-id');
    phone.close();
    laptop.close();
    const offline = await bob.next('presence:changed', of(users.alice, 'offline'));
    assert.ok(offline.lastSeen, JSON.stringify(offline));
    await w.settle(bob);
    assert.deepEqual(statuses(bob, users.alice), ['online', 'offline']);
  }),

  scenario('a goodbye is offline at once, a lost transport after the grace window', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob'), carol: w.user('carol') };
    const bob = await w.connect(users.bob);
    const carol = await w.connect(users.carol, { reconnection: false });
    const alice = await w.connect(users.alice);
    await alice.next('socket-id');
    carol.drop();
    alice.close();
    await bob.next('presence:changed', of(users.carol, 'offline'));
    const order = bob
      .heard('presence:changed', (change) => change.status === 'offline')
      .map((change) => change.userId)
      .filter((id) => id === users.alice.id || id === users.carol.id);
    assert.deepEqual(order, [users.alice.id, users.carol.id]);
  }),

  scenario('a reconnection within the grace window makes no flap', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob'), carol: w.user('carol') };
    const bob = await w.connect(users.bob);
    const alice = await w.connect(users.alice);
    const carol = await w.connect(users.carol, { reconnection: false });
    await carol.next('socket-id');
    alice.drop();
    await alice.next(CONNECTED);
    // Carol's window begins after alice's did: once it has ended, so has alice's.
    carol.drop();
    await bob.next('presence:changed', of(users.carol, 'offline'));
    await w.settle(bob);
    assert.deepEqual(statuses(bob, users.alice), ['online']);
  }),

  scenario('a status is told to others and can be asked for', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const bob = await w.connect(users.bob);
    const alice = await w.connect(users.alice);
    assertOk(await alice.ask('presence:update', 'busy'));
    await bob.next('presence:changed', of(users.alice, 'busy'));
    const nobody = w.id('nobody');
    const asked = [users.alice.id, users.bob.id, nobody];
    const { presence } = assertOk(await bob.ask('presence:get', asked));
    assert.equal(presence[users.alice.id].status, 'busy');
    assert.equal(presence[users.alice.id].devices, 1);
    assert.equal(presence[users.bob.id].status, 'online');
    assert.equal(presence[nobody]?.status ?? 'offline', 'offline');
    assertOk(await alice.ask('presence:update', 'online'));
    await bob.next('presence:changed', of(users.alice, 'online'));
  }),

  scenario('a status that is none, and too long a list, are refused', async (w) => {
    const alice = await w.connect(w.user('alice'));
    assertRefused(await alice.ask('presence:update', 'sleepy'));
    assertRefused(await alice.ask('presence:update', 'offline'));
    const many = Array.from({ length: 101 }, (_, n) => `user-${n}`);
    assertRefused(await alice.ask('presence:get', many));
    assertOk(await alice.ask('presence:get', many.slice(1)));
  }),

  scenario('presence is there over HTTP, by user and by room', async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    await w.member(users.alice, room);
    const byUser = await w.http('GET', `/api/presence?users=${users.alice.id},${users.bob.id}`, {
      as: users.bob,
    });
    assert.equal(byUser.status, 200, byUser.text);
    const map = byUser.body.presence ?? byUser.body;
    assert.equal(map[users.alice.id].status, 'online');
    const byRoom = await w.http('GET', `/api/rooms/${room}/presence`, { as: users.bob });
    assert.equal(byRoom.status, 200, byRoom.text);
    const members = byRoom.body.presence ?? byRoom.body;
    assert.equal(members[users.alice.id].status, 'online');
    assert.ok(!(users.bob.id in members));
  }),
];
