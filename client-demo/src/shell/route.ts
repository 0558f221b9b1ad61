// Which page is shown: `#/chat?as=bob` is the page `chat` with the parameter `as`.

import { useMemo, useSyncExternalStore } from 'react';

export interface Route {
  page: string;
  params: URLSearchParams;
}

function read(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  return { page: path, params: new URLSearchParams(query) };
}

/** What the address says now. */
export const wanted = (): Route => read(location.hash);

function subscribe(listener: () => void) {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => read(hash), [hash]);
}

/** Sets parameters of the page that is shown, without an entry in the history; null takes one away. */
export function setParams(changes: Record<string, string | null>): void {
  const { page, params } = wanted();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) params.delete(name);
    else params.set(name, value);
  }
  const query = params.toString();
  const hash = `#/${page}${query && `?${query}`}`;
  if (hash === location.hash) return;
  history.replaceState(null, '', hash);
  dispatchEvent(new HashChangeEvent('hashchange'));
}
