// What nginx must keep together stays together, what it passes on comes through as it was written; and
// who needs nothing sticky.

import assert from 'node:assert/strict';

import { chat, cluster, crowd, nginx, through, unsticky } from './behind_nginx.mjs';
import { CONNECTED, DISCONNECTED, REFUSED } from './client.mjs';
import { eventually, metric, upTo } from './observe.mjs';
import { Poller } from './raw.mjs';
import { STREAMS, Station } from './sse.mjs';
import { assertOk, assertProblem } from './world.mjs';

const AT_ONCE_MS = 1_000;
/** More than chance would send one way. */
const ATTEMPTS = 20;
const MEMBERS = 8;
const MESSAGES = 30;

/** The nodes that were asked. */
const nodesOf = (entries) => new Set(entries.flatMap(({ nodes }) => nodes));

/** What a client's address has asked: `{entries, nodes}`. */
async function seenOf({ from }, fits = () => true) {
  const entries = (await nginx.log()).filter((entry) => entry.from === from && fits(entry));
  return { entries, nodes: nodesOf(entries) };
}

/** The WebSockets that have ended, once there are so many behind the first of these entries. */
async function webSockets(proxy, already, count) {
  const ended = async () => (await proxy.log()).slice(already).filter(({ status }) => status === 101);
  await eventually(async () => (await ended()).length >= count, `${count} WebSockets have ended`);
  return ended();
}

through('through nginx', {
  'clients of many networks are on both nodes, in one room': async ({ world }) => {
    const [w, already] = [world(), (await nginx.log()).length];
    const members = await crowd(w, w.id('room'), MEMBERS);
    await chat(members, w.id('room'), MEMBERS);
    assert.deepEqual(members.map(({ transport }) => transport), members.map(() => 'websocket'));
    w.close();
    assert.equal(nodesOf(await webSockets(nginx, already, MEMBERS)).size, 2);
  },

  'a session by polling stays on one node through all of its polls': async ({ world }) => {
    const w = world('polling');
    const members = await crowd(w, w.id('room'), MEMBERS);
    await chat(members, w.id('room'), MESSAGES);
    const all = new Set();
    for (const member of members) {
      const { entries, nodes } = await seenOf(member, ({ uri }) => uri.includes('sid='));
      assert.ok(entries.length >= MESSAGES / 2, `${entries.length} polls`);
      assert.equal(nodes.size, 1, 'one node answered all of them');
      assert.deepEqual(entries.filter(({ status }) => status !== 200), []);
      nodes.forEach((node) => all.add(node));
    }
    assert.equal(all.size, 2, 'the sessions are on both nodes');
    assert.deepEqual(members.flatMap((member) => member.heard(DISCONNECTED)), []);
  },

  'a session by polling goes over to WebSocket, on the node where it is': async ({ world }) => {
    const [w, already] = [world('upgrade'), (await nginx.log()).length];
    const members = await crowd(w, w.id('room'), MEMBERS);
    for (const member of members) {
      await eventually(() => member.transport === 'websocket', `${member.label} has gone over to WebSocket`);
    }
    await chat(members, w.id('room'), MESSAGES);
    assert.deepEqual(members.flatMap((member) => member.heard(DISCONNECTED)), []);
    w.close();
    const ended = await webSockets(nginx, already, MEMBERS);
    assert.ok(ended.every(({ uri }) => uri.includes('sid=')), 'they took sessions over');
    assert.equal(nodesOf(ended).size, 2, 'the sessions were on both nodes');
    for (const member of members) {
      assert.equal((await seenOf(member)).nodes.size, 1, 'one node had the polls and the WebSocket');
    }
  },

  'an event is on its stream at once, whichever node it was posted at': async ({ t }) => {
    const station = Station.at(t, nginx);
    const posts = cluster.nodes.map((node) => Station.at(t, node));
    for (const kind of STREAMS) {
      const feed = station.feed(kind);
      const stream = await feed.read();
      await stream.next(({ event }) => event === 'connected', 'the greeting', AT_ONCE_MS);
      for (const at of [...posts, ...posts]) {
        const id = await at.feed(kind, feed.owner).post();
        await stream.next((event) => event.id === id, `an event of ${kind}`, AT_ONCE_MS);
      }
      assert.equal(stream.isGone, undefined, 'the stream is still open');
    }
  },

  'pages of the same origin may open sockets, others may not': async ({ world }) => {
    const w = world();
    const page = (Origin) => w.dial(w.user('alice'), { extraHeaders: { Origin }, reconnection: false });
    await page(nginx.url).next(CONNECTED);
    for (const origin of ['http://127.0.0.1', 'https://elsewhere.example']) await page(origin).next(REFUSED);
  },

  'health is seen through it, metrics are not': async () => {
    for (const path of ['/healthz', '/readyz']) assert.equal((await nginx.ask('GET', path)).status, 200);
    // Who asks a node itself sees them.
    for (const node of cluster.nodes) assert.equal(await metric(node, 'roomcast_redis_up'), 1);
    const forged = { forwarded: '', 'x-forwarded-for': '' };
    for (const path of ['/metrics', '/metrics/', '//metrics', '/%6detrics', '/x/../metrics', '/metrics?x']) {
      for (const headers of [{}, forged]) assertProblem(await nginx.ask('GET', path, { headers }), 404);
    }
  },
});

through('without stickiness', {
  'clients with WebSocket alone are spread at will, and come back to any node': async ({ world }) => {
    const [w, already] = [world('websocket', unsticky), (await unsticky.log()).length];
    const room = w.id('room');
    const members = [];
    for (const n of upTo(MEMBERS)) members.push(await w.member(w.user(`user-${n}`), room));
    await chat(members, room, MESSAGES);
    for (const member of members) {
      member.drop();
      await member.next(CONNECTED);
      assertOk(await member.ask('join:room', room));
    }
    await chat(members, room, MESSAGES);
    w.close();
    const ended = await webSockets(unsticky, already, 2 * MEMBERS);
    assert.equal(new Set(ended.map(({ from }) => from)).size, 1, 'they have one address');
    assert.equal(nodesOf(ended).size, 2, 'and both nodes');
  },

  'event streams are resumed on any node': async ({ t }) => {
    const station = Station.at(t, unsticky);
    const feed = station.feed('orders');
    await feed.fill(4);
    for (const n of upTo(ATTEMPTS)) {
      const after = feed.posted[n % 3];
      const stream = await feed.read({ headers: { 'last-event-id': after } });
      await stream.next(({ id }) => id === feed.posted.at(-1), 'the last event');
      assert.deepEqual(stream.ids, feed.posted.slice(feed.posted.indexOf(after) + 1));
      stream.close();
    }
    const streams = async () => (await unsticky.log()).filter(({ uri }) => uri.startsWith(feed.path));
    await eventually(async () => (await streams()).length === ATTEMPTS, 'all streams have ended');
    assert.equal(nodesOf(await streams()).size, 2, 'both nodes had streams');
  },

  'sessions by polling break: a node does not know the sessions of the other': async ({ world }) => {
    const { token } = world().user('alice');
    const pollers = await Promise.all(upTo(ATTEMPTS).map(() => Poller.open(unsticky.url)));
    const answers = await Promise.all(pollers.map((poller) => poller.post(`40${JSON.stringify({ token })}`)));
    const refused = answers.filter(({ status }) => status !== 200);
    assert.ok(refused.length > 0, 'some of them went to the other node');
    for (const { status, text } of refused) {
      assert.deepEqual([status, JSON.parse(text)], [400, { code: 1, message: 'Session ID unknown' }]);
    }
  },
});
