// Messages in a room: delivery, idempotence, attachments, edits, read cursors.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { bytes } from '../client.mjs';
import { assertOk, assertRefused, scenario } from '../world.mjs';

const idOf = (payload) => payload.messageId ?? payload.id ?? payload.message?.id;

/** Alice and bob in a room of their own. */
async function pair(w) {
  const room = w.id('room');
  const users = { alice: w.user('alice'), bob: w.user('bob') };
  const alice = await w.member(users.alice, room);
  const bob = await w.member(users.bob, room);
  const send = async (content, more = {}) =>
    assertOk(await alice.ask('message:send', { roomId: room, content, ...more })).message;
  return { room, users, alice, bob, send };
}

/** A message under either event name reaches every device with every field. */
function delivery(sent, heard, other) {
  return async (w) => {
    const { room, users, alice, bob } = await pair(w);
    const laptop = await w.member(users.alice, room);
    const clientId = w.id('client');
    const { message } = assertOk(await alice.ask(sent, { roomId: room, content: 'hällo 👋', clientId }));
    for (const device of [alice, bob, laptop]) {
      const { id, createdAt, ...rest } = await device.next(heard);
      assert.deepEqual(rest, {
        seq: 1,
        roomId: room,
        userId: users.alice.id,
        username: users.alice.name,
        content: 'hällo 👋',
        clientId,
      });
      assert.equal(id, message.id);
      assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000, createdAt);
    }
    await w.settle(alice, bob, laptop);
    for (const device of [alice, bob, laptop]) {
      assert.equal(device.heard(heard).length, 1);
      assert.equal(device.heard(other).length, 0);
    }
  };
}

