// Catching up by `sync` and by rooms: what is one's own, once and in order, and nothing else.

import assert from 'node:assert/strict';

import { onServer, say } from './away.mjs';
import {
  byHttp, bySocket, contentsOf, missed, notify, onOneServer, overview, pages, pairIn, read, seqsOf,
} from './catch_up.mjs';
import { DISCONNECTED, bytes } from './client.mjs';
import { assertComplete, eventually, upTo } from './observe.mjs';
import { PROFILES, assertOk, assertProblem, assertRefused } from './world.mjs';

const STORED = 250;
const MEANWHILE = 90;
/** The numbers up to a hundred in two orders, both far from sorted. */
const SHUFFLED = [37, 61].map((stride) => upTo(100).map((n) => (n * stride) % 101));

const direct = async (client, user, content) =>
  assertOk(await client.ask('send-message', { to: user.id, content }));

const membership = async (w, method, room, user) => {
  const { status, text } = await w.service(method, `/api/rooms/${room}/members/${user.id}`);
  assert.equal(status, 204, text);
};

onOneServer('a user who catches up', {}, {
  'gets every entry once and in order, whatever is written meanwhile': async (w) => {
    const rooms = upTo(5).map((n) => w.id(`room-${n}`));
    const { users, alice, bob } = await pairIn(w, ...rooms);
    const write = (n) => say(alice, rooms[n % rooms.length], `message ${n}`);
    await Promise.all(upTo(STORED).map(write));
    let writing = true;
    const written = (async () => {
      for (const n of upTo(MEANWHILE)) {
        await Promise.all([write(n), direct(alice, users.bob, `direct ${n}`), notify(w, users.bob, { n })]);
      }
    })().finally(() => {
      writing = false;
    });
    const [first, second] = [bySocket(bob), byHttp(w, users.bob)];
    let turn = 0;
    const alternately = (since) => ((turn += 1) % 2 ? first : second)(since);
    const all = [];
    let isLast;
    do {
      isLast = !writing;
      all.push(...(await pages(alternately, all.at(-1)?.cursor)));
    } while (!isLast);
    await written;
    assert.ok(all.every(({ verdict }) => verdict === 'complete'));
    const messages = all.flatMap((page) => page.messages);
    for (const room of rooms) {
      const ofRoom = messages.filter(({ roomId }) => roomId === room);
      assertComplete(seqsOf(ofRoom), (STORED + MEANWHILE) / rooms.length, room);
    }
    assertComplete(all.flatMap((page) => seqsOf(page.directMessages)), MEANWHILE, 'direct messages');
    assertComplete(all.flatMap((page) => seqsOf(page.notifications)), MEANWHILE, 'notifications');
    const more = await first(all.at(-1).cursor);
    assert.deepEqual([more.messages, more.directMessages, more.notifications], [[], [], []]);
  },

  'gets the same page by the event and by the route': async (w) => {
    const room = w.id('room');
    const { users, alice, bob } = await pairIn(w, room);
    for (const n of upTo(120)) await say(alice, room, `message ${n}`);
    await direct(bob, users.alice, 'from bob');
    await notify(w, users.bob, { event: 'news', n: 1 });
    const [first, ...rest] = await pages(bySocket(bob));
    assert.equal(rest.length, 1);
    for (const since of [undefined, first.cursor, rest[0].cursor, first.messages[50].createdAt]) {
      assert.deepEqual(await byHttp(w, users.bob)(since), await bySocket(bob)(since));
    }
  },

  'gets pages that stock clients can read, however many attachments there are': async (w) => {
    const room = w.id('room');
    const { alice, bob } = await pairIn(w, room);
    const attachment = Buffer.from('a picture');
    for (const n of upTo(25)) {
      assertOk(await alice.ask('message:send', { roomId: room, content: `message ${n}`, attachment }));
    }
    const since = (after) => bob.ask('messages:since', { roomId: room, after, limit: 100 }).then(assertOk);
    const found = [];
    for (let more = true; more; ) {
      const page = await since(found.at(-1)?.seq ?? 0);
      found.push(...page.messages);
      more = page.hasMore;
    }
    for (const messages of [found, (await missed(bySocket(bob))).messages]) {
      assertComplete(seqsOf(messages), 25, 'bob');
      assert.ok(messages.every((message) => bytes(message.attachment).equals(attachment)));
    }
  },

  'reads on, whatever attachments somebody has sent': async (w) => {
    const room = w.id('room');
    const { users, alice, bob } = await pairIn(w, room);
    const attachment = upTo(11).map((n) => Buffer.from([n]));
    alice.tell('message:send', { roomId: room, content: 'more binaries than clients take', attachment });
    await eventually(() => ['error', 'message:new', DISCONNECTED].some((event) => alice.heard(event).length),
      'the message is taken or refused');
    await say(await w.member(users.alice, room), room, 'another');
    await bob.next('message:new', ({ content }) => content === 'another');
    assert.equal((await missed(bySocket(bob))).messages.at(-1).content, 'another');
    assert.equal(bob.heard(DISCONNECTED).length, 0);
  },

  'is reset with a cursor of somebody else, and gets nothing of theirs': async (w) => {
    const [shared, own] = [w.id('shared'), w.id('own')];
    const { users, alice, bob } = await pairIn(w, shared);
    assertOk(await alice.ask('join:room', own));
    await say(alice, shared, 'for both');
    await say(alice, own, 'for alice');
    await notify(w, users.alice, { n: 1 });
    await notify(w, users.bob, { n: 2 });
    const { cursor } = await missed(bySocket(alice));
    for (const sync of [bySocket(bob), byHttp(w, users.bob)]) {
      const page = await missed(sync, cursor);
      assert.equal(page.verdict, 'reset');
      assert.deepEqual(contentsOf(page.messages), ['for both']);
      assert.deepEqual(page.notifications.map(({ n }) => n), [2]);
    }
  },

  'is reset with a cursor that is ahead of all that the server knows': async (w) => {
    const room = w.id('room');
    const { users, alice } = await pairIn(w, room);
    await say(alice, room, 'known here');
    await say(alice, room, 'and this');
    const { cursor } = await missed(bySocket(alice));
    await onServer({}, async (other) => {
      const elsewhere = await other.member(users.alice, room);
      await say(elsewhere, room, 'known there');
      const page = await missed(bySocket(elsewhere), cursor);
      assert.equal(page.verdict, 'reset');
      assert.deepEqual(contentsOf(page.messages), ['known there']);
    });
  },

  'gets nothing of a room that the token opens no more, and is told of the gap': async (w) => {
    const [lost, kept] = [w.id('lost'), w.id('kept')];
    const { users, alice, bob } = await pairIn(w, lost, kept);
    const { cursor } = await missed(bySocket(bob));
    for (const room of [lost, kept]) await say(alice, room, `in ${room}`);
    const fewer = w.user('bob', { rooms: [kept] });
    const device = await w.connect(fewer);
    for (const sync of [bySocket(device), byHttp(w, fewer)]) {
      const page = await missed(sync, cursor);
      assert.equal(page.verdict, 'gap');
      assert.deepEqual(contentsOf(page.messages), [`in ${kept}`]);
      assert.equal((await missed(sync, page.cursor)).verdict, 'complete');
    }
    assertRefused(await device.ask('messages:since', { roomId: lost, after: 0 }), 'forbidden');
    assertProblem(await w.http('GET', `/api/rooms/${lost}/messages`, { as: fewer }), 403, 'forbidden');
    const { body } = await w.http('GET', '/api/rooms', { as: fewer });
    assert.deepEqual(body.rooms.map(({ roomId }) => roomId), [kept]);
    assert.equal((await missed(byHttp(w, users.bob), cursor)).messages.length, 2);
  },

  'gets what came while disconnected, but not of a room that was left': async (w) => {
    const [left, kept] = [w.id('left'), w.id('kept')];
    const { users, alice, bob } = await pairIn(w, left, kept);
    const laptop = await w.member(users.bob, left);
    const sync = byHttp(w, users.bob);
    const said = async (content) => {
      const { cursor } = await missed(sync);
      for (const room of [left, kept]) await say(alice, room, content);
      const { messages, verdict } = await missed(sync, cursor);
      assert.equal(verdict, 'complete');
      return messages.map(({ roomId }) => roomId);
    };
    assertOk(await bob.ask('leave:room', left));
    assert.deepEqual(await said('another device is still in both'), [left, kept]);
    assertOk(await laptop.ask('leave:room', left));
    assert.deepEqual(await said('all devices have left one'), [kept]);
    bob.close();
    laptop.close();
    assert.deepEqual(await said('and are gone'), [kept]);
  },

  'stays a member while a device is in the room, though another that was never there leaves': async (w) => {
    const room = w.id('room');
    const { users, alice } = await pairIn(w, room);
    const laptop = await w.connect(users.bob);
    assertOk(await laptop.ask('leave:room', room));
    await say(alice, room, 'still there?');
    assert.deepEqual(contentsOf((await missed(bySocket(laptop))).messages), ['still there?']);
  },

  'finds one count of unread messages wherever it is told, without own and deleted ones': async (w) => {
    const room = w.id('room');
    const { users, alice, bob } = await pairIn(w, room);
    const sent = [];
    for (const n of upTo(6)) sent.push(await say(alice, room, `message ${n}`));
    await say(bob, room, 'own');
    const look = () => overview(w, room, users.bob, bob);
    assert.deepEqual(await look(), { lastSeq: 7, readSeq: 0, unread: 6 });
    assertOk(await alice.ask('message:delete', { roomId: room, messageId: sent[4].id }));
    assert.deepEqual(await look(), { lastSeq: 7, readSeq: 0, unread: 5 });
    assert.equal(await read(bob, sent[1]), 3);
    assert.deepEqual(await look(), { lastSeq: 7, readSeq: 2, unread: 3 });
    assert.equal(await read(bob, sent[0]), 3);
    assert.equal(await read(bob, sent[5]), 0);
    assert.deepEqual(await look(), { lastSeq: 7, readSeq: 6, unread: 0 });
    assert.deepEqual(await overview(w, room, users.alice, alice), { lastSeq: 7, readSeq: 0, unread: 1 });
  },

  'moves receipts only forward, though two devices race': async (w) => {
    const room = w.id('room');
    const { users, alice, bob } = await pairIn(w, room);
    const laptop = await w.member(users.bob, room);
    const sent = await Promise.all(upTo(110).map((n) => say(alice, room, `message ${n}`)));
    const seqOf = new Map(sent.map(({ id, seq }) => [id, seq]));
    const bySeq = new Map(sent.map((message) => [message.seq, message]));
    const acks = [bob, laptop].flatMap((device, n) =>
      SHUFFLED[n].map(async (seq) => [seq, await read(device, bySeq.get(seq))]));
    for (const [seq, unread] of await Promise.all(acks)) {
      assert.ok(unread >= 10 && unread <= 110 - seq, `${unread} unread after ${seq}`);
    }
    await w.settle(alice, bob, laptop);
    const told = (client) => client.heard('chat:read').map(({ messageId }) => seqOf.get(messageId));
    const moves = told(alice);
    assert.ok(moves.length > 1);
    assert.deepEqual(moves, [...new Set(moves)].sort((one, other) => one - other));
    assert.equal(moves.at(-1), 100);
    // Each device hears of what the other read.
    assert.deepEqual([...told(bob), ...told(laptop)].sort((one, other) => one - other), moves);
    assert.deepEqual(await overview(w, room, users.bob, bob), { lastSeq: 110, readSeq: 100, unread: 10 });
  },
});

