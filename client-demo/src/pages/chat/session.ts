// One device of one user: its socket, and what it knows of the rooms.

import type { Socket } from 'socket.io-client';

import { ask } from '../../lib/ask';
import { api, reason } from '../../lib/http';
import { createStore } from '../../lib/store';
import { newId } from '../../lib/text';
import type { User } from '../../session/users';
import type { Status } from '../../ui/Small';
import { EMPTY, hasGap, knownUpTo } from './log';
import type { Picture } from './picture';
import { ROOMS } from './rooms';
import {
  NEW_ROOM, changeRoom, withEntered, withError, withMessages, withReceipt, withTypist, without,
  type ChatState, type Pending, type RoomState,
} from './state';
import type { Changed, Entered, Message, MessagePage, Person, Presences, Receipt, Typist } from './types';

const PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 100;
/** The server ends a typing notice after 6 s without a repeat. */
const TYPING_REPEAT_MS = 3_000;

export class ChatSession {
  readonly store;
  #socket: Socket | null = null;
  #isJoined = false;
  /** Counts what came in while the connection was away; null while it is there. */
  #missed: number | null = null;
  #typingSentAt = -Infinity;

  constructor(readonly user: User, users: User[], room: string) {
    this.store = createStore<ChatState>({
      room,
      rooms: Object.fromEntries(ROOMS.map(({ id }) => [id, NEW_ROOM])),
      presence: {},
      names: Object.fromEntries(users.map(({ userId, name }) => [userId, name])),
    });
  }

