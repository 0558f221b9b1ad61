// What two nodes and their clients make of it when Redis loses a master and a replica takes over.

import assert from 'node:assert/strict';

import { CHECKS, statusesOf } from './as_one.mjs';
import { elapse, eventually, upTo } from './observe.mjs';
import { inWorlds } from './two_nodes.mjs';
import { assertOk } from './world.mjs';

const PAUSE_MS = 50;
const NOTICED_WITHIN_MS = 5_000;
/** For Redis to find that its master is gone and choose another, and for nodes to find that one. */
const ONE_AGAIN_WITHIN_MS = 20_000;
const TOLD_WITHIN_MS = 5_000;

/** Members who say something all the time, and what each of them is to hear of it. */
class Talk {
  #isOver = false;
  #acks = [];

  constructor(room, members) {
    this.members = members;
    this.ended = this.#go(room);
    // Where the test has failed before, nobody waits for it.
    this.ended.catch(() => {});
  }

  async #go(room) {
    for (let n = 1; !this.#isOver; n += 1) {
      const speaker = this.members[n % this.members.length];
      this.#acks.push(await speaker.ask('message:send', { roomId: room, content: `message ${n}` }));
      await elapse(PAUSE_MS);
    }
  }

  stop() {
    this.#isOver = true;
  }

  /** Every message was accepted, and every member heard all of them, once and in their order. */
  async end() {
    this.stop();
    await this.ended;
    const sent = this.#acks.map((ack) => assertOk(ack).message);
    assert.deepEqual(sent.map(({ seq }) => seq), upTo(sent.length));
    for (const member of this.members) {
      const isAll = () => member.heard('message:new').length >= sent.length;
      await eventually(isAll, `${member.label} heard all of ${sent.length} messages`, TOLD_WITHIN_MS);
      assert.deepEqual(member.heard('message:new'), sent);
    }
    return sent.length;
  }
}

const isDegraded = ({ status, body }) => status === 200 && body.degraded === 'redis';

/** Waits until both nodes say what there is to say of these users. */
async function presenceIs(members, expected) {
  const ids = Object.keys(expected);
  for (const member of members) {
    let seen;
    const look = async () => {
      const { presence } = assertOk(await member.ask('presence:get', ids));
      seen = Object.fromEntries(ids.map((id) => [id, `${presence[id].status}, ${presence[id].devices}`]));
      return ids.every((id) => seen[id] === expected[id]);
    };
    await eventually(look, 'presence is exact', TOLD_WITHIN_MS).catch((error) => {
      throw new Error(`${error.message}; ${member.label} sees ${JSON.stringify(seen)}`);
    });
  }
}

/**
 * Loses a master while alice on one node and bob on the other talk; carol leaves and dave comes.
 *
 * @param how the master is lost: stop or pause
 */
export async function survive(scene, master, how) {
  const { a, b } = scene;
  const users = Object.fromEntries(['alice', 'bob', 'carol', 'dave'].map((name) => [name, a.user(name)]));
  const room = a.id('room');
  const [alice, bob] = [await a.member(users.alice, room), await b.member(users.bob, room)];
  const members = [alice, bob];
  const carol = await b.connect(users.carol);
  const product = a.id('lamp');
  for (const member of members) {
    await member.next('presence:changed', ({ userId }) => userId === users.carol.id);
    assertOk(await member.ask('join-product-room', product));
  }
  const talk = new Talk(room, members);
  try {
    await lost(scene, { users, members, carol, product, talk }, () => scene.form.lose(master, how));
  } finally {
    talk.stop();
  }
}

async function lost({ t, cluster, form, a, both }, { users, members, carol, product, talk }, lose) {
  const began = Date.now();
  await lose();
  for (const node of cluster.nodes) {
    const look = async () => isDegraded(await node.readiness());
    await eventually(look, `node ${node.index} says that it is alone`, NOTICED_WITHIN_MS);
  }
  carol.close();
  const dave = await a.connect(users.dave);
  const put = await a.service('PUT', `/api/products/${product}/inventory`, { newInventory: 3 });
  assert.equal(put.status, 204, put.text);
  await form.whole();
  await cluster.ready(ONE_AGAIN_WITHIN_MS);
  t.diagnostic(`one cluster again after ${Date.now() - began} ms`);

  const there = [users.alice, users.bob, users.dave].map(({ id }) => [id, 'online, 1']);
  await presenceIs([...members, dave], { ...Object.fromEntries(there), [users.carol.id]: 'offline, 0' });
  for (const member of members) {
    for (const [user, status] of [[users.carol, 'offline'], [users.dave, 'online']]) {
      const isNews = (change) => change.userId === user.id && change.status === status;
      await member.next('presence:changed', isNews, TOLD_WITHIN_MS);
    }
    assert.equal(await member.next('inventory-update', undefined, TOLD_WITHIN_MS), 3);
  }
  t.diagnostic(`${await talk.end()} messages`);
  const checks = Object.values(CHECKS);
  await Promise.all(checks.map((check) => inWorlds(t, cluster, (own) => check({ ...own, form }))));
  await both.settle(...members);
  for (const member of members) {
    assert.deepEqual(statusesOf(member, users.carol), ['online', 'offline']);
    assert.deepEqual(statusesOf(member, users.dave), ['online']);
    const away = [users.alice, users.bob].flatMap((user) => statusesOf(member, user).slice(1));
    assert.deepEqual(away, [], 'those who were there all the time were told of again');
  }
}
