// Users with their devices on all nodes, who talk while something goes wrong, and what became of it.

import { checkMessages } from './chaos_check.mjs';
import { Device } from './chaos_device.mjs';
import { Draw, Journal } from './chaos_faults.mjs';
import { absences, checkPresence, checkTruth, steady } from './chaos_presence.mjs';
import { elapse, eventually } from './observe.mjs';
import { random } from './random.mjs';
import { request } from './server.mjs';

const USERS = 12;
/** The first few users have a second device, on another node. */
const TWICE = 4;
const ROOMS = 4;
const IN_FLIGHT = 3;
const PAUSE_MS = 150;
/** Acks of each device on average before, and after, the fault. */
const ACKS_AROUND = 10;
const CALM_WITHIN_MS = 60_000;
/** For what comes late and should not: the polls of the store that follow the last message. */
const POLLS = 3;
const PAGE = 100;

export class Crowd {
  /** Who has one device, and does not come back when it is gone. */
  leavers = [];
  #round = 0;

  constructor(cluster, { graceMs, leaseMs, pollMs }) {
    Object.assign(this, { cluster, graceMs, leaseMs, pollMs });
    this.users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
    this.devices = this.users.flatMap((user, n) =>
      (n < TWICE ? [0, 1] : [0]).map((second) => this.#device(`${user}.${second}`, user, n + second)));
    // One at each node, who hear what is said of presence there.
    this.observers = cluster.nodes.map((node) => {
      const observer = this.#device(`observer-${node.index}`, `observer-${node.index}`, node.index, { isPinned: true });
      observer.told = [];
      observer.socket.on('presence:changed', ({ userId, status }) =>
        observer.told.push({ at: Date.now(), userId, status }));
      return observer;
    });
  }

  #device(name, user, n, more = {}) {
    const { urls, nodes } = this.cluster;
    return new Device({ name, user, token: this.cluster.token(user), urls, home: n % nodes.length, ...more });
  }

  get #everybody() {
    return [...this.devices, ...this.observers, ...this.leavers];
  }

  /** Everybody is in new rooms, at home, and known to be online. */
  async #gather() {
    const n = (this.#round += 1);
    this.rooms = Array.from({ length: ROOMS }, (_, r) => `round-${n}-room-${r}`);
    this.leavers = this.cluster.nodes.map((node) =>
      this.#device(`leaver-${n}-${node.index}`, `leaver-${n}-${node.index}`, node.index, { isPinned: true, comesBack: false }));
    for (const device of this.devices) {
      device.goHome();
      const index = this.users.indexOf(device.user);
      device.feeds = [this.rooms[index % ROOMS], this.rooms[(index + 1) % ROOMS]];
      device.enter(device.feeds);
    }
    await this.#calm();
    await this.#truth();
    // Everyone has said all that there was to say of the round before.
    this.#everybody.forEach((one) => one.forget());
    this.observers.forEach((observer) => observer.told.splice(0));
    this.journal = new Journal();
    this.from = Date.now();
  }

  /** Resolves once nobody has anything left to do; who is gone for good does not count. */
  async #calm() {
    const there = () => this.#everybody.filter((one) => !this.leavers.includes(one) || one.socket.connected);
    await eventually(() => there().every((one) => one.isQuiet), 'everybody is calm', CALM_WITHIN_MS).catch((error) => {
      throw new Error(`${error.message}\n${there().filter((one) => !one.isQuiet).map((one) => one.state).join('\n')}`);
    });
  }

  get acked() {
    return this.devices.reduce((sum, device) => sum + device.acked, 0);
  }

