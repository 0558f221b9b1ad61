// Event streams, as their readers see them: what they begin with, what they carry, how fast.
//
// NGINX=path says where nginx is.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { Client, DIALECTS } from './client.mjs';
import { eventually, metric, settles, upTo } from './observe.mjs';
import { folder, start } from './program.mjs';
import { freePort } from './proxy.mjs';
import { API_KEY, request } from './server.mjs';
import { STREAMS, Station } from './sse.mjs';
import { assertProblem } from './world.mjs';

const NGINX = process.env.NGINX ?? '/usr/sbin/nginx';
const LIMIT_MS = 60_000;
const AT_ONCE_MS = 1_000;
const DASHBOARD = '/events/stream/dashboard:metrics';

const isNamed = (name) => ({ event }) => event === name;

/** The first event of a stream. */
async function greeting(stream) {
  await stream.next(() => true, 'the stream begins');
  return stream.events[0];
}

test('a stream says what it is, when to come back, and to whom it speaks', { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t);
  const feeds = station.feeds('alice');
  const streams = await Promise.all(feeds.map((feed) => feed.read()));
  streams.push(await station.read(DASHBOARD, { as: feeds[0].token }));
  for (const stream of streams) {
    const { event, data } = await greeting(stream);
    assert.deepEqual({ event, data }, { event: 'connected', data: { userId: 'alice', verdict: 'complete' } });
    assert.equal(stream.headers['content-type'], 'text/event-stream');
    assert.equal(stream.headers['cache-control'], 'no-cache');
    assert.equal(stream.headers['x-accel-buffering'], 'no');
    assert.equal(stream.retry, '3000');
  }
});

test('a silent stream carries a comment within the keep-alive time', { timeout: LIMIT_MS }, async (t) => {
  const keepAlive = 400;
  const station = await Station.start(t, { ROOMCAST_SSE__KEEP_ALIVE_MS: String(keepAlive) });
  await Promise.all(station.feeds().map(async (feed) => {
    const stream = await feed.read();
    await greeting(stream);
    for (const count of [1, 2]) {
      await eventually(() => stream.comments >= count, 'a comment', keepAlive + AT_ONCE_MS);
    }
    assert.equal(stream.events.length, 1);
  }));
});

/** A stock client of the feed's owner, and the ids of what it hears. */
function socket(station, feed, events) {
  const options = { dialect: DIALECTS['4.8'], transport: ['websocket'], token: feed.token };
  const client = station.keep(new Client(station.url, options));
  const ids = [];
  events.forEach((event) => client.socket.on(event, ({ id }) => ids.push(id)));
  return { ids, connected: once(client.socket, 'connect') };
}

for (const [kind, events] of [['orders', ['new-order']], ['notifications', ['notification', 'badge']]]) {
  test(`sockets, streams and the HTTP cursor have the same ${kind} in the same order`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t);
    const feed = station.feed(kind);
    const device = socket(station, feed, events);
    await device.connected;
    const [stream, follower] = [await feed.read(), await feed.follow(undefined, events)];
    const post = async (n) => {
      await feed.post({ n, event: events[n % events.length] });
    };
    // Side by side: the order is the server's.
    for (let n = 0; n < 300; n += 6) await Promise.all([0, 1, 2, 3, 4, 5].map((more) => post(n + more)));
    const listed = await feed.listed();
    assert.deepEqual([...listed].sort(), [...feed.posted].sort());
    for (const heard of [device, stream, follower]) {
      await eventually(() => heard.ids.length >= listed.length, 'all is heard');
      assert.deepEqual(heard.ids, listed);
    }
  });
}

test('a channel begins with its last value and goes on with what is published, under its name', { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t);
  const channel = station.feed('updates');
  const first = await channel.follow(undefined, ['alarm']);
  await channel.post({ level: 1 });
  await channel.post({ level: 2 });
  await eventually(() => first.heard.length === 2, 'both are heard');
  const late = await channel.follow(undefined, ['alarm']);
  await channel.post({ level: 3, event: 'alarm' });
  await channel.post({ level: 4 });
  const [one, two, three, four] = channel.posted;
  const heard = (follower) => follower.heard.map(({ event, id, data }) => [event, id, data.level]);
  await eventually(() => late.heard.length === 3 && first.heard.length === 4, 'the rest is heard');
  const rest = [['alarm', three, 3], ['update', four, 4]];
  assert.deepEqual(heard(first), [['update', one, 1], ['update', two, 2], ...rest]);
  assert.deepEqual(heard(late), [['initial', two, 2], ...rest]);
});

test("the server's own figures come every 5 s, and nobody else can publish them", { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t);
  const [{ token }] = station.feeds();
  const stream = await station.read(DASHBOARD, { as: token });
  const refused = await request(station.url, 'POST', '/api/channels/dashboard:metrics', { as: API_KEY, body: { data: 1 } });
  assertProblem(refused, 403, 'forbidden');
  const updates = () => stream.events.filter(isNamed('update'));
  await eventually(() => updates().length === 2, 'two updates', 12_000);
  const [first, second] = updates();
  const apart = second.at - first.at;
  assert.ok(apart > 4_000 && apart < 6_000, `${apart} ms apart`);
  for (const { data } of [first, second]) {
    assert.equal(data.streams, 1);
    assert.ok(data.memoryBytes > 0 && data.requestsPerSecond >= 0, JSON.stringify(data));
  }
  assert.ok(second.data.uptimeSeconds > first.data.uptimeSeconds);
});

