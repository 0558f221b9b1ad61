// Event streams whose connections break, whose readers stop or vanish, and whose server goes away.
//
// SEED=n repeats where connections break.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MIB, Memory, assertComplete, descriptors, elapse, eventually, metric, mib, settles } from './observe.mjs';
import { Proxy } from './proxy.mjs';
import { random } from './random.mjs';
import { inBatches, within } from './raw.mjs';
import { STREAMS, Station } from './sse.mjs';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const LIMIT_MS = 60_000;
const CATCH_UP_MS = 20_000;
/** What lets an EventSource come back at once. */
const EAGER = { ROOMCAST_SSE__RETRY_MS: '20' };

const ENTRIES = 1_000;
const BREAKS = 25;
/** Each entry takes more than this on the wire, so that all breaks come before the last one. */
const ENTRY_BYTES = 200;
const MOST_BYTES_BETWEEN_BREAKS = (ENTRIES * ENTRY_BYTES) / BREAKS;
const MOST_ENTRIES_MISSED = 8;

/** Resolves once the follower has heard this entry. */
async function hears(follower, id) {
  await eventually(() => follower.refused || follower.ids.includes(id), 'the last one is heard', CATCH_UP_MS);
  assert.equal(follower.refused, undefined, 'it was refused for good');
}

for (const [nth, kind] of STREAMS.entries()) {
  test(`an EventSource that is cut off ${BREAKS} times gets ${ENTRIES} ${kind}, each once and in order (SEED=${SEED})`, { timeout: LIMIT_MS }, async (t) => {
    const next = random(SEED + nth);
    const below = (bound) => 1 + Math.floor(next() * bound);
    const station = await Station.start(t, EAGER);
    const proxy = station.keep(await Proxy.open(station.url));
    const feed = station.feed(kind);
    const follower = await feed.follow(proxy.url);
    const posting = feed.fill(ENTRIES, { text: 'x'.repeat(ENTRY_BYTES) });
    posting.catch(() => {});
    for (let breaks = 0; breaks < BREAKS; breaks += 1) {
      await within(CATCH_UP_MS, proxy.breakAfter(below(MOST_BYTES_BETWEEN_BREAKS)), 'so much was not sent');
      const missed = Math.min(feed.posted.length + below(MOST_ENTRIES_MISSED), ENTRIES);
      await eventually(() => feed.posted.length >= missed, 'some come while it is cut off');
      proxy.mend();
    }
    t.diagnostic(`${feed.posted.length} were posted at the last break, ${follower.heard.length} heard`);
    await posting;
    await hears(follower, feed.posted.at(-1));
    assertComplete(follower.heard.map(({ data }) => data.n), ENTRIES, `SEED=${SEED}`);
    assert.deepEqual(follower.ids, feed.posted);
    assert.deepEqual(follower.greetings.filter(({ verdict }) => verdict !== 'complete'), []);
  });
}

const OTHERS = 50;
const FILLING = 'x'.repeat(64_000);
/** More than the kernel holds for one connection. */
const FILLING_BYTES = 32 * MIB;
const GROWTH_LIMIT = 48 * MIB;

const endsFor = (station, reason) => metric(station.server, 'roomcast_stream_ends_total', { reason });

/** One who reads nothing beside others who do; what they read is numbered. */
async function withOneStopped(station) {
  const feed = station.feed('notifications');
  const read = () => feed.read({ remember: ({ event, data }) => ({ event, n: data.n }) });
  const stopped = await read();
  const others = await inBatches(OTHERS, OTHERS, read);
  await eventually(() => stopped.events.length === 1, 'it is connected');
  stopped.pause();
  await settles(station.server, 'roomcast_streams', OTHERS + 1);
  return { feed, stopped, others };
}

/** It is gone, and the others have heard everything. */
async function assertAlone(station, { feed, stopped, others }) {
  await settles(station.server, 'roomcast_streams', OTHERS);
  const last = feed.posted.length;
  for (const [n, stream] of others.entries()) {
    await eventually(() => stream.events.at(-1).n === last, 'the others heard all', CATCH_UP_MS);
    assertComplete(stream.events.slice(1).map((event) => event.n), last, `reader ${n}`);
  }
  stopped.resume();
  assert.equal((await within(CATCH_UP_MS, stopped.ended, 'the connection was not ended')).isWhole, false);
  assert.ok(stopped.events.length - 1 < last, 'it had read everything');
}

