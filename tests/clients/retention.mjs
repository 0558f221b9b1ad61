// What is too much goes, and whoever asks for it is told so.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { say } from './away.mjs';
import { byHttp, bySocket, contentsOf, missed, onOneServer, overview, pairIn, read, seqsOf } from './catch_up.mjs';
import { assertComplete, eventually, metric, upTo } from './observe.mjs';
import { request } from './server.mjs';
import { STREAMS, Station } from './sse.mjs';
import { assertOk } from './world.mjs';

const KEPT_MESSAGES = 20;
const KEPT = 5;
const POSTED = 12;
const RETENTION = {
  ROOMCAST_RETENTION__ROOM_ENTRIES: String(KEPT_MESSAGES),
  ROOMCAST_RETENTION__DIRECT_ENTRIES: String(KEPT),
  ROOMCAST_RETENTION__NOTIFICATION_ENTRIES: String(KEPT),
  ROOMCAST_RETENTION__ORDER_ENTRIES: String(KEPT),
  ROOMCAST_RETENTION__CHANNEL_ENTRIES: String(KEPT),
  ROOMCAST_RETENTION__INTERVAL_MS: '20',
  ROOMCAST_RETENTION__STEP: '3',
};

const SENDERS = 8;
const SENT = 2_000;
const STANDSTILL_MS = 2_000;

/** The last so many of the numbers up to a total. */
const last = (count, total) => upTo(total).slice(-count);

onOneServer('where only the newest entries are kept', RETENTION, {
  'older messages of a room go, and their readers are told of the gap': async (w) => {
    const room = w.id('room');
    const { users, alice, bob } = await pairIn(w, room);
    const start = await missed(bySocket(bob));
    const sent = [];
    for (const n of upTo(60)) sent.push(await say(alice, room, `message ${n}`));
    const since = async (after) => assertOk(await bob.ask('messages:since', { roomId: room, after, limit: 100 }));
    const page = await eventually(async () => {
      const found = await since(0);
      return found.messages.length === KEPT_MESSAGES && found;
    }, 'only so many messages are kept');
    assert.equal(page.verdict, 'gap');
    assert.deepEqual(page.messages, sent.slice(-KEPT_MESSAGES));
    for (const after of [5, 39, sent[4].id, sent[38].id]) assert.deepEqual(await since(after), page, after);
    for (const after of [40, 41, sent[40].id]) assert.equal((await since(after)).verdict, 'complete', after);
    const { body } = await w.http('GET', `/api/rooms/${room}/messages?after=5`, { as: users.bob });
    assert.deepEqual([body.verdict, seqsOf(body.messages)], ['gap', last(KEPT_MESSAGES, 60)]);
    const caughtUp = await missed(bySocket(bob), start.cursor);
    assert.equal(caughtUp.verdict, 'gap');
    assert.deepEqual(caughtUp.messages, page.messages);
    assert.equal((await missed(bySocket(bob), caughtUp.cursor)).verdict, 'complete');
    assert.equal((await say(alice, room, 'one more')).seq, 61);
  },

  'unread are those that are kept, or what came after the one that was read': async (w) => {
    const room = w.id('room');
    const { users, alice, bob } = await pairIn(w, room);
    const carol = await w.member(w.user('carol'), room);
    const sent = [];
    for (const n of upTo(20)) sent.push(await say(alice, room, `message ${n}`));
    assert.equal(await read(bob, sent[9]), 10);
    for (const n of upTo(5)) await say(alice, room, `more ${n}`);
    const unread = async (client) => assertOk(await client.ask('join:room', room)).unread;
    await eventually(async () => (await unread(carol)) === KEPT_MESSAGES, 'carol has missed what is kept');
    assert.deepEqual(await overview(w, room, users.bob, bob), { lastSeq: 25, readSeq: 10, unread: 15 });
    for (const n of upTo(10)) await say(alice, room, `still more ${n}`);
    await eventually(async () => (await unread(bob)) === KEPT_MESSAGES, 'bob has missed what is kept');
    assert.deepEqual(await overview(w, room, users.bob, bob), { lastSeq: 35, readSeq: 10, unread: 20 });
  },

  'older direct messages go, and both are told of the gap': async (w) => {
    const { users, alice, bob } = await pairIn(w);
    const start = await Promise.all([alice, bob].map((client) => missed(bySocket(client))));
    for (const n of upTo(POSTED)) {
      assertOk(await alice.ask('send-message', { to: users.bob.id, content: `message ${n}` }));
    }
    for (const [n, client] of [alice, bob].entries()) {
      const page = await eventually(async () => {
        const found = await missed(bySocket(client), start[n].cursor);
        return found.directMessages.length === KEPT && found;
      }, 'only so many direct messages are kept');
      assert.equal(page.verdict, 'gap');
      assert.deepEqual(contentsOf(page.directMessages), last(KEPT, POSTED).map((number) => `message ${number}`));
    }
  },

  [`${SENT} messages are taken meanwhile, none late and none twice`]: async (w) => {
    const room = w.id('room');
    const senders = await Promise.all(upTo(SENDERS).map((n) => w.member(w.user(`sender-${n}`), room)));
    const before = await metric(w, 'roomcast_trimmed_entries_total', { kind: 'room' });
    const sent = await Promise.all(senders.map(async (sender, n) => {
      const acks = [];
      for (const turn of upTo(SENT / SENDERS)) {
        const began = performance.now();
        const { seq } = await say(sender, room, `message ${turn} of ${n}`);
        acks.push({ seq, took: performance.now() - began });
      }
      return acks;
    }));
    const during = (await metric(w, 'roomcast_trimmed_entries_total', { kind: 'room' })) - before;
    assert.ok(during > SENT / 4, `only ${during} went meanwhile`);
    const acks = sent.flat().sort((one, other) => one.seq - other.seq);
    assertComplete(seqsOf(acks), SENT, 'acks');
    const slowest = Math.max(...acks.map(({ took }) => took));
    assert.ok(slowest < STANDSTILL_MS, `an ack took ${slowest.toFixed()} ms`);
    await w.settle(...senders);
    for (const sender of senders) assertComplete(seqsOf(sender.heard('message:new')), SENT, sender.label);
    await eventually(async () => {
      const { messages } = assertOk(await senders[0].ask('messages:since', { roomId: room, after: 0 }));
      return messages.length === KEPT_MESSAGES && messages.at(-1).seq === SENT;
    }, 'only so many messages are kept');
  },
});

