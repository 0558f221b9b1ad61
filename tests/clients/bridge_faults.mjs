// What workers publish while nodes and Redis fail: nothing comes twice, streams lose nothing, and
// what is published once another node has taken over is heard.

import assert from 'node:assert/strict';

import { RULED, holder } from './bridge_scene.mjs';
import { assertComplete, elapse, eventually } from './observe.mjs';
import { Station } from './sse.mjs';
import { onTwoNodes } from './two_nodes.mjs';
import { Talk, Worker } from './worker.mjs';

/** For how long a node counts as the one that takes messages up after it was last heard of. */
const LEASE_MS = 3_000;
/** The others look for it this often; and this machine does other things, too. */
const TAKEN_OVER_MS = LEASE_MS + 750 + 5_000;
/** As many messages may be under way in a node that is killed: bridge.in_flight. */
const MOST_LOST = 64;
const PACE_MS = 4;
/** How long is talked before a fault, and after it. */
const BEFORE_MS = 400;
const AFTER_MS = 500;
const WORKS_WITHIN_MS = 15_000;
/** How long a node is held, so that another takes over. */
const HELD_MS = LEASE_MS + 1_500;
const FLUSHES = 6;
const FLUSH_EVERY_MS = 400;
const SETTINGS = {
  ...RULED,
  ROOMCAST_CLUSTER__LEASE_MS: String(LEASE_MS),
  ROOMCAST_SERVER__DRAIN_PER_SECOND: '1000',
};

/** What is wrong with numbers that were said in order, each once; which came twice, in few words. */
function judged(heard, count) {
  const times = new Map();
  for (const n of heard) times.set(n, (times.get(n) ?? 0) + 1);
  const twice = [...times].filter(([, more]) => more > 1).map(([n]) => n);
  const lost = Array.from({ length: count }, (_, n) => n + 1).filter((n) => !times.has(n));
  const disorder = heard.filter((n, at) => at > 0 && n < heard[at - 1]).length;
  return { twice: twice.length, first: twice.slice(0, 3), lost, disorder };
}

/** Nothing came twice, and all in order unless something may be late; says what was lost. */
function assertOnce(t, heard, count, who, { mayBeLate = false } = {}) {
  const { twice, first, lost, disorder } = judged(heard, count);
  t.diagnostic(`${who}: ${lost.length} of ${count} lost, ${disorder} late`);
  const found = { twice, first, disorder: mayBeLate ? 0 : disorder };
  assert.deepEqual(found, { twice: 0, first: [], disorder: 0 }, who);
  return lost;
}

const inOrder = (numbers) => [...numbers].sort((one, two) => one - two);

/** A user on each node, in one room, and a worker. */
class Scene {
  static async of({ t, cluster, a, b }) {
    // What the test before has left.
    for (const node of cluster.nodes) {
      if (node.isPaused) node.resume();
      if (!node.isRunning) await node.startAgain();
    }
    await cluster.ready();
    const scene = new Scene();
    Object.assign(scene, { t, cluster, room: a.id('room'), worker: Worker.at(t, cluster.redis) });
    scene.users = [a.user('alice', { roles: ['vendor'] }), b.user('bob', { roles: ['vendor'] })];
    scene.clients = [await a.member(scene.users[0], scene.room), await b.member(scene.users[1], scene.room)];
    /** How often each of them has come back, and is in the room again. */
    scene.returns = [0, 0];
    for (const [n, { socket }] of scene.clients.entries()) {
      socket.on('connect', () => socket.emit('join:room', scene.room, () => {
        scene.returns[n] += 1;
      }));
    }
    /** The node that takes messages up, and the other. */
    scene.held = await holder(cluster, scene.worker);
    scene.other = 1 - scene.held;
    return scene;
  }

  /** Tells the room a number. */
  tell(n) {
    return this.worker.publish(`broadcast:room:${this.room}`, { event: 'told', data: n });
  }

  /** A number for a user and vendor, by both streams. */
  add(n, { id }) {
    const message = { n, userId: id, vendorId: id };
    const streams = ['order-stream', 'note-stream'];
    return Promise.all(streams.map((stream) => this.worker.addMessage(stream, message)));
  }

  /** What the user on this node was told. */
  told(node) {
    return this.clients[node].heard('told');
  }

  hears(node, fits, withinMs) {
    return eventually(() => this.told(node).some(fits), `${this.clients[node].label} is told`, withinMs);
  }

