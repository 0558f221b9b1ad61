// How the connections of the page that is shown are doing.

import { useEffect, useId } from 'react';

import { createStore, useStore } from '../lib/store';

/**
 * `connecting`: for the first time. `recovering`: the connection is lost, or is back and what was
 * missed is being fetched. `connected`: all is there. `offline`: cut, or without a network. `refused`: the
 * server said no, for the reason in `error`.
 */
export type Phase = 'connecting' | 'connected' | 'recovering' | 'offline' | 'refused';

export interface Link {
  phase: Phase;
  /** After a reconnect: how much came in meanwhile and is shown now. Null before the first one. */
  missed: number | null;
  /** Whether the server gave back the same session, so that `socket.recovered` was true. */
  sameSession: boolean;
  error?: string;
}

export const FIRST: Link = { phase: 'connecting', missed: null, sameSession: false };

export interface NamedLink extends Link {
  name: string;
}

const links = createStore<ReadonlyMap<string, NamedLink>>(new Map());

/** Shows the state of a connection in the header for as long as the component is there. */
export function useAnnounced(name: string, link: Link | null): void {
  const id = useId();
  useEffect(() => {
    links.set((now) => {
      const next = new Map(now);
      if (link) next.set(id, { ...link, name });
      else next.delete(id);
      return next;
    });
  }, [id, name, link]);
  useEffect(
    () => () => {
      links.set((now) => new Map([...now].filter(([other]) => other !== id)));
    },
    [id],
  );
}

/** The connections of the page that is shown. */
export function useLinks(): NamedLink[] {
  return [...useStore(links).values()];
}

const WORST_FIRST: Phase[] = ['refused', 'offline', 'recovering', 'connecting', 'connected'];

/** The one that does worst. */
export function worst(all: NamedLink[]): NamedLink | undefined {
  return all.toSorted((a, b) => WORST_FIRST.indexOf(a.phase) - WORST_FIRST.indexOf(b.phase))[0];
}

/** The state in words. */
export function inWords(link: Link): string {
  switch (link.phase) {
    case 'connecting':
      return 'Connecting…';
    case 'recovering':
      return 'Recovering…';
    case 'offline':
      return 'Offline';
    case 'refused':
      return `Refused: ${link.error}`;
    case 'connected':
      return link.missed === null ? 'Connected' : `Recovered, ${link.missed} missed`;
  }
}
