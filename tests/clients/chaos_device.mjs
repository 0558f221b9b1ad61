// One device of a user as an application keeps it alive: it goes to another node when its own is
// gone, sends again what was not acked, and asks for what it missed. What happens to it is written
// into the history of the round.

import { createRequire } from 'node:module';

const { io } = createRequire(import.meta.url)('sio-4-8');

const ACK_MS = 2_000;
const CONNECT_MS = 2_000;
const AGAIN_MS = 150;
const PAGE = 100;
/** What a server that is in trouble may answer; the device tries again. */
const TROUBLE = new Set(['store_unavailable', 'rooms_unavailable', 'draining', 'timed_out']);

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The two who talk, whoever of them sends. */
export const directFeed = (one, other) => `direct ${[one, other].sort().join(' ')}`;

export class Device {
  /** When it was connected, and to which node: `{node, from, until}`. */
  online = [];
  heard = [];
  sends = [];
  /** Answers that no trouble explains. */
  oddities = [];
  counts = { connects: 0, recovered: 0, pages: 0, refusals: {} };
  #rooms = new Map();
  #session = 0;
  #connection = 0;
  #missesDirect = true;
  #cursor;
  #count = 0;
  #open = 0;
  #sending = false;
  #whenJoined = [];
  isGone = false;

  /**
   * @param urls every node's address; `home` is the index of the one it connects to
   * @param isPinned whether it knows no other node
   * @param comesBack whether it comes back when its connection is lost
   * @param options of the library, on top of its own
   */
  constructor({ name, user, token, urls, home, isPinned = false, comesBack = true, options = {} }) {
    Object.assign(this, { name, user, urls, at: home, home, isPinned });
    this.socket = io(urls[home], {
      transports: ['websocket'],
      auth: { token },
      forceNew: true,
      reconnection: comesBack,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      timeout: CONNECT_MS,
      ...options,
    });
    this.socket.on('connect', () => this.#connected());
    this.socket.on('disconnect', (reason) => this.#disconnected(reason));
    this.socket.on('connect_error', (error) => this.#failed(error));
    this.socket.on('message:new', (message) => this.#live(message.roomId, message));
    this.socket.on('message', (message) =>
      this.#live(directFeed(message.senderId, message.receiverId), message));
  }

  #connected() {
    this.online.push({ node: this.at, from: Date.now(), until: Infinity });
    this.counts.connects += 1;
    this.#connection += 1;
    if (this.socket.recovered) {
      this.counts.recovered += 1;
    } else {
      this.#session += 1;
      this.#missesDirect = true;
      this.#rooms.forEach((room) => Object.assign(room, { isJoined: false, isBehind: true, stay: undefined }));
    }
    // What was not done before the connection broke is done now, after a recovery too.
    for (const [id, room] of this.#rooms) if (room.isBehind || !room.isJoined) this.#enter(id, room);
    this.#catchUpDirect();
    this.#joined();
  }

  #disconnected(reason) {
    const last = this.online.at(-1);
    if (last) last.until = Date.now();
    if (reason === 'io client disconnect') return;
    this.#elsewhere();
    if (reason !== 'io server disconnect') return;
    // Nobody was to be sent away for good; the library does not come back from that by itself.
    this.#odd(`was told to stay away: ${reason}`);
    this.socket.connect();
  }

  #failed(error) {
    this.#elsewhere();
    if (this.socket.active) return;
    // A refusal ends the library's attempts.
    this.#refused('connect', { code: error.data?.code, error: error.message });
    setTimeout(() => this.isGone || this.socket.connect(), AGAIN_MS);
  }

  #elsewhere() {
    if (!this.isPinned) this.#turnTo((this.at + 1) % this.urls.length);
  }

  #turnTo(node) {
    this.at = node;
    this.socket.io.uri = this.urls[node];
  }

  /** Connects to the node where it belongs, if it is at another. */
  goHome() {
    if (this.isPinned || this.at === this.home) return;
    this.at = (this.home + this.urls.length - 1) % this.urls.length;
    this.drop();
  }

  #refused(event, { code, error }) {
    this.counts.refusals[code] = (this.counts.refusals[code] ?? 0) + 1;
    if (!TROUBLE.has(code)) this.#odd(`${event} was refused: ${code}, ${error}`);
  }

