// What is asked of one node holds for clients of the other: who is let go, what is paid, what is
// told and read again.

import assert from 'node:assert/strict';

import { RECOVERY, contents, say } from './away.mjs';
import { CONNECTED, DISCONNECTED } from './client.mjs';
import { elapse, eventually, upTo } from './observe.mjs';
import { within } from './raw.mjs';
import { finish, pay } from './scenarios/payments.mjs';
import { STREAMS, Station } from './sse.mjs';
import { moveTo, onTwoNodes, testOnTwoNodes } from './two_nodes.mjs';
import { assertOk, assertProblem, assertRefused } from './world.mjs';

const AT_ONCE_MS = 1_000;
const OUTCOME = 'payment-status';
/** No outcome but what a service says. */
const NEVER = { ROOMCAST_PAYMENTS__DELAY_MS: '600000' };
/** Who is where is stored a few times a second; a kill right after a join may forget the join. */
const STORED_AFTER_MS = 1_000;
/** What is waited for a node that is gone: others look for its payments every 5 s. */
const TAKEN_OVER_MS = 15_000;
const PAYMENTS = 15;
/** A limit per second, and how long it is tried at how many times that. */
const RATE = 40;
const TRIED_S = 3;
const TIMES = 5;
const LIMITED = {
  ROOMCAST_LIMITS__USER_EVENTS_PER_SECOND: String(RATE),
  ROOMCAST_LIMITS__REQUESTS_PER_SECOND: String(RATE),
  // Who goes on beyond the limits is not disconnected.
  ROOMCAST_LIMITS__FLOOD_MS: '0',
};

/** What a service asks, and whether the token is refused from then on. */
const ENDINGS = {
  'the revocation of a token': ['POST', '/api/tokens/revoke', ({ token }) => ({ token }), true],
  'the revocation of a user': ['POST', '/api/tokens/revoke', ({ id }) => ({ userId: id }), true],
  "the end of a user's sessions": ['DELETE', '/api/users/:id/sessions', () => undefined, false],
};

const endings = Object.entries(ENDINGS).map(([what, [method, path, body, isRefused]]) => [
  `${what} at one node ends sockets and streams of the other within a second`,
  async ({ t, cluster, a, b }) => {
    const users = { alice: b.user('alice', { roles: ['vendor'] }), bob: b.user('bob', { roles: ['vendor'] }) };
    const [alice, bob] = [await b.connect(users.alice, { reconnection: false }), await b.connect(users.bob)];
    const station = Station.at(t, cluster.nodes[1]);
    const streamsOf = ({ id, token }) =>
      Promise.all(STREAMS.map((kind) => station.feed(kind, id).read({ as: token })));
    const [streams, others] = [await streamsOf(users.alice), await streamsOf(users.bob)];
    const asked = await a.service(method, path.replace(':id', users.alice.id), body(users.alice));
    assert.equal(asked.status, 204, asked.text);
    const over = [alice.next(DISCONNECTED, undefined, AT_ONCE_MS), ...streams.map(({ ended }) => ended)];
    await within(AT_ONCE_MS, Promise.all(over), 'not all of them have ended');
    for (const world of [a, b]) {
      const { status } = await world.http('GET', '/api/presence?users=x', { as: users.alice });
      assert.equal(status, isRefused ? 401 : 200);
    }
    await b.settle(bob);
    assert.deepEqual([bob.heard(DISCONNECTED), others.filter(({ isGone }) => isGone)], [[], []]);
  },
]);