  /** Listens on this socket; call it before the socket connects. */
  attach(socket: Socket): () => void {
    this.#socket = socket;
    const on = <T>(event: string, listener: (it: T) => void) => {
      socket.on(event, listener);
      return () => socket.off(event, listener);
    };
    // A message goes out under the name by which it was sent; either is a message of the room.
    const offs = [
      on<Message>('message:new', (message) => this.#receive(message)),
      on<Message>('chat:message', (message) => this.#receive(message)),
      on<Message>('message:edited', (message) => this.#take(message.roomId, [message])),
      on<Message>('message:deleted', (message) => this.#take(message.roomId, [message])),
      on<Receipt>('chat:read', (receipt) => this.#read(receipt)),
      on<Typist>('typing:user', (who) => this.#typing(who)),
      on<Person>('user:joined', ({ userId, username }) => this.#meet(userId, username)),
      on<Changed>('presence:changed', ({ userId, status }) => this.#presence({ [userId]: status })),
      on('disconnect', () => this.#lost()),
    ];
    return () => {
      offs.forEach((off) => off());
      this.#socket = null;
    };
  }

  /** Joins the rooms, fetches what is new, sends what had to wait; how much was missed. */
  async enter(socket: Socket): Promise<number> {
    const members = await Promise.all(ROOMS.map(({ id }) => this.#enterRoom(socket, id)));
    const people = [...new Set([...members.flat(), ...Object.keys(this.store.get().names)])];
    const { presence } = await ask<Presences>(socket, 'presence:get', people);
    this.#presence(Object.fromEntries(Object.entries(presence).map(([id, { status }]) => [id, status])));
    this.#isJoined = true;
    const missed = this.#missed ?? 0;
    this.#missed = null;
    for (const { id } of ROOMS) {
      for (const { clientId } of this.#roomState(id).outbox) void this.#post(id, clientId);
    }
    return missed;
  }

  async #enterRoom(socket: Socket, roomId: string): Promise<string[]> {
    const entered = await ask<Entered>(socket, 'join:room', roomId);
    this.#update(roomId, (room) => withEntered(room, entered));
    await this.#catchUp(socket, roomId, entered.lastSeq);
    return entered.members;
  }

  /** Fetches the newest page at first, later all that was missed. */
  async #catchUp(socket: Socket, roomId: string, lastSeq: number): Promise<void> {
    const { cursor, messages } = this.#roomState(roomId).log;
    const newest = Math.max(0, lastSeq - PAGE_SIZE);
    const last = messages.find(({ seq }) => seq === cursor);
    if (!last) return this.#firstPage(socket, roomId, newest);
    // By its id: a server that was given another store has another message in that place.
    let after: string | number = last.id;
    for (let hasMore = true; hasMore;) {
      const page: MessagePage = await this.#since(socket, roomId, after);
      if (page.verdict === 'reset') return this.#firstPage(socket, roomId, newest);
      const end = page.messages.at(-1)?.seq;
      this.#take(roomId, page.messages);
      if (end !== undefined) this.#update(roomId, (room) => ({ ...room, log: knownUpTo(room.log, end) }));
      hasMore = page.hasMore && end !== undefined;
      after = end ?? after;
    }
    // In what is shown something may have been edited or deleted meanwhile.
    const window = await this.#since(socket, roomId, Math.max(newest, (messages[0]?.seq ?? 1) - 1));
    this.#take(roomId, window.messages);
  }

  async #firstPage(socket: Socket, roomId: string, after: number): Promise<void> {
    const page = await this.#since(socket, roomId, after);
    const end = page.messages.at(-1)?.seq ?? 0;
    this.#update(roomId, (room) => ({ ...room, log: EMPTY }));
    this.#take(roomId, page.messages);
    this.#update(roomId, (room) => ({ ...room, log: { ...knownUpTo(room.log, end), hasEarlier: after > 0 } }));
  }

  #since(socket: Socket, roomId: string, after: string | number): Promise<MessagePage> {
    return ask<MessagePage>(socket, 'messages:since', { roomId, after, limit: MAX_PAGE_SIZE });
  }

  /** Fetches the page before the first message that is known. */
  async loadEarlier(roomId: string): Promise<void> {
    const { log, isLoadingEarlier } = this.#roomState(roomId);
    const first = log.messages[0]?.seq;
    if (isLoadingEarlier || !log.hasEarlier || first === undefined) return;
    this.#update(roomId, (room) => ({ ...room, isLoadingEarlier: true }));
    try {
      const path = `/api/rooms/${roomId}/messages?before=${first}&limit=${PAGE_SIZE}`;
      const page = await api<MessagePage>('GET', path, { as: this.user });
      this.#take(roomId, page.messages);
      this.#update(roomId, (room) => ({ ...room, log: { ...room.log, hasEarlier: page.hasMore } }));
    } finally {
      this.#update(roomId, (room) => ({ ...room, isLoadingEarlier: false }));
    }
  }

  open(room: string): void {
    this.stopTyping();
    this.store.set((now) => ({ ...now, room }));
  }

  /** Queues a message; it is sent now or, without a connection, when that is back. */
  send(content: string, picture?: Picture): void {
    const { room } = this.store.get();
    const pending: Pending = { clientId: newId(), content, picture };
    this.#typingSentAt = -Infinity;
    this.#update(room, (state) => ({ ...state, outbox: [...state.outbox, pending] }));
    void this.#post(room, pending.clientId);
  }

  retry(clientId: string): void {
    void this.#post(this.store.get().room, clientId);
  }

  discard(clientId: string): void {
    this.#update(this.store.get().room, (room) => without(room, clientId));
  }

  async #post(roomId: string, clientId: string): Promise<void> {
    const pending = this.#roomState(roomId).outbox.find((one) => one.clientId === clientId);
    const socket = this.#socket;
    if (!pending || !socket || !this.#isJoined) return;
    this.#update(roomId, (room) => withError(room, clientId, undefined));
    const { content, picture: attachment } = pending;
    try {
      // The client id makes this safe to repeat: the server stores one message for it.
      const message = { roomId, content, clientId, attachment };
      const ack = await ask<{ message: Message }>(socket, 'message:send', message);
      this.#receive(ack.message);
    } catch (error) {
      // Without a connection it is sent again after the next join.
      if (!this.#isJoined || !socket.connected) return;
      this.#update(roomId, (room) => withError(room, clientId, reason(error)));
    }
  }

  edit(message: Message, content: string): Promise<void> {
    return this.#change('message:edit', message, { content });
  }

  delete(message: Message): Promise<void> {
    return this.#change('message:delete', message, {});
  }

  async #change(event: string, { roomId, id }: Message, more: object): Promise<void> {
    if (!this.#socket || !this.#isJoined) throw new Error('There is no connection');
    const change = { roomId, messageId: id, ...more };
    const { message } = await ask<{ message: Message }>(this.#socket, event, change);
    this.#take(roomId, [message]);
  }

  /** Says that all that is shown has been seen. */
  async markRead(roomId: string): Promise<void> {
    const { log, unread } = this.#roomState(roomId);
    const last = log.messages.at(-1);
    if (!unread || !last || !this.#socket || !this.#isJoined) return;
    this.#update(roomId, (room) => ({ ...room, unread: 0 }));
    const seen = { roomId, messageId: last.id };
    const ack = await ask<{ unread: number }>(this.#socket, 'chat:read', seen).catch(() => null);
    if (ack && this.#roomState(roomId).log.messages.at(-1) === last) {
      this.#update(roomId, (room) => ({ ...room, unread: ack.unread }));
    }
  }

  typed(): void {
    const now = performance.now();
    if (!this.#isJoined || now - this.#typingSentAt < TYPING_REPEAT_MS) return;
    this.#typingSentAt = now;
    this.#socket?.emit('typing:start', this.store.get().room);
  }

  stopTyping(): void {
    if (!this.#isJoined || this.#typingSentAt === -Infinity) return;
    this.#typingSentAt = -Infinity;
    this.#socket?.emit('typing:stop', this.store.get().room);
  }

  async setStatus(status: Status): Promise<void> {
    if (!this.#socket || !this.#isJoined) return;
    await ask(this.#socket, 'presence:update', status);
    this.#presence({ [this.user.userId]: status });
  }

  #roomState(roomId: string): RoomState {
    return this.store.get().rooms[roomId] ?? NEW_ROOM;
  }

  #update(roomId: string, change: (room: RoomState) => RoomState): void {
    this.store.set((now) => changeRoom(now, roomId, change));
  }

  #receive(message: Message): void {
    const { roomId, userId, username } = message;
    if (!this.#take(roomId, [message])) return;
    this.#typing({ roomId, userId, username, typing: false });
    const socket = this.#socket;
    if (this.#isJoined && socket && hasGap(this.#roomState(roomId).log)) {
      void this.#catchUp(socket, roomId, message.seq).catch(() => undefined);
    }
  }

  /** Takes messages into the log; whether any was new. */
  #take(roomId: string, messages: Message[]): boolean {
    const before = this.#roomState(roomId);
    const { room, fresh, foreign } = withMessages(before, messages, this.user.userId);
    this.#update(roomId, () => room);
    if (this.#missed !== null) this.#missed += foreign.filter(({ seq }) => seq > before.log.cursor).length;
    for (const { userId, username } of fresh) this.#meet(userId, username);
    return fresh.length > 0;
  }

  #read(receipt: Receipt): void {
    this.#update(receipt.roomId, (room) => withReceipt(room, receipt, this.user.userId));
  }

  #typing(who: Typist): void {
    if (who.userId !== this.user.userId) this.#update(who.roomId, (room) => withTypist(room, who));
  }

  #meet(userId: string, username: string): void {
    if (this.store.get().names[userId]) return;
    this.store.set((now) => ({ ...now, names: { ...now.names, [userId]: username } }));
  }

  #presence(changes: Record<string, Status>): void {
    this.store.set((now) => ({ ...now, presence: { ...now.presence, ...changes } }));
  }

  /** Who types is not known any more; what comes from now on was missed until it is here. */
  #lost(): void {
    this.#isJoined = false;
    this.#missed = 0;
    this.#typingSentAt = -Infinity;
    for (const { id } of ROOMS) this.#update(id, (room) => ({ ...room, typing: {} }));
  }
}