test(`one of ${OTHERS + 1} stops reading: it is dropped when its budget is full, the others hear everything`, { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t, { ROOMCAST_SSE__PENDING_BYTES: '65536' });
  const all = await withOneStopped(station);
  const memory = new Memory(station.server);
  let n = 0;
  while ((await endsFor(station, 'over_budget')) === 0) {
    n += 1;
    assert.ok(n * FILLING.length < FILLING_BYTES, `${mib(FILLING_BYTES)} wait for it`);
    await all.feed.post({ n, FILLING });
  }
  await assertAlone(station, all);
  const growth = memory.growth();
  t.diagnostic(`dropped after ${mib(n * FILLING.length)}; at most ${mib(growth)} more resident`);
  assert.equal(await endsFor(station, 'over_budget'), 1);
  assert.ok(growth < GROWTH_LIMIT, `memory grew by ${mib(growth)}`);
});

test('who takes nothing of what waits is dropped in time, who has nothing to take is not', { timeout: LIMIT_MS }, async (t) => {
  const stallLimit = 1_500;
  const station = await Station.start(t, {
    ROOMCAST_SSE__PENDING_BYTES: String(2 * FILLING_BYTES),
    ROOMCAST_SSE__STALL_LIMIT_MS: String(stallLimit),
  });
  const feed = station.feed('notifications');
  const read = () => feed.read({ remember: ({ data }) => data.n });
  const [stopped, other] = [await read(), await read()];
  const idle = await station.feed('orders').read();
  stopped.pause();
  idle.pause();
  for (let n = 1; n * FILLING.length < FILLING_BYTES; n += 1) await feed.post({ n, FILLING });
  const inTime = stallLimit + 1_000;
  await eventually(async () => (await endsFor(station, 'stalled')) === 1, 'it is dropped', inTime);
  await settles(station.server, 'roomcast_streams', 2);
  await eventually(() => other.events.length === feed.posted.length + 1, 'the other one heard all', CATCH_UP_MS);
  assertComplete(other.events.slice(1), feed.posted.length, 'the other one');
  await elapse(inTime);
  await settles(station.server, 'roomcast_streams', 2);
  assert.equal(await endsFor(station, 'stalled'), 1);
  assert.ok(!idle.isGone);
});

test('a reader that stops in an HTTP/2 session ends none of the streams beside it', { timeout: LIMIT_MS }, async (t) => {
  const stallLimit = 1_000;
  const station = await Station.start(t, {
    ROOMCAST_SSE__PENDING_BYTES: '65536',
    ROOMCAST_SSE__STALL_LIMIT_MS: String(stallLimit),
  });
  const session = station.session();
  const [full, stalled, fine] = [1, 2, 3].map(() => station.feed('notifications'));
  const [first, second, other] = await Promise.all([full, stalled, fine].map((feed) => feed.readWithin(session)));
  await eventually(() => first.events.length + second.events.length === 2, 'both are connected');
  [first, second].forEach((stream) => stream.pause());
  // More than HTTP/2 and the budget take, and more than HTTP/2 alone.
  for (let n = 0; n < 10; n += 1) await full.post({ FILLING });
  for (let n = 0; n < 4; n += 1) await stalled.post({ FILLING });
  for (const began = Date.now(); Date.now() < began + 2 * stallLimit; await elapse(50)) await fine.post();
  await eventually(() => other.ids.length === fine.posted.length, 'the other one heard all', 2_000);
  assert.deepEqual(other.ids, fine.posted);
  for (const [stream, feed] of [[first, full], [second, stalled]]) {
    stream.resume();
    await within(CATCH_UP_MS, stream.ended, 'a stopped one was not ended');
    assert.ok(stream.ids.length < feed.posted.length, 'it had read everything');
  }
});

const VANISHING = 500;

/** They come, and vanish with a goodbye of the kernel or with a reset. */
async function comeAndVanish(station) {
  const { server } = station;
  const streams = await inBatches(VANISHING, 100, (n) => station.feed(STREAMS[n % STREAMS.length]).read());
  await settles(server, 'roomcast_streams', VANISHING);
  assert.ok(descriptors(server) > VANISHING);
  streams.forEach(({ readable: { socket } }, n) => (n % 2 ? socket.destroy() : socket.resetAndDestroy()));
  await settles(server, 'roomcast_streams', 0, 2_000);
}