for (const kind of STREAMS) {
  test(`older ${kind} go, and a stream from before them begins with the gap`, async (t) => {
    const station = await Station.start(t, RETENTION);
    const feed = station.feed(kind);
    const sync = byHttp(station, feed);
    const { cursor } = await missed(sync);
    await feed.fill(POSTED);
    const from = async (id) => {
      const stream = await feed.read({ headers: { 'last-event-id': id } });
      await stream.next(({ data }) => data.n === POSTED, 'the newest entry');
      return stream.events;
    };
    const [connected, ...events] = await eventually(async () => {
      const all = await from(feed.posted[0]);
      return all.length === 1 + KEPT && all;
    }, 'only so many are kept');
    assert.equal(connected.event, 'connected');
    assert.deepEqual(connected.data, { userId: feed.owner, verdict: 'gap' });
    assert.deepEqual(events.map(({ event, id, data }) => [event, id, data.n]),
      last(KEPT, POSTED).map((n) => [feed.event, feed.posted[n - 1], n]));
    // Whoever has seen the first one that is kept has missed nothing.
    const [again, ...rest] = await from(feed.posted.at(-KEPT));
    assert.equal(again.data.verdict, 'complete');
    assert.deepEqual(rest.map(({ id }) => id), feed.posted.slice(1 - KEPT));
    const { body } = await request(station.url, 'GET', `${feed.list}?after=1`, { as: feed.token });
    assert.deepEqual([body.verdict, seqsOf(body[kind])], ['gap', last(KEPT, POSTED)]);
    const { verdict, notifications, orders } = await missed(sync, cursor);
    const found = [verdict, seqsOf([...notifications, ...orders])];
    // Channels are nobody's own.
    assert.deepEqual(found, kind === 'updates' ? ['complete', []] : ['gap', last(KEPT, POSTED)]);
  });
}
