// Several Roomcast nodes with one Redis, one database and one secret, and what can happen to them.
//
// CLUSTER_LOGS=folder keeps what each node wrote.

import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { eventually } from './observe.mjs';
import { Proxy } from './proxy.mjs';
import { API_KEY, Server, mint, request, unique } from './server.mjs';
import { Postgres, Redis } from './services.mjs';

const READY_WITHIN_MS = 30_000;
const LOGS = process.env.CLUSTER_LOGS;

/** A node; its data stays in the database, its port stays its own. */
export class Node extends Server {
  isPaused = false;

  constructor(index, settings, line) {
    super(settings);
    this.index = index;
    /** What leads from this node to Redis, and from no other. */
    this.redis = line;
    if (!LOGS) return;
    mkdirSync(LOGS, { recursive: true });
    this.onLine = (text) => appendFileSync(join(LOGS, `node-${index}.log`), `${text}\n`);
  }

  /** Holds the process, as a machine that swaps or a hypervisor does. */
  pause() {
    this.isPaused = true;
    this.signal('SIGSTOP');
  }

  resume() {
    this.isPaused = false;
    this.signal('SIGCONT');
  }

  async kill() {
    this.isPaused = false;
    await super.kill();
  }

  /** Ends it as an operator does, and starts it again; resolves with its exit code. */
  async restart() {
    const code = await this.terminate();
    await this.startAgain();
    return code;
  }

  async stop() {
    if (this.isPaused) this.resume();
    await super.stop();
  }

  /** What it says of itself: `{status, body}`; status 0 where nobody answers. */
  async readiness() {
    try {
      return await request(this.url, 'GET', '/readyz', { withinMs: 1_000 });
    } catch {
      return { status: 0 };
    }
  }

  /** A request as this token or API key. */
  http(method, path, options) {
    return request(this.url, method, path, options);
  }

  /** A request as a backend. */
  service(method, path, body) {
    return this.http(method, path, { as: API_KEY, body });
  }
}

export class Cluster {
  nodes = [];

  /** One node alone has an SQLite file and no Redis, as without any configuration. */
  get isShared() {
    return this.postgres !== undefined;
  }

  get urls() {
    return this.nodes.map((node) => node.url);
  }

  /** A token that opens every room, unless the claims say otherwise. */
  token(user, claims = {}) {
    return mint({ sub: user, name: `${user} the user`, rooms: ['*'], ...claims });
  }

  /** Resolves once every node says that it is ready. */
  async ready(withinMs = READY_WITHIN_MS) {
    for (const node of this.nodes) {
      const isReady = async () => {
        const { status, body } = await node.readiness();
        // Without Redis a node serves, but alone.
        return status === 200 && !body?.degraded;
      };
      await eventually(isReady, `node ${node.index} is ready`, withinMs);
    }
  }

  /** The last lines of every node. */
  get log() {
    return this.nodes.map((node) => `--- node ${node.index}, ${node.url}\n${node.log}`).join('\n');
  }

  get panics() {
    return this.nodes.flatMap((node) => node.panics);
  }

  async stop() {
    this.nodes.forEach((node) => node.redis?.mend());
    this.nodes.forEach((node) => node.redis?.release());
    // The services end, whatever becomes of the nodes.
    await Promise.allSettled(this.nodes.map((node) => node.stop()));
    this.nodes.forEach((node) => node.redis?.close());
    await Promise.all([this.ownsRedis && this.redis.stop(), this.ownsPostgres && this.postgres.remove()]);
  }
}

/**
 * Starts a cluster.
 *
 * @param nodes how many
 * @param env settings of every node
 * @param shared whether there are a Redis and a PostgreSQL; not so, by default, for one node
 * @param isDirect whether nodes speak to Redis themselves, so that none can be cut off; what is
 *   measured should not go through this process
 * @param redis one that is there already, which then outlives the cluster
 * @param postgres the same
 */
export async function startCluster({ nodes = 3, env = {}, shared = nodes > 1, isDirect = false, redis, postgres } = {}) {
  const cluster = new Cluster();
  try {
    const common = { ...env };
    if (shared) {
      cluster.ownsRedis = !redis;
      cluster.redis = redis ?? (await Redis.start());
      cluster.ownsPostgres = !postgres;
      cluster.postgres = postgres ?? (await Postgres.start());
      common.DATABASE_URL = await cluster.postgres.database(`roomcast_${unique()}`);
      // An empty variable counts as not set: the file that other tests use.
      common.ROOMCAST_STORE__PATH = '';
    }
    for (let index = 0; index < nodes; index += 1) {
      const line = shared && !isDirect ? await Proxy.open(cluster.redis.url) : undefined;
      const url = (line ?? cluster.redis)?.url.replace('http:', 'redis:');
      const own = url ? { REDIS_URL: url } : {};
      cluster.nodes.push(new Node(index, { ...common, ...own }, line));
    }
    // One after the other: the first makes the tables.
    for (const node of cluster.nodes) await node.start();
    await cluster.ready();
    return cluster;
  } catch (error) {
    await cluster.stop().catch(() => {});
    throw error;
  }
}

/** Runs with a cluster of its own; where it fails, what the nodes wrote last is told. */
export async function withCluster(t, options, run) {
  const cluster = await startCluster(options);
  try {
    await run(cluster);
  } catch (error) {
    t.diagnostic(cluster.log);
    throw error;
  } finally {
    await cluster.stop();
  }
}