onTwoNodes('two nodes', NEVER, {
  ...Object.fromEntries(endings),

  'the outcome of a payment asked of another node comes to its socket once, and to no other': async ({ a, b, both }) => {
    const user = a.user('alice');
    const [phone, laptop] = [await a.connect(user), await b.connect(user)];
    for (const n of upTo(PAYMENTS)) {
      const id = await pay(b, user, phone);
      // The outcome is told by the node that has the socket, and by the one that has not, in turn.
      await finish(n % 2 ? a : b, id, n % 3 ? 'succeeded' : 'failed');
      assert.equal(await phone.next(OUTCOME), n % 3 !== 0);
    }
    await both.settle(phone, laptop);
    assert.deepEqual([phone, laptop].map((device) => device.heard(OUTCOME).length), [PAYMENTS, 0]);
  },

  "a user's device on the other node hears the outcome when the socket that asked has gone": async ({ a, b, both }) => {
    const user = a.user('alice');
    const [phone, laptop] = [await a.connect(user), await b.connect(user)];
    const id = await pay(b, user, phone);
    phone.close();
    const devices = async () => (await laptop.ask('presence:get', [user.id])).presence[user.id].devices;
    await eventually(async () => (await devices()) === 1, 'the phone has gone');
    await finish(a, id, 'failed');
    assert.equal(await laptop.next(OUTCOME), false);
    // Who connects before it is stored that the user was told is told, too.
    await eventually(async () => {
      const later = await a.connect(user);
      await both.settle(laptop, later);
      return later.heard(OUTCOME).length === 0;
    }, 'who connects later is not told');
    assert.deepEqual(laptop.heard(OUTCOME), [false]);
  },

  'a message is the same on both nodes, in pages, in order and in time': async ({ a, b, both }) => {
    const room = a.id('room');
    const users = { alice: a.user('alice'), bob: b.user('bob') };
    const [alice, bob] = [await a.member(users.alice, room), await b.member(users.bob, room)];
    const sent = [];
    for (const n of upTo(10)) sent.push(await say(n % 2 ? alice : bob, room, `message ${n}`));
    await both.settle(alice, bob);
    for (const client of [alice, bob]) assert.deepEqual(client.heard('message:new'), sent);
    for (const world of [a, b]) {
      const { body } = await world.http('GET', `/api/rooms/${room}/messages?after=0`, { as: users.bob });
      assert.deepEqual(body.messages, sent);
    }
  },

  'what one node is posted is on the streams and pages of the other under the same ids': async ({ t, cluster }) => {
    const [at, other] = cluster.nodes.map((node) => Station.at(t, node));
    for (const kind of STREAMS) {
      const feed = at.feed(kind);
      const there = other.feed(kind, feed.owner);
      const stream = await there.read();
      await stream.next(() => true, 'the stream begins');
      await feed.fill(5);
      await stream.next(({ id }) => id === feed.posted.at(-1), `${kind} of the other node`);
      assert.deepEqual(stream.ids, feed.posted, kind);
      const lists = [await feed.listed(), await there.listed()];
      assert.deepEqual(lists, [feed.posted, feed.posted], kind);
    }
  },

  'a stream of one node is resumed on the other': async ({ t, cluster }) => {
    const [at, other] = cluster.nodes.map((node) => Station.at(t, node));
    for (const kind of ['orders', 'notifications']) {
      const feed = at.feed(kind);
      const first = await feed.read();
      await feed.fill(3);
      await first.next(({ id }) => id === feed.posted[2], 'the third');
      first.close();
      await feed.fill(3);
      const headers = { 'last-event-id': feed.posted[1] };
      const second = await other.feed(kind, feed.owner).read({ headers });
      const live = await feed.post();
      await second.next(({ id }) => id === live, 'what comes later');
      assert.equal(second.events[0].data.verdict, 'complete');
      assert.deepEqual(second.ids, feed.posted.slice(2), kind);
    }
  },
});

onTwoNodes('two nodes whose rooms are for their members', { ROOMCAST_ROOMS__ACCESS: 'members' }, {
  'a member who is removed at one node is out of the room on the other within a second': async ({ a, b }) => {
    const room = a.id('room');
    const users = { alice: a.user('alice'), bob: b.user('bob') };
    const member = async (method, user) => {
      const path = `/api/rooms/${room}/members/${user.id}`;
      assert.equal((await a.service(method, path)).status, 204);
    };
    for (const user of Object.values(users)) await member('PUT', user);
    const [alice, bob] = [await a.member(users.alice, room), await b.member(users.bob, room)];
    await member('DELETE', users.bob);
    await alice.next('user:left', ({ userId }) => userId === users.bob.id, AT_ONCE_MS);
    await say(alice, room, 'is bob gone?');
    await a.settle(bob);
    assert.deepEqual(contents(bob), []);
    assertRefused(await bob.ask('message:send', { roomId: room, content: 'no' }), 'not_in_room');
    assertRefused(await bob.ask('join:room', room));
    assertProblem(await b.http('GET', `/api/rooms/${room}/messages`, { as: users.bob }), 403);
  },
});

