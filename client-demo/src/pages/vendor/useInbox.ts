// A device's notifications, over a socket or over an event stream.

import type { Socket } from 'socket.io-client';
import { useRef, useState } from 'react';

import { api } from '../../lib/http';
import { useStore } from '../../lib/store';
import { useSocket } from '../../session/useSocket';
import { useStream } from '../../session/useStream';
import type { Link } from '../../session/link';
import type { User } from '../../session/users';
import { InboxLog, NOTIFICATION, READ, type Inbox } from './inbox';

const PAGE = 100;

type Verdict = 'complete' | 'gap' | 'reset';

interface Page {
  notifications: (Record<string, unknown> & { event: string })[];
  hasMore: boolean;
  verdict: Verdict;
}

export interface Device {
  inbox: Inbox;
  log: InboxLog;
  connection: { link: Link; cut(): void; restore(): void };
}

/** Reads what is stored: the newest page at first, then all that came since; how many were news. */
async function catchUp(log: InboxLog, user: User): Promise<number> {
  let news = 0;
  for (let hasMore = true; hasMore; ) {
    const from = log.isLoaded && log.lastId ? `&after=${log.lastId}` : '';
    const page = await api<Page>('GET', `/api/notifications?limit=${PAGE}${from}`, { as: user });
    // Another store, which knows nothing of what was seen here.
    if (page.verdict === 'reset') log.clear();
    for (const entry of page.notifications) if (log.take(entry.event, entry)) news += 1;
    log.isLoaded = true;
    hasMore = page.hasMore && from !== '';
  }
  return news;
}

/** Socket.IO delivers while the device is there; what it missed it fetches. */
export function useSocketInbox(user: User, name: string): Device {
  const [log] = useState(() => new InboxLog());
  const missed = useRef(0);
  const isAway = useRef(false);
  const take = (event: string) => (fields: Record<string, unknown>) => {
    if (log.take(event, fields) && isAway.current) missed.current += 1;
  };
  const connection = useSocket(user, {
    name,
    events: { [NOTIFICATION]: take(NOTIFICATION), [READ]: take(READ) },
    onSocket(socket: Socket) {
      socket.on('disconnect', () => {
        isAway.current = true;
        missed.current = 0;
      });
    },
    async onConnect() {
      const news = await catchUp(log, user);
      isAway.current = false;
      return missed.current + news;
    },
  });
  return { inbox: useStore(log.store), log, connection };
}

/** An event stream brings what was missed by itself; only what was there before is fetched. */
export function useStreamInbox(user: User, name: string): Device {
  const [log] = useState(() => new InboxLog());
  const connection = useStream('/events/notifications', user, {
    name,
    events: {
      connected: ({ verdict }: { verdict: Verdict }) => {
        if (verdict === 'reset') log.clear();
        if (!log.isLoaded || verdict !== 'complete') void catchUp(log, user).catch(() => {});
      },
      [NOTIFICATION]: (fields) => log.take(NOTIFICATION, fields),
      [READ]: (fields) => log.take(READ, fields),
    },
  });
  return { inbox: useStore(log.store), log, connection };
}
