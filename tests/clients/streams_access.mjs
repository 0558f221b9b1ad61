// Who may read an event stream, until when, and that nobody reads what is another's.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { eventually } from './observe.mjs';
import { within } from './raw.mjs';
import { API_KEY, mint, request, unique } from './server.mjs';
import { STREAMS, Station } from './sse.mjs';
import { assertProblem } from './world.mjs';

const LIMIT_MS = 60_000;
const END_WITHIN_MS = 1_000;
const PAGE = 'https://shop.example';
const GUESTS = { ROOMCAST_AUTH__GUESTS: 'true' };

const fromEach = (feeds) => Promise.all(feeds.map((feed) => feed.read()));

/** The ways to say who one is. */
const WAYS = {
  'a bearer token': (token) => ({ as: token }),
  'the cookie': (token) => ({ headers: { cookie: `theme=dark; roomcast_token=${token}; lang=en` } }),
  'the query': (token) => ({ query: `?access_token=${token}` }),
};

for (const [way, tell] of Object.entries(WAYS)) {
  test(`a reader is known by ${way}`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t);
    for (const feed of station.feeds()) {
      const stream = await feed.read({ as: undefined, ...tell(feed.token) });
      const { data } = await stream.next(() => true, 'the stream begins');
      assert.equal(data.userId, feed.owner);
    }
  });

  test(`a token that is no good is refused in ${way}`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t);
    const claims = { sub: 'somebody', roles: ['vendor'] };
    const bad = [mint(claims, { ttlSeconds: -10 }), mint(claims, { secret: 'another' }), mint(claims, { alg: 'none' }), 'x'];
    for (const { path } of station.feeds('somebody')) {
      for (const token of bad) {
        const { as, headers, query = '' } = tell(token);
        assertProblem(await request(station.url, 'GET', path + query, { as, headers }), 401);
      }
    }
  });
}

test('guests and backends have no streams, not even where guests are allowed', { timeout: LIMIT_MS }, async (t) => {
  for (const settings of [{}, GUESTS]) {
    const station = await Station.start(t, settings);
    for (const { path } of station.feeds()) {
      assertProblem(await request(station.url, 'GET', path), 401);
      for (const tell of Object.values(WAYS)) {
        const { as, headers, query = '' } = tell(API_KEY);
        assertProblem(await request(station.url, 'GET', path + query, { as, headers }), 401);
      }
    }
  }
});

test("a vendor's orders are for that vendor alone, who must be one", { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t);
  const { path } = station.feed('orders', 'bakery');
  const others = [
    { sub: 'butcher', roles: ['vendor'] },
    { sub: 'bakery' },
    { sub: 'bakery', roles: ['driver'] },
    { sub: 'Bakery', roles: ['vendor'] },
  ];
  for (const claims of others) {
    assertProblem(await request(station.url, 'GET', path, { as: mint(claims) }), 403, 'forbidden');
  }
});

test('pages of allowed origins may read with credentials, and no others', { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t, { ALLOWED_ORIGINS: PAGE });
  for (const feed of station.feeds()) {
    const headersFor = async (origin) => (await feed.read({ headers: { origin } })).headers;
    const allowed = await headersFor(PAGE);
    assert.equal(allowed['access-control-allow-origin'], PAGE);
    assert.equal(allowed['access-control-allow-credentials'], 'true');
    const other = await headersFor('https://evil.example');
    assert.equal(other['access-control-allow-origin'], undefined);
    const asks = { origin: PAGE, 'access-control-request-method': 'GET', 'access-control-request-headers': 'last-event-id' };
    const preflight = await request(station.url, 'OPTIONS', feed.path, { headers: asks });
    assert.equal(preflight.status, 200);
    assert.match(preflight.headers.get('access-control-allow-headers'), /last-event-id/i);
  }
});

test('a stream ends with its token, and its EventSource is refused', { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t, { ROOMCAST_SSE__RETRY_MS: '20', ROOMCAST_AUTH__LEEWAY_MS: '0' });
  const end = (Math.floor(Date.now() / 1_000) + 3) * 1_000;
  const mortal = station.feeds(unique(), { exp: end / 1_000 });
  const others = await fromEach(station.feeds());
  const streams = await fromEach(mortal);
  const follower = await mortal[0].follow();
  for (const stream of streams) {
    const { at, isWhole } = await within(10_000, stream.ended, 'the stream did not end');
    assert.ok(at >= end && at < end + END_WITHIN_MS, `it ended ${at - end} ms after its token`);
    assert.ok(isWhole, 'it was broken off');
  }
  await eventually(() => follower.refused === 401, 'the EventSource is refused');
  others.forEach((stream) => assert.ok(!stream.isGone));
});