/** Tries much more than the limit allows at both nodes, evenly; how often it was let through. */
async function accepted(tries) {
  let count = 0;
  const under = [];
  const began = Date.now();
  for (let sent = 0; Date.now() - began < TRIED_S * 1_000; await elapse(5)) {
    const due = ((Date.now() - began) / 1_000) * RATE * TIMES;
    for (; sent < due; sent += 1) {
      const take = tries[sent % tries.length];
      under.push(take().then((isAccepted) => {
        count += isAccepted ? 1 : 0;
      }));
    }
  }
  await Promise.all(under);
  // A busy machine answers the last ones later.
  return { count, seconds: (Date.now() - began) / 1_000 };
}

/** One node alone lets through a burst of a second's worth and the rate; two of them less than twice that. */
function assertShared(t, { count, seconds }) {
  const least = RATE * TRIED_S * 0.8;
  const most = RATE * seconds * 1.5 + RATE;
  t.diagnostic(`${count} of ${RATE * TRIED_S * TIMES} in ${seconds} s at ${RATE} a second`);
  assert.ok(count >= least && count <= most, `${count} were let through, not ${least} to ${most}`);
}

onTwoNodes('two nodes with limits', LIMITED, {
  "a user's rate of events holds over both nodes": async ({ t, a, b }) => {
    const user = a.user('alice');
    const devices = [await a.connect(user), await b.connect(user)];
    const codes = new Set();
    const ask = (device) => async () => {
      const ack = await device.ask('presence:get', []);
      if (!ack.ok) codes.add(ack.code);
      return ack.ok;
    };
    assertShared(t, await accepted(devices.map(ask)));
    assert.deepEqual([...codes], ['rate_limited']);
  },

  "an API key's rate of requests holds over both nodes": async ({ t, a, b }) => {
    const statuses = new Set();
    const ask = (world) => async () => {
      const { status } = await world.service('POST', '/api/emit', { event: 'x', args: [], to: { users: ['nobody'] } });
      statuses.add(status);
      return status === 202;
    };
    assertShared(t, await accepted([a, b].map(ask)));
    assert.deepEqual([...statuses].sort(), [202, 429]);
  },
});

testOnTwoNodes('a payment of a node that is killed is settled by the other, once',
  { env: { ROOMCAST_PAYMENTS__DELAY_MS: '1500' } },
  async ({ cluster, a, b }) => {
    const user = b.user('alice');
    const alice = await b.connect(user);
    const id = await pay(a, user, alice);
    await cluster.nodes[0].kill();
    assert.equal(await alice.next(OUTCOME, undefined, TAKEN_OVER_MS), true);
    await finish(b, id, 'failed');
    await cluster.nodes[0].startAgain();
    await elapse(2_000);
    await b.settle(alice);
    assert.deepEqual(alice.heard(OUTCOME), [true]);
  });

for (const how of ['kill', 'terminate']) {
  testOnTwoNodes(`a session is recovered on another node after SIG${how === 'kill' ? 'KILL' : 'TERM'}`,
    { env: { ...RECOVERY, ROOMCAST_SERVER__DRAIN_PER_SECOND: '1000' } },
    async ({ cluster, a, b }) => {
      const room = a.id('room');
      const [alice, bob] = [await b.member(b.user('alice'), room), await a.member(a.user('bob'), room)];
      await say(alice, room, 'before');
      await bob.next('message:new');
      const { id } = bob;
      await elapse(STORED_AFTER_MS);
      bob.socket.io.reconnection(false);
      await cluster.nodes[0][how]();
      await bob.next(DISCONNECTED);
      const texts = upTo(20).map((n) => `missed ${n}`);
      for (const text of texts) await say(alice, room, text);
      moveTo(bob, cluster.nodes[1]);
      bob.socket.io.reconnection(true);
      bob.socket.connect();
      await bob.next(CONNECTED);
      assert.equal(bob.socket.recovered, true);
      assert.equal(bob.id, id);
      await say(alice, room, 'live');
      await eventually(() => contents(bob).includes('live'), 'bob is in the room again');
      assert.deepEqual(contents(bob), ['before', ...texts, 'live']);
      assertOk(await bob.ask('message:send', { roomId: room, content: 'there again' }));
    });
}
