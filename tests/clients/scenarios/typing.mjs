// Typing signals, and the ways in which they end.

import assert from 'node:assert/strict';

import { assertOk, scenario } from '../world.mjs';

const AUTO_STOP_LIMIT_MS = 12_000;

/** Alice has started to type, and bob knows. */
async function typing(w) {
  const room = w.id('room');
  const users = { alice: w.user('alice'), bob: w.user('bob') };
  const alice = await w.member(users.alice, room);
  const bob = await w.member(users.bob, room);
  assertOk(await alice.ask('typing:start', room));
  const signal = { userId: users.alice.id, username: users.alice.name, roomId: room };
  assert.deepEqual(await bob.next('typing:user'), { ...signal, typing: true });
  const stopped = async (withinMs) =>
    assert.deepEqual(await bob.next('typing:user', undefined, withinMs), { ...signal, typing: false });
  return { room, alice, bob, stopped };
}

export default [
  scenario('typing is shown to the others until typing:stop', async (w) => {
    const { room, alice, bob, stopped } = await typing(w);
    assertOk(await alice.ask('typing:stop', room));
    await stopped();
    await w.settle(alice, bob);
    assert.equal(alice.heard('typing:user').length, 0);
    assert.equal(bob.heard('typing:user').length, 2);
  }),

  scenario('typing ends by itself', async (w) => {
    const { stopped } = await typing(w);
    await stopped(AUTO_STOP_LIMIT_MS);
  }),

  scenario('typing ends with a sent message', async (w) => {
    const { room, alice, stopped } = await typing(w);
    assertOk(await alice.ask('message:send', { roomId: room, content: 'done' }));
    await stopped();
  }),

  scenario('typing ends with the connection', async (w) => {
    const { alice, stopped } = await typing(w);
    alice.close();
    await stopped();
  }),
];
