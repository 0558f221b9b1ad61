// One event stream by the browser's EventSource, for as long as a component is shown.

import { useCallback, useEffect, useRef, useState } from 'react';

import { useLatest } from '../lib/useLatest';
import { FIRST, useAnnounced, type Link } from './link';
import { renewToken, tokenOf, type User } from './users';

/** After a refusal; a connection that was lost is tried again by the browser itself. */
const RETRY_MS = 3_000;
/** What was missed comes right after `connected`; it is over when nothing has come for so long. */
const REPLAY_QUIET_MS = 150;

export interface StreamUse {
  /** What the header calls this stream. */
  name?: string;
  /** The events to listen for, with their data parsed; `connected` and `initial` are events, too. */
  events: Record<string, (data: any, event: MessageEvent<string>) => void>;
}

export interface StreamHandle {
  link: Link;
  /** Ends the stream and stays offline until `restore`, which goes on after the last event. */
  cut(): void;
  restore(): void;
}

/** Follows a stream as this user; a null address or user is no stream. */
export function useStream(url: string | null, user: User | null, use: StreamUse): StreamHandle {
  const userId = user?.userId ?? null;
  const latest = useLatest(use);
  const [link, setLink] = useState<Link>(FIRST);
  const [isCut, setCut] = useState(false);
  const where = useRef({ url, lastEventId: '' });
  const names = Object.keys(use.events).join(' ');
  const isOpen = url !== null && userId !== null;

  useEffect(() => {
    if (url === null || userId === null || isCut) return undefined;
    if (where.current.url !== url) where.current = { url, lastEventId: '' };
    const reader = new Reader(url, userId, where.current, names.split(' '), {
      tell: setLink,
      hear: (event, data, message) => latest.current.events[event]?.(data, message),
    });
    return () => reader.end();
  }, [url, userId, isCut, names, latest]);

  const cut = useCallback(() => {
    setCut(true);
    setLink((now) => ({ ...now, phase: 'offline' }));
  }, []);
  const restore = useCallback(() => setCut(false), []);
  useAnnounced(use.name ?? 'Event stream', isOpen ? link : null);
  return { link, cut, restore };
}

interface Hooks {
  tell(next: (now: Link) => Link): void;
  hear(event: string, data: unknown, message: MessageEvent<string>): void;
}

/** Reads one stream, again and again, from where it was. */
class Reader {
  #source: EventSource | null = null;
  #timer = 0;
  /** How many stored events have come since the last connect; null: it is the first one. */
  #missed: number | null;
  #isReplay = false;

  constructor(
    readonly url: string,
    readonly userId: string,
    readonly where: { lastEventId: string },
    readonly names: string[],
    readonly hooks: Hooks,
  ) {
    this.#missed = where.lastEventId ? 0 : null;
    // A stream over a network that is gone looks like one on which nothing happens.
    addEventListener('offline', this.#offline);
    addEventListener('online', this.#online);
    this.#open();
  }

  #offline = () => {
    const source = this.#source;
    if (!source) return;
    source.close();
    this.#lost(source);
  };

  #online = () => this.#open();

  #open() {
    this.#source?.close();
    clearTimeout(this.#timer);
    const url = new URL(this.url, location.href);
    url.searchParams.set('access_token', tokenOf(this.userId) ?? '');
    if (this.where.lastEventId) url.searchParams.set('lastEventId', this.where.lastEventId);
    const source = new EventSource(url);
    this.#source = source;
    for (const name of new Set(['connected', ...this.names])) {
      source.addEventListener(name, (message) => this.#heard(name, message));
    }
    source.addEventListener('error', () => {
      if (source === this.#source) this.#lost(source);
    });
  }

  #heard(name: string, message: MessageEvent<string>) {
    if (message.lastEventId) this.where.lastEventId = message.lastEventId;
    if (name === 'connected') this.#isReplay = true;
    else if (this.#isReplay && this.#missed !== null && message.lastEventId) this.#missed += 1;
    if (this.#isReplay) this.#awaitQuiet();
    this.hooks.hear(name, message.data ? JSON.parse(message.data) : undefined, message);
  }

  /** Nothing was missed before the first connect, so that there is nothing to wait for. */
  #awaitQuiet() {
    clearTimeout(this.#timer);
    if (this.#missed === null) this.#replayed();
    else this.#timer = window.setTimeout(() => this.#replayed(), REPLAY_QUIET_MS);
  }

  #replayed() {
    const missed = this.#missed;
    this.#isReplay = false;
    this.#missed = 0;
    this.hooks.tell(() => ({ phase: 'connected', missed, sameSession: false }));
  }

  #lost(source: EventSource) {
    clearTimeout(this.#timer);
    this.#isReplay = false;
    this.#missed = this.where.lastEventId || this.#missed !== null ? 0 : null;
    const trying = this.#missed === null ? 'connecting' : 'recovering';
    const phase = navigator.onLine ? trying : 'offline';
    this.hooks.tell((now) => ({ ...now, phase, error: undefined }));
    // Where the server refused, the browser gives up: perhaps the token is no longer good.
    if (source.readyState === EventSource.CLOSED) {
      const again = () => void renewToken(this.userId).then(() => this.#again(source));
      this.#timer = window.setTimeout(again, RETRY_MS);
    }
  }

  #again(source: EventSource) {
    if (this.#source === source) this.#open();
  }

  end() {
    clearTimeout(this.#timer);
    removeEventListener('offline', this.#offline);
    removeEventListener('online', this.#online);
    this.#source?.close();
    this.#source = null;
  }
}
