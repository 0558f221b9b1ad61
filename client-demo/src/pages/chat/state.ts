// What a device shows, and the steps by which that changes. Nothing here changes in place.

import type { Status } from '../../ui/Small';
import { EMPTY, merge, type Log } from './log';
import type { Picture } from './picture';
import type { Entered, Message, Receipt, Typist } from './types';

/** A message on its way, or held back while there is no connection. */
export interface Pending {
  clientId: string;
  content: string;
  picture?: Picture;
  /** Why it was refused, if it was. */
  error?: string;
}

export interface RoomState {
  log: Log;
  outbox: readonly Pending[];
  /** Messages of others that this user has not read. */
  unread: number;
  /** Up to this `seq` the server has counted what is unread; later messages are counted here. */
  countedUpTo: number;
  /** Names by user id. */
  typing: Readonly<Record<string, string>>;
  /** How far others have read: `seq` by user id. */
  read: Readonly<Record<string, number>>;
  isLoadingEarlier: boolean;
}

export interface ChatState {
  /** The room that is open. */
  room: string;
  rooms: Readonly<Record<string, RoomState>>;
  presence: Readonly<Record<string, Status>>;
  names: Readonly<Record<string, string>>;
}

export const NEW_ROOM: RoomState = {
  log: EMPTY, outbox: [], unread: 0, countedUpTo: Infinity, typing: {}, read: {}, isLoadingEarlier: false,
};

type Change = (room: RoomState) => RoomState;

export function changeRoom(state: ChatState, roomId: string, change: Change): ChatState {
  const room = state.rooms[roomId];
  return room ? { ...state, rooms: { ...state.rooms, [roomId]: change(room) } } : state;
}

/** Takes messages into the log; those that were new, and those among them that this device did not send. */
export function withMessages(room: RoomState, messages: readonly Message[], own: string) {
  const { log, fresh } = merge(room.log, messages);
  const sent = new Set(room.outbox.map(({ clientId }) => clientId));
  const foreign = fresh.filter(({ clientId }) => !clientId || !sent.has(clientId));
  const stored = new Set(messages.filter(({ userId }) => userId === own).map(({ clientId }) => clientId));
  const unread = fresh.filter(({ userId, seq }) => userId !== own && seq > room.countedUpTo).length;
  const next: RoomState = {
    ...room,
    log,
    unread: room.unread + unread,
    outbox: room.outbox.filter(({ clientId }) => !stored.has(clientId)),
  };
  return { room: next, fresh, foreign };
}

export function withEntered(room: RoomState, { unread, lastSeq }: Entered): RoomState {
  return { ...room, unread, countedUpTo: lastSeq };
}

export function withReceipt(room: RoomState, { userId, messageId }: Receipt, own: string): RoomState {
  const { messages } = room.log;
  const seq = messages.find(({ id }) => id === messageId)?.seq;
  if (userId !== own) return seq === undefined ? room : { ...room, read: { ...room.read, [userId]: seq } };
  // One's own other device has read: what is unread is counted from there.
  const later = messages.filter((message) => message.userId !== own && message.seq > (seq ?? Infinity));
  return { ...room, unread: later.length };
}

export function withTypist(room: RoomState, { userId, username, typing }: Omit<Typist, 'roomId'>): RoomState {
  const { [userId]: was, ...others } = room.typing;
  if (!typing && was === undefined) return room;
  return { ...room, typing: typing ? { ...others, [userId]: username } : others };
}

export function withError(room: RoomState, clientId: string, error: string | undefined): RoomState {
  const mark = (one: Pending) => (one.clientId === clientId ? { ...one, error } : one);
  return { ...room, outbox: room.outbox.map(mark) };
}

export function without(room: RoomState, clientId: string): RoomState {
  return { ...room, outbox: room.outbox.filter((one) => one.clientId !== clientId) };
}
