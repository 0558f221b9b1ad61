// Messages from user to user.

import assert from 'node:assert/strict';

import { assertOk, assertRefused, scenario } from '../world.mjs';

export default [
  scenario('send-message reaches every device of both, except the one that sent it', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob'), carol: w.user('carol') };
    const [phone, laptop] = [await w.connect(users.alice), await w.connect(users.alice)];
    const bobs = [await w.connect(users.bob), await w.connect(users.bob)];
    const carol = await w.connect(users.carol);
    const sent = { to: users.bob.id, content: 'at the door', orderId: 'order-7', clientId: w.id('c') };
    const { message } = assertOk(await phone.ask('send-message', sent));
    for (const device of [...bobs, laptop]) {
      const { id, seq, createdAt, ...rest } = await device.next('message');
      assert.equal(id, message.id);
      assert.equal(seq, 1);
      assert.ok(Date.parse(createdAt) > 0);
      assert.deepEqual(rest, {
        senderId: users.alice.id,
        receiverId: users.bob.id,
        content: sent.content,
        orderId: sent.orderId,
        clientId: sent.clientId,
      });
    }
    await w.settle(phone, laptop, carol, ...bobs);
    assert.equal(phone.heard('message').length, 0);
    assert.equal(carol.heard('message').length, 0);
    for (const device of [...bobs, laptop]) assert.equal(device.heard('message').length, 1);
  }),

  scenario('a repeated direct message is delivered once', async (w) => {
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const [alice, bob] = [await w.connect(users.alice), await w.connect(users.bob)];
    const sent = { to: users.bob.id, content: 'once', clientId: w.id('c') };
    const first = assertOk(await alice.ask('send-message', sent));
    const second = assertOk(await alice.ask('send-message', sent));
    assert.equal(second.message.id, first.message.id);
    await w.settle(bob);
    assert.equal(bob.heard('message').length, 1);
  }),

  scenario('a direct message without a receiver or a text is refused', async (w) => {
    const alice = await w.connect(w.user('alice'));
    assertRefused(await alice.ask('send-message', { content: 'to whom?' }));
    assertRefused(await alice.ask('send-message', { to: w.id('bob') }));
    assertRefused(await alice.ask('send-message', { to: w.id('bob'), content: '' }), 'content_empty');
  }),
];
