// One user's connection to the room, and what is shown of the room while it lasts.
import { bubble, byId, fill, mark, offerRetry, showPeople, showState, showTyping } from './view.js';

const ROOM = 'lobby';
const PAGE_SIZE = 50;
const ACK_TIMEOUT_MS = 10_000;
// The server ends a typing notice after 6 s without a repeat.
const TYPING_REPEAT_MS = 3_000;

const list = byId('messages');
const outboxList = byId('outbox');
const scroller = byId('scroll');

export class Session {
  /** `refused` is called when the token is no longer good. `users` are known by name from the start; others as they turn up. */
  constructor(user, users, refused) {
    this.user = user;
    this.refused = refused;
    this.joined = false;
    this.messages = new Map();
    // Everything up to here is shown, back to `firstSeq`.
    this.cursor = 0;
    this.firstSeq = Infinity;
    this.outbox = new Map();
    this.people = new Map(users.map((u) => [u.userId, { name: u.name, status: 'offline' }]));
    this.typists = new Map();
    this.typingSentAt = -Infinity;
    list.replaceChildren();
    outboxList.replaceChildren();
    byId('earlier').hidden = true;
    byId('empty').hidden = true;
    showPeople(this.people, this.user.userId);
    showTyping([...this.typists.values()]);
    this.connect();
  }

  connect() {
    showState('connecting', 'Connecting…');
    const socket = io({ auth: { token: this.user.token }, forceNew: true });
    this.socket = socket;
    socket.on('connect', () => this.enter());
    socket.on('disconnect', (reason) => {
      this.joined = false;
      this.typists.clear();
      showTyping([...this.typists.values()]);
      if (socket.active) showState('connecting', 'Connection lost, trying again…');
      else if (reason !== 'io client disconnect') showState('failed', 'The server ended the connection');
    });
    socket.on('connect_error', (error) => {
      if (socket.active) showState('connecting', 'No connection, trying again…');
      else if (error.message === 'Invalid token') this.refused();
      else showState('failed', `Refused: ${error.message}`);
    });
    // A message goes out under the event name it was sent with; either is a message of the room.
    for (const event of ['message:new', 'chat:message']) socket.on(event, (m) => this.receive(m));
    for (const event of ['message:edited', 'message:deleted']) socket.on(event, (m) => this.change(m));
    socket.on('user:joined', (who) => this.meet(who));
    socket.on('presence:changed', ({ userId, status }) => this.setStatus(userId, status));
    socket.on('typing:user', (who) => this.typing(who));
  }

  close() {
    this.closed = true;
    this.socket.disconnect();
  }