test(`${VANISHING} readers that vanish leave nothing behind`, { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t);
  // The first time the store opens what it reads with, and keeps that.
  await comeAndVanish(station);
  const few = () => descriptors(station.server) < VANISHING / 10;
  await eventually(few, 'their descriptors are closed', 2_000);
  const before = descriptors(station.server);
  await comeAndVanish(station);
  const asBefore = () => descriptors(station.server) <= before + 1;
  await eventually(asBefore, `there are ${before} descriptors again`, 2_000);
  assert.equal(await endsFor(station, 'client_gone'), 2 * VANISHING);
});

/** Posts until it is told to stop, whether the server is there or not. */
class Posting {
  #going = true;

  constructor(feed) {
    this.feed = feed;
    this.ended = this.#run();
    this.ended.catch(() => {});
  }

  async #run() {
    for (let n = 1; this.#going; n += 1) {
      // Only what was answered counts; the server may be gone.
      await this.feed.post({ n }).catch(() => elapse(10));
    }
  }

  stop() {
    this.#going = false;
    return this.ended;
  }
}

const RESTARTS = 3;
const POSTED_BETWEEN = 40;

const STOPS = {
  'ends on SIGTERM': async (server) => assert.equal(await server.terminate(), 0),
  'is killed (kill -9)': (server) => server.kill(),
};

for (const [what, stop] of Object.entries(STOPS)) {
  test(`an EventSource goes on without loss or repeat when its server ${what} and starts again`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t, EAGER);
    const feeds = station.feeds();
    const followers = await Promise.all(feeds.map((feed) => feed.follow()));
    const postings = feeds.map((feed) => new Posting(feed));
    for (let restarts = 0; restarts < RESTARTS; restarts += 1) {
      const counts = feeds.map(({ posted }) => posted.length + POSTED_BETWEEN);
      await eventually(() => feeds.every(({ posted }, n) => posted.length >= counts[n]), 'more was posted');
      await stop(station.server);
      await station.server.startAgain();
    }
    await Promise.all(postings.map((posting) => posting.stop()));
    for (const [n, feed] of feeds.entries()) {
      const last = await feed.post({ n: 'last' });
      const follower = followers[n];
      await hears(follower, last);
      // What was stored and not answered is heard as well.
      const stored = await feed.listed();
      assert.deepEqual(follower.ids, stored);
      const answered = new Set(feed.posted);
      assert.deepEqual(stored.filter((id) => answered.has(id)), feed.posted);
      assert.ok(follower.greetings.length > RESTARTS);
      assert.deepEqual(follower.greetings.filter(({ verdict }) => verdict !== 'complete'), []);
    }
  });
}

test('SIGTERM ends streams properly and at a pace, their EventSource comes back after it', { timeout: LIMIT_MS }, async (t) => {
  const [count, perSecond] = [100, 100];
  const station = await Station.start(t, { ...EAGER, ROOMCAST_SERVER__DRAIN_PER_SECOND: String(perSecond) });
  const feed = station.feed('updates');
  await feed.post({ n: 1 });
  const streams = await inBatches(count, count, () => feed.read());
  const followers = await inBatches(10, 10, () => feed.follow());
  const began = Date.now();
  assert.equal(await station.server.terminate(), 0);
  const took = Date.now() - began;
  const ends = await Promise.all(streams.map(({ ended }) => ended));
  assert.equal(ends.filter(({ isWhole }) => !isWhole).length, 0, 'streams were broken off');
  const times = ends.map(({ at }) => at - began);
  const spread = Math.max(...times) - Math.min(...times);
  t.diagnostic(`exit after ${took} ms, ends over ${spread} ms`);
  assert.ok(spread > (count / perSecond) * 500, `all ended within ${spread} ms`);
  assert.ok(took < 10_000, `it took ${took} ms`);
  await station.server.startAgain();
  const id = await feed.post({ n: 2 });
  for (const follower of followers) {
    await hears(follower, id);
    assert.deepEqual(follower.ids, feed.posted);
  }
});