test("the server's own figures say how long events took, and what limits refused", { timeout: LIMIT_MS }, async (t) => {
  const station = await Station.start(t, { ROOMCAST_LIMITS__EVENTS_PER_SECOND: '10' });
  const { token } = station.feed('notifications');
  const stream = await station.read(DASHBOARD, { as: token });
  const client = station.keep(new Client(station.url, { dialect: DIALECTS['4.8'], token }));
  const acks = await Promise.all(upTo(60).map(() => client.ask('presence:get', ['alice'])));
  const refused = acks.filter(({ code }) => code === 'rate_limited').length;
  const handled = acks.filter(({ ok }) => ok).length;
  assert.ok(handled > 0 && refused > 0 && handled + refused === acks.length, JSON.stringify({ handled, refused }));
  // What was refused at once took no time, and does not count.
  assert.equal(await metric(station.server, 'roomcast_event_seconds_count'), handled);

  const update = (fits, what) => stream.next((event) => isNamed('update')(event) && fits(event.data), what, 12_000);
  const { data: { eventMs: { p50, p95, p99 } } } = await update(({ eventMs }) => eventMs, 'how long events took');
  assert.ok(p50 > 0 && p50 <= p95 && p95 <= p99 && p99 <= 2_500, JSON.stringify({ p50, p95, p99 }));
  const { at } = await update(({ limitedTotal }) => limitedTotal === refused, 'what was refused');
  const idle = await stream.next((event) => isNamed('update')(event) && event.at > at, 'figures without events', 7_000);
  assert.equal(idle.data.eventMs, null);
});

for (const kind of STREAMS) {
  test(`${kind} that are posted again under their Idempotency-Key are one event`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t);
    const feed = station.feed(kind);
    const stream = await feed.read();
    const key = { 'idempotency-key': randomUUID() };
    const id = await feed.post({ n: 1 }, key);
    const again = await Promise.all([1, 2, 3].map(() => feed.post({ n: 1 }, key)));
    assert.deepEqual(again, [id, id, id]);
    const [path, , body] = feed.posting({ n: 2 });
    const reused = await request(station.url, 'POST', path, { as: API_KEY, body, headers: key });
    assertProblem(reused, 422, 'idempotency_key_reused');
    const other = await feed.post({ n: 2 });
    await stream.next((event) => event.id === other, 'what came later is heard');
    assert.deepEqual(stream.ids, [id, other]);
    assert.deepEqual(await feed.listed(), [id, other]);
  });
}

/** nginx in front of the server, with nothing set but where that is. */
async function behindNginx(t, station) {
  assert.ok(existsSync(NGINX), `there is no nginx at ${NGINX}; NGINX says where it is`);
  const [dir, port] = [await folder(t), await freePort()];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${dir}/${of};`);
  await writeFile(join(dir, 'nginx.conf'), `
    daemon off;
    pid ${dir}/pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${temporary.join('\n')}
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass ${station.url}; }
      }
    }`);
  start(t, `exec '${NGINX}' -e stderr -p '${dir}' -c '${dir}/nginx.conf'`, { cwd: dir });
  const url = `http://127.0.0.1:${port}`;
  const answers = () => request(url, 'GET', '/healthz').then(({ status }) => status === 200, () => false);
  await eventually(answers, 'nginx leads to the server');
  return url;
}

/** Ways to a server; each resolves with what opens a feed's stream. */
const WAYS = {
  'HTTP/1.1': () => (feed) => feed.read(),
  'HTTP/2': (_, station) => {
    const session = station.session();
    return (feed) => feed.readWithin(session);
  },
  'nginx with its default buffering': async (t, station) => {
    const url = await behindNginx(t, station);
    return (feed) => feed.read({ url });
  },
};

for (const [way, lead] of Object.entries(WAYS)) {
  test(`events arrive at once over ${way}`, { timeout: LIMIT_MS }, async (t) => {
    const station = await Station.start(t);
    const open = await lead(t, station);
    const feeds = station.feeds();
    const streams = await Promise.all(feeds.map(open));
    for (const [n, stream] of streams.entries()) {
      await greeting(stream);
      for (let events = 0; events < 5; events += 1) {
        const began = Date.now();
        const id = await feeds[n].post();
        const { at } = await stream.next((event) => event.id === id, 'the event', AT_ONCE_MS);
        assert.ok(at - began < AT_ONCE_MS, `it took ${at - began} ms`);
      }
    }
    // Who leaves leaves alone.
    streams[0].close();
    await settles(station.server, 'roomcast_streams', 2);
    const id = await feeds[1].post();
    await streams[1].next((event) => event.id === id, 'an event on a stream beside');
  });
}
