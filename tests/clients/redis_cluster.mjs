// A Redis Cluster on loopback, and what its operator and its machines do to it.

import { once } from 'node:events';
import { connect } from 'node:net';

import { elapse, eventually } from './observe.mjs';
import { CLI, FOLLOWED_AT_ONCE, Form, HOST, UP_WITHIN_MS, field, follows, run } from './redis_forms.mjs';

const FLOOD_EVERY_MS = 10;
const MOVING_MS = 1_000;

const isMaster = ({ slots }) => slots.length > 0;

/** Three masters with a third of the slots each, and two replicas of each. */
export class ClusterRedis extends Form {
  static #MASTERS = 3;
  static #REPLICAS = 2;
  static #NODE_TIMEOUT_MS = 1_000;
  words = ['-c'];
  #lost = new Set();
  #named = [];

  async begin() {
    const config = [
      'cluster-enabled yes',
      `cluster-announce-ip ${HOST}`,
      `cluster-node-timeout ${ClusterRedis.#NODE_TIMEOUT_MS}`,
      // A replica may take over however long it has not heard of its master.
      'cluster-replica-validity-factor 0',
      ...FOLLOWED_AT_ONCE,
    ];
    const length = ClusterRedis.#MASTERS * (1 + ClusterRedis.#REPLICAS);
    const all = Array.from({ length }, () => this.add(config));
    const addresses = (await Promise.all(all)).map(({ port }) => `${HOST}:${port}`);
    const replicas = ['--cluster-replicas', String(ClusterRedis.#REPLICAS)];
    await run(CLI, ['--cluster', 'create', ...addresses, ...replicas, '--cluster-yes']);
    await this.whole();
    for (const { port } of (await this.#nodes()).filter(({ master }) => master)) {
      await eventually(follows(this, { port }), 'a replica follows', UP_WITHIN_MS);
    }
    const named = addresses.slice(0, ClusterRedis.#MASTERS);
    const [first, ...rest] = named;
    // What comes of it later is for clients to find.
    this.url = `redis-cluster://${first}?${rest.map((node) => `node=${node}`).join('&')}`;
    this.#named = named;
  }

  get #alive() {
    return this.servers.filter(({ port }) => !this.#lost.has(port));
  }

  /** Resolves once all that live say that every slot has a master that lives. */
  async whole() {
    for (const server of this.#alive) {
      const isWhole = async () => {
        const isOk = field(await this.ask(server, 'CLUSTER', 'INFO'), 'cluster_state') === 'ok';
        const masters = (await this.#nodes(server)).filter(isMaster);
        const live = this.#alive.map(({ port }) => port);
        return isOk && masters.every(({ port }) => live.includes(port));
      };
      await eventually(isWhole, 'the Redis Cluster is whole', UP_WITHIN_MS).catch(async (error) => {
        throw new Error(`${error.message}; ${server.port} sees\n${await this.ask(server, 'CLUSTER', 'NODES')}`);
      });
    }
  }

  /** What a server knows of all of them. */
  async #nodes(server = this.#alive[0]) {
    const lines = (await this.ask(server, 'CLUSTER', 'NODES')).split('\n');
    return lines.map((line) => {
      const [id, address, , master, , , , , ...slots] = line.split(' ');
      const port = Number(/:(\d+)@/.exec(address)[1]);
      const ranges = slots.map((range) => range.split('-').map(Number));
      return { id, port, master: master !== '-' && master, slots: ranges };
    });
  }

  /** The master that has a key. */
  async master(key = '') {
    const slot = Number(await this.ask(this.#alive[0], 'CLUSTER', 'KEYSLOT', key));
    const has = ([first, last = first]) => first <= slot && slot <= last;
    return (await this.#nodes()).find(({ slots }) => slots.some(has));
  }

  /** Those that the URL names, as far as they live. */
  get named() {
    return this.#alive.filter(({ port }) => this.#named.includes(`${HOST}:${port}`));
  }

  /** The masters that live. */
  async masters() {
    return (await this.#nodes()).filter(isMaster);
  }

  /** Moves the slot that has the key to another master, while it is in use; returns a third master. */
  async move(key) {
    const from = await this.master(key);
    const [to, third] = (await this.masters()).filter(({ id }) => id !== from.id);
    const slot = await this.ask(from, 'CLUSTER', 'KEYSLOT', key);
    await this.ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await this.ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    // Where there is more to move than here it takes a while.
    await elapse(MOVING_MS);
    for (let keys = await this.#keysIn(from, slot); keys.length > 0; keys = await this.#keysIn(from, slot)) {
      await this.ask(from, 'MIGRATE', HOST, String(to.port), '', '0', '5000', 'REPLACE', 'KEYS', ...keys);
    }
    for (const node of [to, from, third]) await this.ask(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    return third;
  }

  async #keysIn(node, slot) {
    return (await this.ask(node, 'CLUSTER', 'GETKEYSINSLOT', slot, '1000')).split('\n').filter(Boolean);
  }

  async lose(server, how) {
    await super.lose(server, how);
    this.#lost.add(server.port);
  }

  /**
   * Publishes 1, 2, 3, … in turn at all masters, as workers do that are connected to each of them.
   *
   * @param message the one with this number
   * @returns what ends it; resolves with the last number
   */
  async flood(channel, message) {
    const sockets = (await this.masters()).map(({ port }) => connect(port, HOST));
    let n = 0;
    const timer = setInterval(() => {
      for (const socket of [...sockets, ...sockets]) {
        n += 1;
        socket.write(`PUBLISH ${channel} ${JSON.stringify(JSON.stringify(message(n)))}\r\n`);
      }
    }, FLOOD_EVERY_MS);
    sockets.forEach((socket) => socket.resume());
    return async () => {
      clearInterval(timer);
      await Promise.all(sockets.map((socket) => once(socket.end(), 'close')));
      return n;
    };
  }
}