onOneServer('a member by the member list', PROFILES.members, {
  'gets nothing of a room that was taken away, and is told of the gap': async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    for (const user of Object.values(users)) await membership(w, 'PUT', room, user);
    const { alice, bob } = await pairIn(w, room);
    const sync = bySocket(bob);
    const start = await missed(sync);
    await say(alice, room, 'while bob was a member');
    const { cursor } = await missed(sync, start.cursor);
    await membership(w, 'DELETE', room, users.bob);
    await say(alice, room, 'after that');
    for (const [since, verdict] of [[start.cursor, 'gap'], [cursor, 'complete']]) {
      const page = await missed(sync, since);
      assert.equal(page.verdict, verdict);
      assert.deepEqual(page.messages, []);
    }
    assertRefused(await bob.ask('messages:since', { roomId: room, after: 0 }), 'forbidden');
    assertProblem(await w.http('GET', `/api/rooms/${room}/messages`, { as: users.bob }), 403, 'forbidden');
    assert.deepEqual((await w.http('GET', '/api/rooms', { as: users.bob })).body, { rooms: [] });
  },

  'stays a member after leaving, and is one without ever having joined': async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob'), carol: w.user('carol') };
    for (const user of Object.values(users)) await membership(w, 'PUT', room, user);
    const { alice, bob } = await pairIn(w, room);
    assertOk(await bob.ask('leave:room', room));
    await say(alice, room, 'while bob is out');
    for (const user of [users.bob, users.carol]) {
      assert.deepEqual(contentsOf((await missed(byHttp(w, user))).messages), ['while bob is out']);
    }
  },
});
