// One room: its messages, from the newest back as far as one scrolls, and where to write.

import { useCallback, useEffect, useState } from 'react';

import { reason } from '../../lib/http';
import { count, day, list } from '../../lib/text';
import { useLatest } from '../../lib/useLatest';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Notice';
import css from './Chat.module.css';
import { Composer } from './Composer';
import { MessageItem } from './MessageItem';
import { PendingItem } from './PendingItem';
import { ROOMS } from './rooms';
import type { ChatSession } from './session';
import type { ChatState, RoomState } from './state';
import type { Message } from './types';
import { useScroll } from './useScroll';

interface Props {
  session: ChatSession;
  state: ChatState;
}

export function Conversation({ session, state }: Props) {
  const { room: roomId, names } = state;
  const room = state.rooms[roomId];
  const [edited, setEdited] = useState<Message | null>(null);
  const [complaint, setComplaint] = useState('');
  const scroll = useScroll(room);
  const { isAtEnd } = scroll;
  const unread = room?.unread ?? 0;
  const loadEarlier = () => void session.loadEarlier(roomId).catch((error) => setComplaint(reason(error)));
  const top = useTop(loadEarlier);

  const seen = useCallback(() => {
    if (isAtEnd && unread > 0 && document.visibilityState === 'visible') void session.markRead(roomId);
  }, [session, roomId, isAtEnd, unread]);
  useEffect(() => {
    seen();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [seen]);

  if (!room) return null;
  const { messages, cursor, hasEarlier } = room.log;
  const own = session.user.userId;
  return (
    <div className={css.conversation}>
      <div className={css.roomHead}>
        <h3><span aria-hidden="true">#</span>{roomId}</h3>
        <p>{ROOMS.find(({ id }) => id === roomId)?.about}</p>
      </div>
      <div
        className={css.scroll}
        ref={scroll.ref}
        tabIndex={0}
        role="region"
        aria-label={`Messages in ${roomId}`}
      >
        {hasEarlier && (
          <div className={css.earlier} ref={top}>
            <Button kind="quiet" size="small" onClick={loadEarlier}>
              {room.isLoadingEarlier ? 'Loading…' : 'Show earlier messages'}
            </Button>
          </div>
        )}
        {messages.length + room.outbox.length === 0 && <Empty>No messages yet. Write the first one.</Empty>}
        <div className={css.log} role="log" aria-label="Messages" aria-live={cursor ? 'polite' : 'off'}>
          <ol className={css.messages}>
            {messages.map((message, n) => (
              <MessageItem
                key={message.id}
                message={message}
                isOwn={message.userId === own}
                newDay={dayBetween(messages[n - 1], message)}
                isFollowUp={follows(messages[n - 1], message)}
                seenBy={seenBy(room, message, own, names)}
                onEdit={() => setEdited(message)}
                onDelete={() => void session.delete(message).catch((error) => setComplaint(reason(error)))}
              />
            ))}
          </ol>
        </div>
        <ol className={css.messages} aria-label="Not sent yet">
          {room.outbox.map((pending) => (
            <PendingItem
              key={pending.clientId}
              pending={pending}
              onRetry={() => session.retry(pending.clientId)}
              onDiscard={() => session.discard(pending.clientId)}
            />
          ))}
        </ol>
      </div>
      {!isAtEnd && (
        <Button className={css.toEnd} icon="down" size="small" onClick={scroll.toEnd}>
          {unread ? count(unread, 'new message') : 'Newest'}
        </Button>
      )}
      <p className={css.typing} role="status">{typingText(room)}</p>
      <Composer
        session={session}
        roomId={roomId}
        edited={edited}
        complaint={complaint}
        onComplaint={setComplaint}
        onDone={() => setEdited(null)}
        onSent={scroll.toEnd}
      />
    </div>
  );
}

/** Calls back whenever the element is to be seen. */
function useTop(onSeen: () => void) {
  const latest = useLatest(onSeen);
  return useCallback((element: HTMLElement | null) => {
    if (!element) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) latest.current();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [latest]);
}

function dayBetween(before: Message | undefined, message: Message): string | null {
  const today = day(message.createdAt);
  return before && day(before.createdAt) === today ? null : today;
}

const FOLLOW_UP_MS = 5 * 60_000;

/** Whether it goes on from the message before, so that the name need not be said again. */
function follows(before: Message | undefined, message: Message): boolean {
  if (!before || before.userId !== message.userId || dayBetween(before, message)) return false;
  return Date.parse(message.createdAt) - Date.parse(before.createdAt) < FOLLOW_UP_MS;
}

/** Who has read as far as one's own message, and no further one of one's own. */
function seenBy(room: RoomState, message: Message, own: string, names: ChatState['names']): string[] {
  if (message.userId !== own) return [];
  const next = room.log.messages.find(({ seq, userId }) => seq > message.seq && userId === own);
  const end = next?.seq ?? Infinity;
  const readers = Object.entries(room.read).filter(([, seq]) => seq >= message.seq && seq < end);
  return readers.map(([userId]) => names[userId] ?? userId);
}

function typingText({ typing }: RoomState): string {
  const names = Object.values(typing);
  if (names.length === 0) return '';
  if (names.length > 3) return 'Several people are typing…';
  return `${list(names)} ${names.length === 1 ? 'is' : 'are'} typing…`;
}
