// A node that has lost Redis and not the database: it says so, and serves its own clients at once
// and those of others a little later.

import assert from 'node:assert/strict';

import { contents, say } from './away.mjs';
import { eventually, upTo } from './observe.mjs';
import { Station } from './sse.mjs';
import { testOnTwoNodes } from './two_nodes.mjs';
import { assertOk } from './world.mjs';

const POLL_MS = 1_000;
/** What it takes to look, beside the interval: this machine does other things, too. */
const SLACK_MS = 1_000;
const AT_ONCE_MS = 700;
const NOTICED_WITHIN_MS = 10_000;
const ENV = { ROOMCAST_CLUSTER__POLL_MS: String(POLL_MS), ROOMCAST_CLUSTER__REDIS_TIMEOUT_MS: '500' };
const CUTS = {
  'refused by Redis': [(node) => node.redis.cut(), (node) => node.redis.mend()],
  'not answered by Redis': [(node) => node.redis.hold(), (node) => node.redis.release()],
};

/** Cuts the second node off, and waits until it knows. */
async function cutOff({ cluster }, [cut], knows) {
  const node = cluster.nodes[1];
  cut(node);
  await eventually(async () => knows(await node.readiness()), 'the node knows that it is alone', NOTICED_WITHIN_MS);
}

const isDegraded = ({ status, body }) => status === 200 && body.degraded === 'redis';

for (const [how, ways] of Object.entries(CUTS)) {
  testOnTwoNodes(`a node that is ${how} is degraded and ready, and its members miss nothing`,
    { env: ENV, isDirect: false },
    async ({ t, cluster, a, b }) => {
      const room = a.id('room');
      const alice = await a.member(a.user('alice'), room);
      const [bob, carol] = [await b.member(b.user('bob'), room), await b.member(b.user('carol'), room)];
      const feed = Station.at(t, cluster.nodes[0]).feed('notifications');
      const stream = await Station.at(t, cluster.nodes[1]).feed('notifications', feed.owner).read();
      await cutOff({ cluster }, ways, isDegraded);

      const isFrom = ({ id }) => (message) => message.id === id;
      const own = await say(bob, room, 'to those on this node');
      await carol.next('message:new', isFrom(own), AT_ONCE_MS);
      await alice.next('message:new', isFrom(own), POLL_MS + SLACK_MS);
      const other = await say(alice, room, 'to those on the other');
      await bob.next('message:new', isFrom(other), POLL_MS + SLACK_MS);
      const id = await feed.post();
      await stream.next((event) => event.id === id, 'what the other node was posted', POLL_MS + SLACK_MS);
      assert.ok(isDegraded(await cluster.nodes[1].readiness()));
      assert.equal((await cluster.nodes[0].readiness()).body.degraded, undefined);

      ways[1](cluster.nodes[1]);
      await cluster.ready();
      const last = await say(alice, room, 'at once again');
      await bob.next('message:new', isFrom(last), POLL_MS + SLACK_MS);
      const sent = [own, other, last].map(({ content }) => content);
      for (const client of [alice, bob, carol]) {
        await eventually(() => contents(client).length >= sent.length, 'all is heard');
        assert.deepEqual(contents(client), sent);
      }
      await b.settle(bob);
      assert.deepEqual(stream.ids, [id]);
    });
}

testOnTwoNodes('a node that needs Redis is not ready without it, and says so',
  { env: { ...ENV, ROOMCAST_CLUSTER__REDIS_REQUIRED: 'true' }, isDirect: false },
  async ({ cluster }) => {
    const [cut, mend] = CUTS['refused by Redis'];
    await cutOff({ cluster }, [cut], ({ status }) => status === 503);
    const { body } = await cluster.nodes[1].readiness();
    assert.deepEqual(body.reasons, ['redis']);
    assert.equal(body.code, 'cluster_unavailable');
    assert.equal((await cluster.nodes[0].readiness()).status, 200);
    mend(cluster.nodes[1]);
    await cluster.ready();
  });

testOnTwoNodes('without Redis members on both nodes miss nothing, and hear each other at once when it is back',
  { env: ENV, hasOwn: true },
  async ({ cluster, a, b }) => {
    const room = a.id('room');
    const [alice, bob] = [await a.member(a.user('alice'), room), await b.member(b.user('bob'), room)];
    await cluster.redis.stop();
    for (const node of cluster.nodes) {
      await eventually(async () => isDegraded(await node.readiness()), 'it is degraded', NOTICED_WITHIN_MS);
    }
    for (const n of upTo(5)) await say(n % 2 ? alice : bob, room, `without ${n}`);
    const texts = upTo(5).map((n) => `without ${n}`);
    for (const client of [alice, bob]) {
      await eventually(() => contents(client).length === 5, 'all is heard', POLL_MS + SLACK_MS);
      assert.deepEqual(contents(client), texts);
    }
    await cluster.redis.start();
    await cluster.ready();
    const { message } = assertOk(await alice.ask('message:send', { roomId: room, content: 'again' }));
    await bob.next('message:new', ({ id }) => id === message.id, AT_ONCE_MS);
    await a.settle(bob);
  });
