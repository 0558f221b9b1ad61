// What a user is told though nobody was there to hear it, or the server ended in between: outcomes
// of payments, and what a recovered socket missed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RECOVERY, comeBack, leave, onServer, pair } from './away.mjs';
import { byHttp, bySocket, missed, notify, post } from './catch_up.mjs';
import { CONNECTED } from './client.mjs';
import { eventually } from './observe.mjs';
import { finish, pay } from './scenarios/payments.mjs';
import { Stream } from './sse.mjs';

const OUTCOME = 'payment-status';
/** Long enough for a kill between a request and its outcome. */
const SLOW = { ROOMCAST_PAYMENTS__DELAY_MS: '600' };
/** No outcome but what a service says. */
const NEVER = { ROOMCAST_PAYMENTS__DELAY_MS: '600000' };

const devices = async (w, user) => {
  const { body } = await w.http('GET', `/api/presence?users=${user.id}`, { as: user });
  return body[user.id].devices;
};

/** Says goodbye, and waits until the server knows. */
async function goodbye(w, user, device) {
  const before = await devices(w, user);
  device.close();
  await eventually(async () => (await devices(w, user)) === before - 1, 'the device is gone');
}

/** The outcomes that `sync` lists, without what the store adds. */
const listed = async (sync) =>
  (await missed(sync)).notifications.map(({ event, paymentId, status }) => ({ event, paymentId, status }));

test('an outcome reaches another device when its socket has gone, sync, and the stream', () =>
  onServer(NEVER, async (w) => {
    const user = w.user('alice');
    const [phone, laptop] = [await w.connect(user), await w.connect(user)];
    const stream = await Stream.open(w.url, '/events/notifications', { as: user.token });
    const paymentId = await pay(w, user, phone);
    await goodbye(w, user, phone);
    await finish(w, paymentId, 'failed');
    assert.equal(await laptop.next(OUTCOME), false);
    const { data, id } = await stream.next(({ event }) => event === OUTCOME, 'the outcome on the stream');
    stream.close();
    assert.deepEqual({ ...data, createdAt: 0 }, { id, createdAt: 0, paymentId, status: 'failed' });
    for (const sync of [bySocket(laptop), byHttp(w, user)]) {
      assert.deepEqual(await listed(sync), [{ event: OUTCOME, paymentId, status: 'failed' }]);
    }
    const later = await w.connect(user);
    await w.settle(laptop, later);
    assert.deepEqual([laptop.heard(OUTCOME), later.heard(OUTCOME)], [[false], []]);
  }));

const KILLS = {
  'between the request and the outcome': [SLOW, () => {}],
  'after the outcome, which nobody was there to hear': [NEVER, (w, id) => finish(w, id, 'succeeded')],
};

for (const [moment, [settings, settle]] of Object.entries(KILLS)) {
  test(`an outcome is told once though the server is killed ${moment}`, () =>
    onServer(settings, async (w, server) => {
      const again = async () => {
        await server.kill();
        await server.startAgain();
      };
      const user = w.user('alice');
      const phone = await w.connect(user);
      const paymentId = await pay(w, user, phone);
      await goodbye(w, user, phone);
      await settle(w, paymentId);
      await again();
      const alice = await w.connect(user);
      assert.equal(await alice.next(OUTCOME), true);
      assert.deepEqual(await listed(bySocket(alice)), [{ event: OUTCOME, paymentId, status: 'succeeded' }]);
      await again();
      await alice.next(CONNECTED);
      const later = await w.connect(user);
      await w.settle(alice, later);
      assert.deepEqual([alice.heard(OUTCOME), later.heard(OUTCOME)], [[true], []]);
      assert.equal((await listed(bySocket(alice))).length, 1);
    }));
}

test('an outcome is told once to a socket that was connected when the server was killed', () =>
  onServer(SLOW, async (w, server) => {
    const user = w.user('alice');
    const alice = await w.connect(user);
    await pay(w, user, alice);
    await server.kill();
    await server.startAgain();
    assert.equal(await alice.next(OUTCOME), true);
    await w.settle(alice);
    assert.deepEqual(alice.heard(OUTCOME), [true]);
  }));

const MEANWHILE = {
  'goes on': () => {},
  restarts: async (server) => {
    await server.terminate();
    await server.startAgain();
  },
};

for (const [what, happens] of Object.entries(MEANWHILE)) {
  test(`a recovered socket hears what it missed once and in order, while the server ${what}`, () =>
    onServer({ ...RECOVERY, ...NEVER }, async (w, server) => {
      const { users, bob } = await pair(w);
      const heard = [];
      bob.socket.onAny((event, value) => {
        if (value?.n) heard.push([event, value.n, value.id]);
      });
      const id = await pay(w, users.bob, bob);
      const order = (n) => post(w, '/api/orders', { vendorId: users.bob.id, n });
      const notification = (n, more) => notify(w, users.bob, { n, ...more });
      const sent = [['notification', 1, await notification(1)], ['new-order', 2, await order(2)]];
      await bob.next('new-order');
      await leave(bob);
      sent.push(['notification', 3, await notification(3)], ['new-order', 4, await order(4)]);
      await finish(w, id, 'succeeded');
      await happens(server);
      sent.push(['news', 5, await notification(5, { event: 'news' })], ['new-order', 6, await order(6)]);
      assert.equal(await comeBack(bob), true);
      assert.equal(await bob.next(OUTCOME), true);
      sent.push(['notification', 7, await notification(7)]);
      await w.settle(bob);
      assert.deepEqual(heard, sent);
      assert.deepEqual(bob.heard(OUTCOME), [true]);
      await leave(bob);
      assert.equal(await comeBack(bob), true);
      await w.settle(bob);
      assert.deepEqual([heard.length, bob.heard(OUTCOME)], [sent.length, [true]]);
    }));
}