  async #moreAcks(when) {
    const enough = this.acked + this.devices.length * ACKS_AROUND;
    await eventually(() => this.acked >= enough, `messages are acked ${when} the fault`, CALM_WITHIN_MS);
  }

  /** What each user's number of connected devices is. */
  get #counts() {
    const counts = {};
    for (const { user, socket } of this.#everybody) counts[user] = (counts[user] ?? 0) + (socket.connected ? 1 : 0);
    return counts;
  }

  /** Resolves once every node says of everyone what is true, or when the time for that is over. */
  async #truth() {
    let faults;
    const isTrue = async () => {
      const counts = this.#counts;
      faults = [];
      for (const observer of this.observers) {
        const ack = await observer.ask('presence:get', Object.keys(counts));
        faults.push(...checkTruth(`node ${observer.home}`, ack?.presence, counts));
      }
      return faults.length === 0;
    };
    const limit = Math.max(this.leaseMs, this.graceMs) + 10_000;
    await eventually(isTrue, 'presence is true', limit).catch(() => {});
    return faults;
  }

  /** One fault while everyone talks. What was found to be wrong, and what was seen in passing. */
  async round(fault, times, next) {
    await this.#gather();
    const draw = new Draw(next);
    const seeds = this.devices.map(() => Math.floor(next() * 2 ** 31));
    this.devices.forEach((device, n) => device.send({
      next: random(seeds[n]),
      peers: this.users.filter((user) => user !== device.user),
      inFlight: IN_FLIGHT,
      pauseMs: PAUSE_MS,
    }));
    const problems = [];
    const tried = async (step) => {
      try {
        return await step;
      } catch (error) {
        problems.push({ kind: 'stuck', text: error.message });
        return undefined;
      }
    };
    await tried(this.#moreAcks('before'));
    const leaves = this.leavers[Math.floor(next() * this.leavers.length)];
    const leavesAfter = next() * 1_000;
    const before = this.acked;
    await tried(Promise.all([
      fault({ cluster: this.cluster, draw, journal: this.journal, times }),
      elapse(leavesAfter).then(() => leaves.drop()),
    ]));
    const during = this.acked - before;
    await tried(this.cluster.ready());
    await tried(this.#moreAcks('after'));
    this.devices.forEach((device) => device.stopSending());
    await tried(this.#calm());
    const stored = await tried(this.#stored());
    if (stored) await tried(this.#complete(stored));
    await tried(this.#absencesAreTold());
    // Lets time pass: what is delivered twice comes with a later look into the store.
    await elapse(this.pollMs * POLLS);
    const truth = await this.#truth();
    const faults = [...problems, ...this.#oddities(), ...truth, ...checkPresence(this.#record())];
    if (stored) faults.push(...this.#messageFaults(stored));
    const seen = this.#seen(draw, during, stored);
    this.leavers.forEach((leaver) => leaver.close());
    return { faults, seen };
  }

  #oddities() {
    return this.#everybody.flatMap(({ oddities }) => oddities).map((text) => ({ kind: 'odd', text }));
  }

  /** What every node gives of every feed of this round. */
  async #stored() {
    const stored = {};
    for (const room of this.rooms) {
      stored[room] = [];
      for (const { index, url } of this.cluster.nodes) {
        const messages = await this.#pages(url, 'user-0', (last) =>
          `/api/rooms/${room}/messages?after=${last?.messages.at(-1)?.seq ?? 0}&limit=${PAGE}`);
        stored[room].push({ reader: `node ${index}`, messages });
      }
    }
    return stored;
  }

  async #pages(base, user, path) {
    const messages = [];
    const as = this.cluster.token(user);
    for (let page; page?.hasMore ?? true; ) {
      const { status, body, text } = await request(base, 'GET', path(page), { as });
      if (status !== 200 || body.verdict !== 'complete') throw new Error(`no page: ${status} ${text.slice(0, 200)}`);
      messages.push(...body.messages);
      page = body;
    }
    return messages;
  }

  /** Resolves once every device has heard the last message of each of its rooms. */
  async #complete(stored) {
    const behind = () => this.devices.flatMap((device) =>
      device.feeds.filter((feed) => {
        const last = stored[feed][0].messages.at(-1);
        return last && !device.heard.some(({ id }) => id === last.id);
      }).map((feed) => `${device.name} in ${feed}`));
    await eventually(() => behind().length === 0, 'every device has the last message', 20_000).catch((error) => {
      throw new Error(`${error.message}: not ${behind().join(', ')}`);
    });
  }

  /** Who was away for good is told of, at every observer who was there, or is late. */
  async #absencesAreTold() {
    const record = this.#record();
    const due = absences({ ...record, until: Infinity }).flatMap(({ user, must }) => must.map((gap) => ({ user, ...gap })));
    const isTold = ({ user, from }) => steady(record).every(({ heard }) =>
      heard.some(({ userId, status, at }) => userId === user && status === 'offline' && at >= from));
    await eventually(() => due.every((gap) => isTold(gap) || Date.now() > gap.by), 'absences are told or late', CALM_WITHIN_MS);
  }

  #record() {
    const { downs, outages } = this.journal;
    const users = {};
    for (const { user, online } of [...this.devices, ...this.leavers]) (users[user] ??= []).push(...online);
    const observers = this.observers.map(({ name, home, online, told }) => ({ name, node: home, online, heard: told }));
    const { from, graceMs, leaseMs } = this;
    return { from, until: Date.now(), users, downs, outages, observers, graceMs, leaseMs };
  }

  #messageFaults(stored) {
    const sends = this.devices.flatMap((device) => device.sends);
    const direct = this.#direct(sends);
    const ofRound = new Set(sends.map(({ clientId }) => clientId));
    const devices = this.devices.map(({ name, user, feeds, heard }) => ({
      name,
      user,
      // A page of direct messages begins where the last one ended, maybe rounds ago.
      heard: heard.filter(({ feed, isLive, clientId }) => isLive || feeds.includes(feed) || ofRound.has(clientId)),
      feeds: [...feeds, ...Object.keys(direct).filter((feed) => feed.split(' ').includes(user))],
    }));
    return checkMessages({ devices, sends, stored: { ...stored, ...direct }, away: this.journal.away });
  }

  /** No route gives all of a pair's messages: taken for stored is what was acked, or heard by anyone. */
  #direct(sends) {
    const feeds = {};
    const note = (feed, message) => {
      feeds[feed] ??= new Map();
      if (!feeds[feed].has(message.id)) feeds[feed].set(message.id, message);
    };
    const ours = new Map(sends.filter(({ feed }) => feed.startsWith('direct ')).map((send) => [send.clientId, send]));
    for (const { heard } of this.devices) {
      for (const { feed, ...one } of heard) if (ours.has(one.clientId)) note(feed, one);
    }
    for (const { feed, clientId, acks } of ours.values()) {
      for (const { id, seq } of acks) note(feed, { id, seq, clientId });
    }
    const inOrder = (messages) => [...messages.values()].sort((one, other) => one.seq - other.seq);
    return Object.fromEntries(Object.entries(feeds).map(([feed, messages]) =>
      [feed, [{ reader: 'all devices', messages: inOrder(messages) }]]));
  }

  #seen(draw, during, stored) {
    const sum = (what) => this.devices.reduce((total, { counts }) => total + counts[what], 0);
    const refusals = {};
    for (const { counts } of this.devices) {
      for (const [code, count] of Object.entries(counts.refusals)) refusals[code] = (refusals[code] ?? 0) + count;
    }
    const rooms = stored && Object.values(stored).reduce((total, [{ messages }]) => total + messages.length, 0);
    const watching = steady(this.#record()).length;
    return `${JSON.stringify(draw.parameters)}: ${this.acked} acked (${during} during the fault), ${rooms} in rooms, `
      + `${sum('connects')} reconnects (${sum('recovered')} recovered), ${sum('pages')} pages, `
      + `refusals ${JSON.stringify(refusals)}, ${watching} observers stayed, ${Date.now() - this.from} ms`;
  }

  close() {
    this.#everybody.forEach((one) => one.close());
  }
}

