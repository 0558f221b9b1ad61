// What goes wrong on purpose. Each fault draws its parameters, does its harm, undoes it, and writes
// into the journal when what was away.

import assert from 'node:assert/strict';

import { elapse } from './observe.mjs';

/** When what was away in one round, for the checker. */
export class Journal {
  downs = [];
  outages = [];
  away = [];

  /** From now on, until the function that it gives is called. */
  #opens(list, entry) {
    const open = { ...entry, from: Date.now(), until: Infinity };
    list.push(open);
    return () => {
      open.until = Date.now();
    };
  }

  /** A node does not serve: for sure, or as far as the others can tell. */
  down(node, { isSure = true } = {}) {
    return this.#opens(this.downs, { node: node.index, isSure });
  }

  /** Redis or the store is away. */
  outage() {
    return this.#opens(this.outages, {});
  }

  /** Nothing can be stored. */
  storeIsAway() {
    return this.#opens(this.away, {});
  }
}

/** Chance for one fault; `parameters` are what was drawn. */
export class Draw {
  parameters = {};

  constructor(next) {
    this.next = next;
  }

  between(name, [least, most]) {
    return (this.parameters[name] = Math.round(least + this.next() * (most - least)));
  }

  node(cluster) {
    const index = Math.floor(this.next() * cluster.nodes.length);
    this.parameters.node = index;
    return cluster.nodes[index];
  }
}

/** For how long, in milliseconds, in a short round and in a long one: below the lease and beyond. */
export const SHORT = { down: [500, 6_000], pause: [8_000, 8_000], stall: [5_000, 5_000], cut: [2_000, 6_000], away: [1_000, 3_000] };
export const LONG = { down: [100, 15_000], pause: [1_000, 30_000], stall: [1_000, 20_000], cut: [500, 30_000], away: [500, 15_000] };

/** One node dies, and is started again some time later. */
async function kill({ cluster, draw, journal, times }) {
  const node = draw.node(cluster);
  const ms = draw.between('downMs', times.down);
  const up = journal.down(node);
  await node.kill();
  await elapse(ms);
  await node.startAgain();
  up();
}

/** One node stands still, connections open, and goes on as if nothing had been. */
async function pause({ cluster, draw, journal, times }) {
  const node = draw.node(cluster);
  const ms = draw.between('heldMs', times.pause);
  const up = journal.down(node);
  node.pause();
  await elapse(ms);
  node.resume();
  up();
}

/** Redis dies, and comes back with nothing in it. */
async function redisRestart({ cluster, draw, journal, times }) {
  const ms = draw.between('awayMs', times.away);
  const back = journal.outage();
  await cluster.redis.stop();
  await elapse(ms);
  await cluster.redis.start();
  back();
}

/** Redis stands still, connections open. */
async function redisStall({ cluster, draw, journal, times }) {
  const ms = draw.between('heldMs', times.stall);
  const back = journal.outage();
  cluster.redis.pause();
  await elapse(ms);
  cluster.redis.resume();
  back();
}

/** One node alone loses Redis: it is refused, or what it says is held. */
async function redisCut({ cluster, draw, journal, times }) {
  const node = draw.node(cluster);
  const ms = draw.between('cutMs', times.cut);
  const isHeld = draw.between('held', [0, 1]) === 1;
  const up = journal.down(node, { isSure: false });
  if (isHeld) node.redis.hold();
  else node.redis.cut();
  await elapse(ms);
  if (isHeld) node.redis.release();
  else node.redis.mend();
  await cluster.ready();
  up();
}

/** PostgreSQL dies, and comes back with what was committed. */
async function postgresRestart({ cluster, draw, journal, times }) {
  const ms = draw.between('awayMs', times.away);
  const back = journal.outage();
  await cluster.postgres.stop();
  const stored = journal.storeIsAway();
  await elapse(ms);
  stored();
  await cluster.postgres.start();
  back();
}

/** PostgreSQL stands still, connections open. */
async function postgresStall({ cluster, draw, journal, times }) {
  const ms = draw.between('heldMs', times.stall);
  const back = journal.outage();
  cluster.postgres.pause();
  const stored = journal.storeIsAway();
  await elapse(ms);
  stored();
  cluster.postgres.resume();
  back();
}

/** Both die, and come back one after the other. */
async function bothRestart({ cluster, draw, journal, times }) {
  const ms = draw.between('awayMs', times.away);
  const back = journal.outage();
  await Promise.all([cluster.redis.stop(), cluster.postgres.stop()]);
  const stored = journal.storeIsAway();
  await elapse(ms);
  stored();
  const isRedisFirst = draw.between('redisFirst', [0, 1]) === 1;
  const services = [cluster.redis, cluster.postgres];
  for (const service of isRedisFirst ? services : services.reverse()) await service.start();
  back();
}

/** A new version goes out: every node ends by itself and is started again, one after the other. */
async function rolling({ cluster }) {
  for (const node of cluster.nodes) {
    assert.equal(await node.restart(), 0, `node ${node.index} did not end well`);
    await cluster.ready();
  }
}

/** What can happen to one node with nothing beside it. */
export const ALONE = {
  'a node is killed': kill,
  'a node is held': pause,
  'a rolling restart': rolling,
};

export const FAULTS = {
  'a node is killed': kill,
  'a node is held': pause,
  'Redis is killed and comes back empty': redisRestart,
  'Redis is held': redisStall,
  'one node is cut off from Redis': redisCut,
  'PostgreSQL is restarted': postgresRestart,
  'PostgreSQL is held': postgresStall,
  'Redis and PostgreSQL are restarted': bothRestart,
  'a rolling restart': rolling,
};
