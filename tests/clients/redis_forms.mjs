// Redis in its other forms, each of which clients take for one Redis at one URL: behind Sentinels, and
// over TLS.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { eventually } from './observe.mjs';
import { Redis } from './services.mjs';

export const run = promisify(execFile);
export const CLI = process.env.REDIS_CLI ?? 'redis-cli';
export const HOST = '127.0.0.1';
export const UP_WITHIN_MS = 30_000;
/** What replicas need to follow at once: by default a master waits 5 s for more of them. */
export const FOLLOWED_AT_ONCE = ['repl-diskless-sync-delay 0', 'repl-ping-replica-period 1'];

export class Form {
  /** Settings of a node, beside its REDIS_URL. */
  env = {};
  servers = [];
  /** How redis-cli comes in. */
  words = [];

  /** @param password of the servers that have data */
  constructor({ password = '' } = {}) {
    this.password = password;
  }

  static async start(options) {
    const form = new this(options);
    try {
      await form.begin();
      return form;
    } catch (error) {
      await form.stop();
      throw error;
    }
  }

  async add(config) {
    const server = await Redis.start(config);
    this.servers.push(server);
    return server;
  }

  /** What a server answers; an error is one here, too. */
  async ask({ port }, ...words) {
    const args = ['-e', '-h', HOST, '-p', String(port), ...this.words, ...words];
    const { stdout } = await run(CLI, args, { env: { ...process.env, REDISCLI_AUTH: this.password } });
    return stdout.trim();
  }

  /** Ends a server, or what else is lost with it, by a method of Service. */
  async lose({ port }, how) {
    await this.servers.find((server) => server.port === port)[how]();
  }

  /** As a worker does. */
  async publish(channel, message) {
    await this.ask(await this.master(), 'PUBLISH', channel, JSON.stringify(message));
  }

  async append(stream, message) {
    await this.ask(await this.master(stream), 'XADD', stream, '*', 'data', JSON.stringify(message));
  }

  async stop() {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

export const field = (info, name) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

/** Whether it has all that its master has. */
export const follows = (form, server) => async () => {
  const info = await form.ask(server, 'INFO', 'replication');
  return field(info, 'role') === 'slave' && field(info, 'master_link_status') === 'up';
};

/** One master and one replica, watched by three Sentinels, which ask for no password. */
export class SentinelRedis extends Form {
  static #NAME = 'main';
  /** Not at the same time for each: those who want to be the one that acts at once get half the votes. */
  static #DOWN_AFTER_MS = [500, 1_000, 1_500];
  #sentinels = [];
  #lost;

  async begin() {
    const { password } = this;
    const secret = password ? [`requirepass ${password}`, `masterauth ${password}`] : [];
    const data = [...secret, ...FOLLOWED_AT_ONCE];
    const master = await this.add(data);
    const replica = await this.add([...data, `replicaof ${HOST} ${master.port}`]);
    await eventually(follows(this, replica), 'the replica follows', UP_WITHIN_MS);
    const name = SentinelRedis.#NAME;
    const watch = (downAfterMs) => [
      `sentinel monitor ${name} ${HOST} ${master.port} 1`,
      ...(password ? [`sentinel auth-pass ${name} ${password}`] : []),
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} 5000`,
    ];
    this.#sentinels = await Promise.all(SentinelRedis.#DOWN_AFTER_MS.map((ms) => this.add(watch(ms))));
    const [first, ...rest] = this.#sentinels.map(({ port }) => `${HOST}:${port}`);
    const query = [`sentinelServiceName=${name}`, ...rest.map((node) => `node=${node}`)].join('&');
    this.url = `redis-sentinel://${password && `:${password}@`}${first}/0?${query}`;
    for (const sentinel of this.#sentinels) {
      await eventually(() => this.#knowsAll(sentinel), 'the Sentinels know each other', UP_WITHIN_MS);
    }
  }

  async #knowsAll(sentinel) {
    const status = /^master0:.*$/m.exec(await this.#askSentinel(sentinel, 'INFO', 'sentinel'))?.[0] ?? '';
    const wanted = ['status=ok', 'slaves=1', `sentinels=${this.#sentinels.length}`];
    return wanted.every((part) => status.includes(part));
  }

  async #askSentinel({ port }, ...words) {
    return (await run(CLI, ['-e', '-h', HOST, '-p', String(port), ...words])).stdout.trim();
  }

  /** Where the Sentinels say that it is. */
  async master() {
    const words = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', SentinelRedis.#NAME];
    const [, port] = (await this.#askSentinel(this.#sentinels.at(-1), ...words)).split('\n');
    return { port: Number(port) };
  }

  /** With the master its machine, which has the Sentinel that clients ask first, too. */
  async lose(master, how) {
    this.#lost = master.port;
    await Promise.all([super.lose(master, how), this.#sentinels[0][how]()]);
  }

  /** Resolves once the Sentinels say where another master is. */
  async whole() {
    const isThere = async () => (await this.master()).port !== this.#lost;
    await eventually(isThere, 'there is another master', UP_WITHIN_MS);
  }
}

/** One server that is spoken to over TLS only, with a certificate of a CA of its own. */
export class TlsRedis extends Form {
  #folder;

  async begin() {
    this.#folder = await mkdtemp(join(tmpdir(), 'roomcast-tls-'));
    const at = (name) => join(this.#folder, name);
    const certify = (name, ...more) => run('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
      '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), ...more,
    ]);
    await certify('ca');
    await certify('redis', '-CA', at('ca.pem'), '-CAkey', at('ca.key'),
      '-addext', `subjectAltName=IP:${HOST}`, '-addext', 'basicConstraints=critical,CA:FALSE');
    await this.add([
      'port 0',
      'tls-port PORT',
      `tls-cert-file ${at('redis.pem')}`,
      `tls-key-file ${at('redis.key')}`,
      'tls-auth-clients no',
    ]);
    this.words = ['--tls', '--cacert', at('ca.pem')];
    this.env = { SSL_CERT_FILE: at('ca.pem') };
    this.url = this.servers[0].url.replace('redis:', 'rediss:');
  }

  async master() {
    return this.servers[0];
  }

  async stop() {
    await super.stop();
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }
}
