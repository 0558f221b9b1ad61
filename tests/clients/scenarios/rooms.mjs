// Joining and leaving chat rooms.

import assert from 'node:assert/strict';

import { assertOk, assertRefused, scenario } from '../world.mjs';

const of = (user) => (payload) => payload?.userId === user.id;

export default [
  scenario('a join is acked with the last seq and the members', async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const alice = await w.connect(users.alice);
    const first = assertOk(await alice.ask('join:room', room));
    assert.equal(first.lastSeq, 0);
    await alice.ask('message:send', { roomId: room, content: 'anybody here?' });
    const bob = await w.connect(users.bob);
    const ack = assertOk(await bob.ask('join:room', room));
    assert.equal(ack.lastSeq, 1);
    const members = JSON.stringify(ack.members);
    assert.equal(ack.members.length, 2, members);
    for (const user of Object.values(users)) assert.ok(members.includes(user.id), members);
  }),

  scenario('user:joined comes once per user, not per device', async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const bob = await w.member(users.bob, room);
    await w.member(users.alice, room);
    assert.deepEqual(await bob.next('user:joined', of(users.alice)), {
      userId: users.alice.id,
      username: users.alice.name,
      roomId: room,
    });
    const second = await w.member(users.alice, room);
    assertOk(await second.ask('join:room', room));
    await w.settle(bob, second);
    assert.equal(bob.heard('user:joined', of(users.alice)).length, 1);
    assert.equal(bob.heard('user:joined', of(users.bob)).length, 0);
  }),

  scenario('user:left comes once, when the last device leaves', async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const bob = await w.member(users.bob, room);
    const [phone, laptop] = [await w.member(users.alice, room), await w.member(users.alice, room)];
    assertOk(await phone.ask('leave:room', room));
    await w.settle(bob);
    assert.equal(bob.heard('user:left').length, 0);
    assertOk(await laptop.ask('leave:room', room));
    assert.deepEqual(await bob.next('user:left'), {
      userId: users.alice.id,
      username: users.alice.name,
      roomId: room,
    });
    await laptop.ask('leave:room', room);
    await w.settle(bob);
    assert.equal(bob.heard('user:left').length, 1);
  }),

  scenario('user:left comes once, when the last device disconnects', async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const bob = await w.member(users.bob, room);
    const [phone, laptop] = [await w.member(users.alice, room), await w.member(users.alice, room)];
    phone.close();
    laptop.close();
    await bob.next('user:left', of(users.alice));
    await w.settle(bob);
    assert.equal(bob.heard('user:left').length, 1);
  }),

  scenario('a refused join is told by the ack and by an error event', async (w) => {
    const alice = await w.connect(w.user('alice', { rooms: ['team-*'] }));
    const room = w.id('secret');
    assertRefused(await alice.ask('join:room', room));
    const error = await alice.next('error');
    assert.equal(error.event, 'join:room');
    assert.equal(typeof error.message, 'string');
    assert.equal(typeof error.code, 'string');
    alice.tell('join:room', room);
    assert.equal((await alice.next('error')).event, 'join:room');
    assertOk(await alice.ask('join:room', w.id('team')));
    await w.settle(alice);
    assert.equal(alice.heard('error').length, 2);
  }),

  scenario('a socket that left a room hears it no more', async (w) => {
    const room = w.id('room');
    const [alice, bob] = [await w.member(w.user('alice'), room), await w.member(w.user('bob'), room)];
    assertOk(await alice.ask('leave:room', room));
    assertOk(await bob.ask('message:send', { roomId: room, content: 'gone?' }));
    await w.settle(alice);
    assert.equal(alice.heard('message:new').length, 0);
    assertRefused(await alice.ask('message:send', { roomId: room, content: 'yes' }), 'not_in_room');
  }),

  scenario('a room named like a user or a socket is a chat room and nothing else', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const [alice, bob] = [await w.connect(users.alice), await w.connect(users.bob)];
    assertOk(await alice.ask('join:room', `user:${users.bob.id}`));
    assertOk(await alice.ask('join:room', bob.id));
    const emit = (to) => w.service('POST', '/api/emit', { event: 'private', args: [1], to });
    assert.equal((await emit({ users: [users.bob.id] })).status, 202);
    assert.equal((await emit({ sockets: [bob.id] })).status, 202);
    await w.settle(bob, alice);
    assert.equal(bob.heard('private').length, 2);
    assert.equal(alice.heard('private').length, 0);
    assert.equal((await emit({ rooms: [`room:user:${users.bob.id}`] })).status, 202);
    await alice.next('private');
  }),
];
