// What a device knows of one room's messages. Nothing here changes: each step makes the next log.

import type { Message } from './types';

export interface Log {
  /** In the order of `seq`, each once. */
  messages: readonly Message[];
  /** Everything from the first message up to this `seq` is known; 0: nothing is. */
  cursor: number;
  /** Whether there may be older messages than the first. */
  hasEarlier: boolean;
}

export const EMPTY: Log = { messages: [], cursor: 0, hasEarlier: false };

/** Adds messages and takes over changes of known ones; how many were new. */
export function merge(log: Log, incoming: readonly Message[]): { log: Log; fresh: Message[] } {
  const known = new Map(log.messages.map((message) => [message.id, message]));
  const fresh: Message[] = [];
  for (const message of incoming) {
    const before = known.get(message.id);
    if (!before) fresh.push(message);
    known.set(message.id, before ? newer(before, message) : message);
  }
  const messages = [...known.values()].sort((a, b) => a.seq - b.seq);
  return { log: { ...log, messages, cursor: cursorOf(messages, log.cursor) }, fresh };
}

/** The one that was changed last; a page that was read earlier may arrive later. */
function newer(a: Message, b: Message): Message {
  return changedAt(b) >= changedAt(a) ? b : a;
}

/** Times in one format, which sort as texts do. A deletion is the last change there is. */
function changedAt({ editedAt = '', deletedAt }: Message): string {
  return deletedAt ? `~${deletedAt}` : editedAt;
}

/** `seq` has no gaps, so that what joins the cursor moves it. */
function cursorOf(messages: readonly Message[], cursor: number): number {
  let next = cursor;
  for (const { seq } of messages) {
    if (seq === next + 1) next = seq;
  }
  return next;
}

/** Whether something between the cursor and the newest message is not there. */
export function hasGap({ messages, cursor }: Log): boolean {
  return cursor > 0 && (messages.at(-1)?.seq ?? 0) > cursor;
}

/** Says that all up to this `seq` is there, or past what the server keeps. */
export function knownUpTo(log: Log, seq: number): Log {
  return { ...log, cursor: cursorOf(log.messages, Math.max(log.cursor, seq)) };
}