  #odd(what) {
    this.oddities.push(`${this.name} ${what}`);
  }

  /** The ack; nothing when there was none in time, or the connection broke. */
  ask(event, ...args) {
    return new Promise((resolve) => {
      if (!this.socket.connected) return resolve();
      this.socket.timeout(ACK_MS).emit(event, ...args, (error, ack) => resolve(error ? undefined : ack));
    });
  }

  /** Asks until there is a success; nothing once the connection is another one. */
  async #insist(event, argument) {
    for (const connection = this.#connection; connection === this.#connection && !this.isGone; ) {
      const ack = await this.ask(event, ...(argument === undefined ? [] : [argument]));
      if (connection !== this.#connection || ack?.ok) return connection === this.#connection ? ack : undefined;
      if (ack) this.#refused(event, ack);
      await after(AGAIN_MS);
    }
    return undefined;
  }

  async #enter(id, room) {
    const { ok } = (await this.#insist('join:room', id)) ?? {};
    if (!ok) return;
    if (!room.isJoined) room.stay = `${this.#session}.${(room.joins += 1)}`;
    room.isJoined = true;
    this.#joined();
    for (let more = room.isBehind; more; ) {
      const page = await this.#insist('messages:since', { roomId: id, after: room.cursor, limit: PAGE });
      if (!page) return;
      this.counts.pages += 1;
      if (page.verdict !== 'complete') this.#odd(`got the verdict ${page.verdict} in ${id} after ${room.cursor}`);
      page.messages.forEach((message) => this.#note(id, message));
      room.cursor = page.messages.at(-1)?.seq ?? room.cursor;
      more = page.hasMore;
    }
    room.isBehind = false;
    room.cursor = Math.max(room.cursor, room.newest);
  }

  async #catchUpDirect() {
    for (let more = this.#missesDirect; more; ) {
      const page = await this.#insist('sync', this.#cursor && { since: this.#cursor });
      if (!page) return;
      page.directMessages.forEach((one) => this.#note(directFeed(one.senderId, one.receiverId), one));
      this.#cursor = page.cursor;
      more = page.hasMore;
    }
    this.#missesDirect = false;
  }

  #live(feed, { id, seq, clientId }) {
    const room = this.#rooms.get(feed);
    const session = room?.stay ?? `${this.#session}`;
    this.heard.push({ feed, id, seq, clientId, session, isLive: true });
    if (!room) return;
    room.newest = Math.max(room.newest, seq);
    // Like most applications it takes what it hears for all there is; a hole stays one.
    if (!room.isBehind) room.cursor = room.newest;
  }

  #note(feed, { id, seq, clientId }) {
    this.heard.push({ feed, id, seq, clientId, isLive: false });
  }

  /** Is in these rooms only, from their first message on. */
  enter(ids) {
    for (const id of this.#rooms.keys()) if (!ids.includes(id)) this.ask('leave:room', id);
    this.#rooms = new Map(
      ids.map((id) => [id, { cursor: 0, newest: 0, joins: 0, isJoined: false, isBehind: true }]),
    );
    if (this.socket.connected) for (const [id, room] of this.#rooms) this.#enter(id, room);
  }

  /** Sends now and then, to its rooms and to these users, until it is told to stop. */
  async send({ next, peers, inFlight, pauseMs }) {
    this.#sending = true;
    while (this.#sending) {
      if (this.#open < inFlight) this.#deliver(this.#message(next, peers));
      await after(pauseMs * (0.5 + next()));
    }
  }

  stopSending() {
    this.#sending = false;
  }

  #message(next, peers) {
    const clientId = `${this.name}/${(this.#count += 1)}`;
    const common = { clientId, content: `text of ${clientId}` };
    if (next() < 0.15 && peers.length > 0) {
      const to = peers[Math.floor(next() * peers.length)];
      return { event: 'send-message', feed: directFeed(this.user, to), body: { to, ...common } };
    }
    const rooms = [...this.#rooms.keys()];
    const roomId = rooms[Math.floor(next() * rooms.length)];
    return { event: 'message:send', feed: roomId, body: { roomId, ...common } };
  }

  /** Sends it as often as it takes, each time as the same message. */
  async #deliver({ event, feed, body }) {
    const send = { feed, user: this.user, clientId: body.clientId, sentAt: undefined, acks: [] };
    this.sends.push(send);
    this.#open += 1;
    while (send.acks.length === 0 && !this.isGone) {
      await this.#ready(body.roomId);
      send.sentAt ??= Date.now();
      const ack = await this.ask(event, body);
      if (!ack?.ok) {
        if (ack) this.#refused(event, ack);
        await after(AGAIN_MS);
        continue;
      }
      send.acks.push({ at: Date.now(), id: ack.message.id, seq: ack.message.seq });
      // A direct message goes to the sender's other devices; to this one its ack is all there is.
      if (!body.roomId) this.#note(feed, ack.message);
    }
    this.#open -= 1;
  }

  /** Resolves when it is connected and, for a room, has joined it. */
  #ready(roomId) {
    const isReady = () => this.isGone || (this.socket.connected && (this.#rooms.get(roomId)?.isJoined ?? true));
    if (isReady()) return undefined;
    return new Promise((resolve) => {
      this.#whenJoined.push({ isReady, resolve });
    });
  }

  #joined() {
    const waiting = this.#whenJoined.splice(0);
    waiting.forEach((one) => (one.isReady() ? one.resolve() : this.#whenJoined.push(one)));
  }

  /** Whether it has nothing left to do: connected, in its rooms, caught up, everything acked. */
  get isQuiet() {
    const isThere = [...this.#rooms.values()].every((room) => room.isJoined && !room.isBehind);
    return this.socket.connected && isThere && !this.#missesDirect && this.#open === 0;
  }

  get acked() {
    return this.sends.reduce((sum, { acks }) => sum + acks.length, 0);
  }

  /** What it holds, for a message that says why it is waited for. */
  get state() {
    const rooms = [...this.#rooms].map(([id, room]) => `${id}@${room.cursor}${room.isJoined ? '' : ' not in'}${room.isBehind ? ' behind' : ''}`);
    return `${this.name} at node ${this.at}${this.socket.connected ? '' : ' offline'}, ${this.#open} open, ${rooms.join(', ')}`
      + `${this.#missesDirect ? ' misses direct messages' : ''} ${JSON.stringify(this.counts.refusals)}`;
  }

  /** Forgets the history; what is true now stays. */
  forget() {
    this.online = this.online.filter(({ until }) => until === Infinity);
    this.heard = [];
    this.sends = [];
    this.oddities = [];
    this.counts = { connects: 0, recovered: 0, pages: 0, refusals: {} };
  }

  /** Loses its transport without a goodbye. */
  drop() {
    this.socket.io.engine?.close();
  }

  close() {
    this.isGone = true;
    this.#sending = false;
    this.socket.close();
    this.#joined();
  }
}