export default [
  scenario('message:send reaches every device in the room as message:new',
    delivery('message:send', 'message:new', 'chat:message')),

  scenario('chat:message reaches every device in the room under its own name',
    delivery('chat:message', 'chat:message', 'message:new')),

  scenario('both names share one store and one seq', async (w) => {
    const { room, alice, send } = await pair(w);
    assert.equal((await send('one')).seq, 1);
    const two = await alice.ask('chat:message', { roomId: room, content: 'two' });
    assert.equal(two.message.seq, 2);
    assert.equal((await send('three')).seq, 3);
  }),

  scenario('a join and a message may be sent back to back, before the connection stands', async (w) => {
    const room = w.id('room');
    const bob = await w.member(w.user('bob'), room);
    const alice = w.dial(w.user('alice'));
    alice.tell('join:room', room);
    const acks = ['one', 'two', 'three'].map((content) =>
      alice.ask('message:send', { roomId: room, content }));
    (await Promise.all(acks)).forEach(assertOk);
    for (const content of ['one', 'two', 'three']) {
      assert.equal((await bob.next('message:new')).content, content);
    }
  }),

  scenario('a message into a room that was not joined is not_in_room', async (w) => {
    const room = w.id('room');
    const bob = await w.member(w.user('bob'), room);
    const alice = await w.connect(w.user('alice'));
    assertRefused(await alice.ask('message:send', { roomId: room, content: 'hi' }), 'not_in_room');
    alice.tell('message:send', { roomId: room, content: 'hi' });
    const error = await alice.next('error');
    assert.equal(error.code, 'not_in_room');
    assert.equal(error.event, 'message:send');
    await w.settle(bob);
    assert.equal(bob.heard('message:new').length, 0);
  }),

  scenario('the same clientId gives the same message and one delivery', async (w) => {
    const { room, alice, bob, users, send } = await pair(w);
    const clientId = w.id('once');
    const [first, second] = await Promise.all([send('once', { clientId }), send('once', { clientId })]);
    assert.equal(second.id, first.id);
    assert.equal(second.seq, first.seq);
    const laptop = await w.member(users.alice, room);
    const again = await laptop.ask('message:send', { roomId: room, content: 'once', clientId });
    assert.equal(assertOk(again).message.id, first.id);
    const other = await bob.ask('message:send', { roomId: room, content: 'mine', clientId });
    assert.notEqual(assertOk(other).message.id, first.id);
    await w.settle(alice, bob);
    assert.deepEqual(bob.heard('message:new').map((message) => message.seq), [1, 2]);
    assert.deepEqual(alice.heard('message:new').map((message) => message.seq), [1, 2]);
  }),

  scenario('a burst of one socket arrives in the order in which it was sent', async (w) => {
    const { alice, bob, room } = await pair(w);
    const sent = Array.from({ length: 40 }, (_, n) => `line ${n}`);
    const acks = sent.map((content) => alice.ask('message:send', { roomId: room, content }));
    (await Promise.all(acks)).forEach(assertOk);
    await w.settle(alice, bob);
    for (const device of [alice, bob]) {
      const got = device.heard('message:new');
      assert.deepEqual(got.map((message) => message.content), sent);
      assert.deepEqual(got.map((message) => message.seq), sent.map((_, n) => n + 1));
    }
  }),

  scenario('a binary attachment comes out as it went in', async (w) => {
    const { room, alice, bob, send } = await pair(w);
    const attachment = randomBytes(70_000);
    const { id } = await send('a picture', { attachment });
    for (const device of [alice, bob]) {
      const message = await device.next('message:new', (got) => got.id === id);
      assert.ok(bytes(message.attachment).equals(attachment));
    }
    const page = assertOk(await bob.ask('messages:since', { roomId: room, after: 0 }));
    assert.ok(bytes(page.messages[0].attachment).equals(attachment));
  }),

  scenario('an attachment may be an object with binary in it', async (w) => {
    const { bob, send } = await pair(w);
    const data = Buffer.from([0, 1, 2, 253, 254, 255]);
    await send('a file', { attachment: { name: 'notes.txt', parts: [data] } });
    const { attachment } = await bob.next('message:new');
    assert.equal(attachment.name, 'notes.txt');
    assert.ok(bytes(attachment.parts[0]).equals(data));
  }),

  scenario('only its author edits a message', async (w) => {
    const { room, alice, bob, send } = await pair(w);
    const { id } = await send('helo');
    const edit = { roomId: room, messageId: id, content: 'hello' };
    assertRefused(await bob.ask('message:edit', edit), 'not_author');
    const { message } = assertOk(await alice.ask('message:edit', edit));
    assert.equal(message.content, 'hello');
    assert.equal(message.id, id);
    for (const device of [alice, bob]) {
      const edited = await device.next('message:edited');
      assert.equal(idOf(edited), id);
      assert.equal(edited.content ?? edited.message.content, 'hello');
    }
  }),

  scenario('only its author deletes a message', async (w) => {
    const { room, alice, bob, send } = await pair(w);
    const { id } = await send('regrets');
    assertRefused(await bob.ask('message:delete', { roomId: room, messageId: id }), 'not_author');
    assertOk(await alice.ask('message:delete', { roomId: room, messageId: id }));
    for (const device of [alice, bob]) assert.equal(idOf(await device.next('message:deleted')), id);
    await w.settle(bob);
    assert.equal(bob.heard('message:deleted').length, 1);
    const page = assertOk(await bob.ask('messages:since', { roomId: room, after: 0 }));
    assert.ok(!JSON.stringify(page).includes('regrets'));
    assert.equal((await send('next')).seq, 2);
  }),

  scenario('a read cursor only moves forward, and others are told', async (w) => {
    const { room, users, alice, bob, send } = await pair(w);
    const [one, two, three] = [await send('one'), await send('two'), await send('three')];
    const read = (message) => bob.ask('chat:read', { roomId: room, messageId: message.id });
    assert.equal(assertOk(await read(two)).unread, 1);
    const told = await alice.next('chat:read');
    assert.deepEqual(told, { userId: users.bob.id, roomId: room, messageId: two.id });
    assert.equal(assertOk(await read(one)).unread, 1);
    assert.equal(assertOk(await read(three)).unread, 0);
    await alice.next('chat:read', (mark) => mark.messageId === three.id);
    await w.settle(alice, bob);
    assert.equal(alice.heard('chat:read').length, 2);
    assert.equal(bob.heard('chat:read').length, 0);
    assertRefused(await read({ id: 'no-such-message' }));
  }),

  scenario('content has 1 to 8,192 characters', async (w) => {
    const { room, alice, send } = await pair(w);
    const refuse = async (content, code) =>
      assertRefused(await alice.ask('message:send', { roomId: room, content }), code);
    await refuse('', 'content_empty');
    await refuse('x'.repeat(8193), 'content_too_long');
    const longest = '€'.repeat(8192);
    assert.equal((await send(longest)).content, longest);
  }),
];