  /** The numbers that are stored for a user, as this node says. */
  async stored(node, kind, { id }) {
    const entries = await Station.at(this.t, this.cluster.nodes[node]).feed(kind, id).entries();
    return entries.map(({ n }) => n);
  }

  /** Each number of both streams is stored once, and heard once by the user's client on this node. */
  async assertStreams(node, count) {
    for (const [kind, event] of [['orders', 'new-order'], ['notifications', 'notification']]) {
      const heard = () => this.clients[node].heard(event).map(({ n }) => n);
      await eventually(() => heard().length >= count, `all ${kind}`, TAKEN_OVER_MS);
      assertComplete(inOrder(await this.stored(node, kind, this.users[node])), count, `${kind}, as stored`);
      assertComplete(inOrder(heard()), count, `${kind}, as heard`);
    }
  }

  /** Starts the node again, and waits for its client, which tries again by itself. */
  async startAgain(node) {
    const before = this.returns[node];
    await this.cluster.nodes[node].startAgain();
    await eventually(() => this.returns[node] > before, 'its client is back');
    await this.cluster.ready();
  }
}

const FAULTS = {
  'the node that takes messages up is killed: another goes on, and nothing comes twice': async (scene) => {
    const { t, cluster, worker, users, held, other } = scene;
    const user = users[other];
    const note = (n) => worker.publish(`broadcast:user:${user.id}`, { event: 'whispered', data: n });
    const order = (n) => worker.publish('orders', { vendorId: users[held].id, n });
    const say = (n) => Promise.all([scene.tell(n), note(n), order(n), scene.add(n, user)]);
    const talk = new Talk(say, PACE_MS);
    await elapse(BEFORE_MS);
    const updates = await worker.listen('presence:updates');
    const before = talk.count + 1;
    await cluster.nodes[held].kill();
    await scene.hears(other, (n) => n > before, TAKEN_OVER_MS);
    await elapse(AFTER_MS);
    const count = await talk.stop();
    await scene.hears(other, (n) => n === count);
    const orders = () => scene.stored(other, 'orders', users[held]);
    await eventually(async () => (await orders()).includes(count), 'the last order is stored');
    const whispers = scene.clients[other].heard('whispered');
    const heard = { events: scene.told(other), whispers, orders: await orders() };
    for (const [what, numbers] of Object.entries(heard)) {
      const lost = assertOnce(t, numbers, count, `${what}, ${before} of them before the kill`);
      assert.ok(lost.length <= MOST_LOST, `${lost.length} ${what} are lost`);
      assert.deepEqual(lost.filter((n) => n > before), [], `${what} of after the kill are lost`);
    }
    await scene.assertStreams(other, count);
    const ofUser = ({ userId }) => userId === users[held].id;
    const statuses = () => updates.filter(ofUser).map(({ status }) => status);
    await eventually(() => statuses().length > 0, 'workers hear that its user has gone', TAKEN_OVER_MS);
    await scene.startAgain(held);
    await eventually(() => statuses().length > 1, 'workers hear that the user is back');
    assert.deepEqual(statuses(), ['offline', 'online']);
  },

  'nodes are restarted one after the other: streams lose nothing, and nothing comes twice': async (scene) => {
    const { t, cluster, clients, users } = scene;
    const talk = new Talk((n) => Promise.all([scene.tell(n), scene.add(n, users[0])]), PACE_MS);
    const away = [];
    for (const [n, node] of cluster.nodes.entries()) {
      await elapse(BEFORE_MS);
      const from = talk.count + 1;
      assert.equal(await node.terminate(), 0);
      await elapse(BEFORE_MS);
      const until = talk.count;
      away.push({ from, until });
      await scene.startAgain(n);
    }
    await elapse(AFTER_MS);
    const count = await talk.stop();
    for (const kind of ['orders', 'notifications']) {
      const stored = () => scene.stored(0, kind, users[0]);
      await eventually(async () => (await stored()).length >= count, `all ${kind} are stored`, TAKEN_OVER_MS);
      assertComplete(inOrder(await stored()), count, kind);
    }
    for (const [n, { label }] of clients.entries()) {
      const lost = assertOnce(t, scene.told(n), count, `${label}, who was away for a while`);
      const { from, until } = away[1 - n];
      const meanwhile = lost.filter((number) => number >= from && number <= until);
      assert.deepEqual(meanwhile, [], `${label} missed some while the other node was away`);
    }
  },

  'a node that was held, and heard late, repeats nothing, nor when it takes over': async (scene) => {
    const { t, cluster, clients, held, other } = scene;
    const talk = new Talk((n) => scene.tell(n), PACE_MS);
    await elapse(BEFORE_MS);
    cluster.nodes[held].pause();
    await elapse(HELD_MS);
    cluster.nodes[held].resume();
    await elapse(AFTER_MS);
    const goneAt = talk.count;
    for (const n of [other, held]) {
      await scene.hears(n, (number) => number >= goneAt, TAKEN_OVER_MS);
      const heard = scene.told(n).filter((number) => number <= goneAt);
      const lost = assertOnce(t, heard, goneAt, clients[n].label, { mayBeLate: true });
      // What the held node had in hand comes late, or not at all: it is passing.
      assert.ok(lost.length <= MOST_LOST, `${lost.length} are lost`);
    }
    assert.equal(await cluster.nodes[other].terminate(), 0);
    const alone = talk.count + 1;
    await scene.hears(held, (n) => n > alone, TAKEN_OVER_MS);
    const count = await talk.stop();
    await scene.hears(held, (n) => n === count);
    const lost = assertOnce(t, scene.told(held), count, 'once it has taken over', { mayBeLate: true });
    assert.ok(lost.length <= MOST_LOST, `${lost.length} are lost`);
  },

  'Redis starts again, empty: nothing comes twice, nor when another node takes over': async (scene) => {
    const { t, cluster, clients, users } = scene;
    const say = (n) => Promise.all([
      scene.tell(n), scene.add(n, users[0]), scene.worker.publish('orders', { vendorId: users[1].id, n }),
    ]);
    const early = new Talk(say, PACE_MS);
    await elapse(BEFORE_MS);
    const earlier = await early.stop();
    for (const n of [0, 1]) await scene.hears(n, (number) => number === earlier);
    await scene.assertStreams(0, earlier);
    await cluster.redis.stop();
    await cluster.redis.start();
    scene.worker = Worker.at(t, cluster.redis);
    const updates = await scene.worker.listen('presence:updates');
    const talk = new Talk((n) => say(earlier + n), PACE_MS);
    for (const n of [0, 1]) await scene.hears(n, (number) => number > earlier, WORKS_WITHIN_MS);
    await cluster.ready();
    await elapse(LEASE_MS);
    const steady = earlier + talk.count + 1;
    for (const { id } of users) assert.deepEqual(updates.filter(({ userId }) => userId === id), []);
    const left = 1 - (await holder(cluster, scene.worker));
    assert.equal(await cluster.nodes[1 - left].terminate(), 0);
    const alone = earlier + talk.count + 1;
    await scene.hears(left, (n) => n > alone, TAKEN_OVER_MS);
    const count = earlier + (await talk.stop());
    const orders = () => scene.stored(left, 'orders', users[1]);
    await eventually(async () => (await orders()).includes(count), 'the last order is stored');
    await scene.hears(left, (n) => n === count);
    for (const [who, numbers] of [['orders', await orders()], [clients[left].label, scene.told(left)]]) {
      const lost = assertOnce(t, numbers, count, who, { mayBeLate: true });
      assert.deepEqual(lost.filter((n) => n <= earlier || n >= steady), [], who);
    }
    for (const kind of ['orders', 'notifications']) {
      const stored = () => scene.stored(left, kind, users[0]);
      await eventually(async () => (await stored()).length >= count, `all ${kind}`, TAKEN_OVER_MS);
      assertComplete(inOrder(await stored()), count, `${kind} of streams`);
    }
  },

  'Redis loses all that it has, again and again: nothing comes twice': async (scene) => {
    const { t, worker, clients } = scene;
    const talk = new Talk((n) => scene.tell(n), PACE_MS);
    for (let n = 0; n < FLUSHES; n += 1) {
      await worker.run('FLUSHALL');
      await elapse(FLUSH_EVERY_MS);
    }
    const last = talk.count + 1;
    await scene.hears(0, (n) => n > last, TAKEN_OVER_MS);
    const count = await talk.stop();
    for (const n of [0, 1]) {
      await scene.hears(n, (number) => number === count);
      assertOnce(t, scene.told(n), count, clients[n].label, { mayBeLate: true });
    }
  },
};

onTwoNodes('faults while workers publish', SETTINGS, Object.fromEntries(
  Object.entries(FAULTS).map(([sentence, run]) => [sentence, async (world) => run(await Scene.of(world))]),
));
