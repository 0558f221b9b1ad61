// Two Roomcast nodes against two Node servers with @socket.io/redis-adapter, both on one Redis, side
// by side: what a delivery costs, how long it takes, and whether anything is lost or out of order.
//
//   npm ci --prefix benches/cluster && node benches/cluster/run.mjs
//
// ROOMCAST_BIN is a release build (target/release/roomcast by default). NODES, MEMBERS (per node),
// MESSAGES (per round) and ROUNDS change the amounts, SIDES=Node or SIDES=Roomcast leaves one out; with
// NODES=1 Roomcast has its own file and no Redis. Linux only: it reads /proc. Roomcast stores every
// message, in PostgreSQL on several nodes, whose CPU time stands apart; the Node servers store nothing.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
process.env.ROOMCAST_BIN ??= here('../../target/release/roomcast');
const { startCluster } = await import('../../tests/clients/cluster.mjs');
const { Redis } = await import('../../tests/clients/services.mjs');

const amount = (name, usual) => Number(process.env[name] ?? usual);
const NODES = amount('NODES', 2);
const MEMBERS = amount('MEMBERS', 500);
const MESSAGES = amount('MESSAGES', 400);
const ROUNDS = amount('ROUNDS', 5);
const SIDES = (process.env.SIDES ?? 'Roomcast,Node').split(',');
const ROOM = 'bench-room';
/** The unit of the times in /proc/PID/stat, as Linux gives it to programs on every architecture. */
const TICKS_PER_SECOND = 100;

/** The fields of /proc/PID/stat behind the name, or nothing where the process is gone. */
function fields(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  } catch {
    return undefined;
  }
}

/** CPU time, user and system, of these processes and of those that they started, in seconds. */
function cpu(pids) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  const ours = all.filter((pid) => pids.includes(pid) || pids.includes(fields(pid)?.[1]));
  return new Map(ours.map((pid) => [pid, (fields(pid)?.[11] + fields(pid)?.[12]) / TICKS_PER_SECOND || 0]));
}

/** What was used between two such readings; a process that came in between counts from its start. */
const used = (before, after) =>
  [...after].reduce((sum, [pid, time]) => sum + time - (before.get(pid) ?? 0), 0);

async function startNodeServer(redis) {
  const child = spawn(process.execPath, [here('node_server.mjs')], {
    env: { ...process.env, NODE_ENV: 'production', REDIS_URL: redis.url },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { url: line.replace('listening on ', ''), pid: child.pid, stop: () => child.stdin.end() };
}

class Side {
  constructor(name, { urls, pids, redis, store, auth }) {
    Object.assign(this, { name, urls, pids, redis, store, auth, rounds: [] });
    this.load = fork(here('load.mjs'));
  }

  async #call(call, argument) {
    this.load.send({ call, ...argument });
    const [{ result }] = await once(this.load, 'message');
    return result;
  }

  connect() {
    const auths = Array.from({ length: MEMBERS * NODES + 1 }, (_, n) => this.auth(`member-${n}`));
    return this.#call('connect', { urls: this.urls, perNode: MEMBERS, auths, room: ROOM });
  }

  async round({ isCounted }) {
    const times = () => [this.pids, [this.redis], [this.store]].map(cpu);
    const before = times();
    const seen = await this.#call('round', { messages: MESSAGES, room: ROOM });
    const [server, redis, store] = times().map((after, n) => (used(before[n], after) * 1e6) / seen.deliveries);
    if (isCounted) this.rounds.push({ ...seen, server, redis, store });
  }

  /** Medians of what varies, sums of what must not be. */
  report() {
    const list = (key) => this.rounds.map((round) => round[key]);
    const median = (key) => [...list(key)].sort((one, other) => one - other)[Math.floor(this.rounds.length / 2)];
    const sum = (key) => list(key).reduce((total, one) => total + one, 0);
    return {
      'server, µs/delivery': median('server').toFixed(2),
      'Redis, µs/delivery': median('redis').toFixed(2),
      'PostgreSQL, µs/delivery': median('store').toFixed(2),
      'p50, ms': median('p50').toFixed(1),
      'p99, ms': median('p99').toFixed(1),
      'messages/s': Math.round(MESSAGES / median('seconds')),
      lost: sum('lost'),
      twice: sum('twice'),
      'out of order': sum('disorder'),
    };
  }
}

async function roomcast(redis) {
  const cluster = await startCluster({ nodes: NODES, isDirect: true, redis: NODES > 1 ? redis : undefined });
  const side = new Side('Roomcast', {
    urls: cluster.urls,
    pids: cluster.nodes.map(({ pid }) => pid),
    redis: cluster.redis?.pid,
    store: cluster.postgres?.pid,
    auth: (user) => ({ token: cluster.token(user) }),
  });
  return { side, stop: () => cluster.stop() };
}

async function node(redis) {
  const servers = await Promise.all(Array.from({ length: NODES }, () => startNodeServer(redis)));
  const side = new Side('Node', {
    urls: servers.map(({ url }) => url),
    pids: servers.map(({ pid }) => pid),
    redis: redis.pid,
    auth: (user) => ({ user }),
  });
  return { side, stop: () => servers.forEach((server) => server.stop()) };
}

// One Redis for both sides: only one is at work at a time.
const redis = await Redis.start();
const started = [];
try {
  for (const [name, start] of Object.entries({ Roomcast: roomcast, Node: node })) {
    if (SIDES.includes(name)) started.push(await start(redis));
  }
  const sides = started.map(({ side }) => side);
  for (const side of sides) await side.connect();
  console.log(`${NODES} × ${MEMBERS} members, ${MESSAGES} messages a round, ${ROUNDS} rounds of each side in turns, medians`);
  // The first round of each warms up.
  for (let n = 0; n <= ROUNDS; n += 1) for (const side of sides) await side.round({ isCounted: n > 0 });
  console.table(Object.fromEntries(sides.map((side) => [side.name, side.report()])));
} finally {
  for (const { side, stop } of started) {
    side.load.disconnect();
    await stop();
  }
  await redis.stop();
}