/** What ends a reader's streams, and whether its token is refused from then on. */
const ENDINGS = {
  'the revocation of its token': { isRefused: true, end: (token) => ({ body: { token } }) },
  "the revocation of its token's jti": { isRefused: true, end: (_, jti) => ({ body: { jti } }) },
  'the revocation of its user': { isRefused: true, end: (_, __, userId) => ({ body: { userId } }) },
  "the end of its user's sessions": {
    end: (_, __, user) => ({ method: 'DELETE', path: `/api/users/${user}/sessions` }),
  },
};

for (const [what, { isRefused, end }] of Object.entries(ENDINGS)) {
  test(`${what} ends a stream at once, and no other user's`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t, { ROOMCAST_SSE__RETRY_MS: '20' });
    const [owner, jti] = [unique(), randomUUID()];
    const [mine, theirs] = [station.feeds(owner, { jti }), station.feeds()];
    const streams = await fromEach(mine);
    const others = await fromEach(theirs);
    const follower = await mine[0].follow();
    const { method = 'POST', path = '/api/tokens/revoke', body } = end(mine[0].token, jti, owner);
    // One token opened all of them.
    for (const feed of mine) assert.equal(feed.token, mine[0].token);
    await station.service(method, path, 204, body);
    const over = within(END_WITHIN_MS, Promise.all(streams.map(({ ended }) => ended)), 'the streams did not end');
    for (const feed of [...mine, ...theirs]) await feed.post();
    (await over).forEach(({ isWhole }) => assert.ok(isWhole, 'a stream was broken off'));
    for (const [n, stream] of others.entries()) {
      await stream.next(({ id }) => id === theirs[n].posted[0], 'another user hears what comes');
    }
    streams.forEach((stream) => assert.deepEqual(stream.ids, []));
    if (isRefused) {
      await eventually(() => follower.refused === 401, 'the EventSource is refused');
      assert.deepEqual(follower.ids, []);
    } else {
      await eventually(() => follower.heard.length === 1, 'the EventSource comes back');
      assert.deepEqual(follower.ids, mine[0].posted);
    }
  });
}

/** What a client may bring as the last event that it has seen, where it was never sent that. */
const unknown = (theirs) => ({
  'a random UUID': randomUUID(),
  "the id of another's event": theirs,
  'ten kilobytes': 'x'.repeat(10_240),
  'a number beyond the newest': '1000',
  'the largest number': '18446744073709551615',
  'more than the largest number': '9'.repeat(40),
  'a negative number': '-1',
  'control characters': '\u0001\u0000\r\n\t\u007f',
  'what is not ASCII': 'ü',
  'what would be SQL': "' OR 1=1 --",
});

/** Where a client may say it; a header takes no control characters. */
const PLACES = {
  'the header': (id) => /^[ -~\xa0-\xff]*$/.test(id) && { headers: { 'last-event-id': id } },
  'the query': (id) => ({ query: `?lastEventId=${encodeURIComponent(id)}` }),
};

for (const kind of STREAMS) {
  test(`who brings an id that is not of its ${kind} is told, and reads what is its own`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t);
    const [mine, theirs] = [station.feed(kind), station.feed(kind)];
    await mine.fill(3, { of: 'mine' });
    await theirs.fill(3, { of: 'theirs' });
    const cases = Object.entries(unknown(theirs.posted[1])).flatMap(([what, id]) =>
      Object.entries(PLACES).map(([place, tell]) => ({ what: `${what} in ${place}`, options: tell(id) })));
    // A channel's newest value takes the place of all that were before.
    const kept = kind === 'updates' ? mine.posted.slice(-1) : mine.posted.slice();
    const streams = [];
    for (const { what, options } of cases.filter(({ options }) => options)) {
      streams.push({ what, stream: await mine.read(options) });
    }
    const live = await mine.post({ of: 'mine' });
    for (const { what, stream } of streams) {
      await stream.next(({ id }) => id === live, `${what}: what comes is heard`);
      assert.deepEqual(stream.events[0].data, { userId: mine.owner, verdict: 'reset' }, what);
      assert.deepEqual(stream.ids, [...kept, live], what);
      assert.ok(stream.events.slice(1).every(({ data }) => data.of === 'mine'), what);
    }
  });
}

test('streams are limited in all and for each user, and one that goes makes room', { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t, { ROOMCAST_SSE__STREAMS: '3', ROOMCAST_SSE__STREAMS_PER_USER: '2' });
  const [first, other] = [station.feeds('alice'), station.feeds('bob')];
  const refused = async ({ path, token }) => request(station.url, 'GET', path, { as: token });
  const [stream] = await Promise.all([first[0].read(), first[1].read()]);
  assertProblem(await refused(first[2]), 429, 'too_many_streams_per_user');
  await other[0].read();
  assertProblem(await refused(other[1]), 503, 'too_many_streams');
  stream.close();
  await eventually(() => other[1].read().catch(() => {}), 'there is room again');
});