  /** Emits and waits for the ack; throws what the server answered when it is a failure. */
  async ask(event, ...args) {
    const ack = await this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, ...args);
    if (!ack.ok) throw new Error(ack.error);
    return ack;
  }

  async enter() {
    try {
      const { members } = await this.ask('join:room', ROOM);
      for (const userId of members) this.meet({ userId });
      await this.catchUp();
      this.joined = true;
      showState('connected', 'Connected');
      for (const clientId of this.outbox.keys()) this.post(clientId);
      const { presence } = await this.ask('presence:get', [...this.people.keys()]);
      for (const [userId, { status }] of Object.entries(presence)) this.setStatus(userId, status);
    } catch (error) {
      // Without a connection the next `connect` tries again.
      if (this.socket.connected && !this.closed) showState('failed', error.message);
    }
  }

  /** The newest page at first, and all that was missed after a reconnect. */
  async catchUp() {
    let more = true;
    while (more) {
      // Live messages that come meanwhile do not move the cursor, so nothing is skipped.
      const page = this.cursor
        ? await this.ask('messages:since', { roomId: ROOM, limit: PAGE_SIZE, after: this.cursor })
        : await this.page('');
      if (page.verdict === 'reset') this.forget();
      this.showQuietly(page.messages);
      more = this.cursor > 0 && page.hasMore && page.messages.length > 0;
      this.cursor = page.messages.at(-1)?.seq ?? this.cursor;
    }
    byId('earlier').hidden = this.messages.size === 0 || this.firstSeq <= 1;
    byId('empty').hidden = this.messages.size > 0;
  }

  /** The server no longer has what is shown. */
  forget() {
    this.messages.clear();
    this.firstSeq = Infinity;
    list.replaceChildren();
  }

  /** A page of the room's history; the newest one when nothing says where it ends. */
  async page(where) {
    const answer = await fetch(`/api/rooms/${ROOM}/messages?limit=${PAGE_SIZE}${where}`, {
      headers: { Authorization: `Bearer ${this.user.token}` },
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail);
    return body;
  }

  async showEarlier() {
    const page = await this.page(`&before=${this.firstSeq}`);
    if (this.closed) return;
    const height = scroller.scrollHeight;
    this.showQuietly(page.messages);
    scroller.scrollTop += scroller.scrollHeight - height;
    byId('earlier').hidden = !page.hasMore;
  }

  /** Shows what is not news, so that a screen reader does not read it all out. */
  showQuietly(messages) {
    list.setAttribute('aria-live', 'off');
    for (const message of messages) this.show(message);
    requestAnimationFrame(() => list.setAttribute('aria-live', 'polite'));
  }

  receive(message) {
    if (message.roomId !== ROOM) return;
    this.show(message);
    byId('empty').hidden = true;
    if (message.userId !== this.user.userId) this.typing({ ...message, typing: false });
  }

  show(message) {
    if (message.userId === this.user.userId) this.settle(message.clientId);
    this.meet({ ...message, status: 'offline' });
    if (this.messages.has(message.id)) {
      this.change(message);
      return;
    }
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    const item = bubble(message.username, message.userId === this.user.userId);
    item.dataset.seq = message.seq;
    this.messages.set(message.id, item);
    fill(item, message);
    const next = [...list.children].findLast((other) => Number(other.dataset.seq) < message.seq);
    if (next) next.after(item);
    else list.prepend(item);
    this.firstSeq = Math.min(this.firstSeq, message.seq);
    if (this.joined) this.cursor = Math.max(this.cursor, message.seq);
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  change(message) {
    const item = this.messages.get(message.id);
    if (item) fill(item, message);
  }

  /** Queues a text; it is sent now or, without a connection, after the next join. */
  send(content) {
    const clientId = newClientId();
    const item = bubble(this.user.name, true);
    item.classList.add('waiting');
    item.querySelector('p').textContent = content;
    this.outbox.set(clientId, { content, item });
    outboxList.append(item);
    scroller.scrollTop = scroller.scrollHeight;
    this.typingSentAt = -Infinity;
    this.post(clientId);
  }

  async post(clientId) {
    const { content, item } = this.outbox.get(clientId);
    mark(item, this.joined ? 'sending…' : 'waiting for the connection…');
    if (!this.joined) return;
    try {
      // The client id makes this safe to repeat: the server stores one message for it.
      const { message } = await this.ask('message:send', { roomId: ROOM, content, clientId });
      if (!this.closed) this.receive(message);
    } catch (error) {
      if (!this.outbox.has(clientId)) return;
      mark(item, this.joined ? `not sent: ${error.message}` : 'waiting for the connection…');
      if (this.joined) offerRetry(item, () => this.post(clientId));
    }
  }

  settle(clientId) {
    this.outbox.get(clientId)?.item.remove();
    this.outbox.delete(clientId);
  }

  typed() {
    const now = performance.now();
    if (!this.joined || now - this.typingSentAt < TYPING_REPEAT_MS) return;
    this.typingSentAt = now;
    this.socket.emit('typing:start', ROOM);
  }

  stoppedTyping() {
    if (!this.joined || this.typingSentAt === -Infinity) return;
    this.typingSentAt = -Infinity;
    this.socket.emit('typing:stop', ROOM);
  }

  typing({ userId, username, typing, roomId }) {
    if (roomId !== ROOM || userId === this.user.userId) return;
    if (typing) this.typists.set(userId, username);
    else this.typists.delete(userId);
    showTyping([...this.typists.values()]);
  }

  meet({ userId, username, status = 'online' }) {
    if (this.people.has(userId)) return;
    this.people.set(userId, { name: username ?? userId, status });
    showPeople(this.people, this.user.userId);
  }

  setStatus(userId, status) {
    const known = this.people.get(userId);
    if (!known) return;
    known.status = status;
    showPeople(this.people, this.user.userId);
  }
}

/** Random text; `crypto.randomUUID` is missing where the page comes over plain HTTP. */
function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
