// Drivers, watched by a socket of one's own.

import { useState } from 'react';

import { ask } from '../../lib/ask';
import { useStore } from '../../lib/store';
import { useSocket, type SocketHandle } from '../../session/useSocket';
import type { User } from '../../session/users';
import type { Driver, Location, Silence } from './types';
import { Watcher, type Watched } from './watcher';

export interface Watching extends SocketHandle, Watched {
  watcher: Watcher;
}

interface Hooks {
  onLocation?(location: Location): void;
  /** A driver has gone offline. */
  onSilence?(driverId: string): void;
  /** A driver was offline, and is heard again. */
  onReturn?(driverId: string): void;
}

export function useWatching(
  user: User,
  drivers: readonly Driver[],
  name: string,
  hooks: Hooks = {},
): Watching {
  const [watcher] = useState(() => new Watcher());
  const handle = useSocket(user, {
    name,
    events: {
      'location-update': (location: Location) => {
        const wasOffline = watcher.of(location.driverId).isOffline;
        if (!watcher.hear(location)) return;
        hooks.onLocation?.(location);
        if (wasOffline) hooks.onReturn?.(location.driverId);
      },
      'driver-offline': ({ driverId, lastSeen }: Silence) => {
        if (watcher.lose(driverId, Date.parse(lastSeen))) hooks.onSilence?.(driverId);
      },
    },
    onConnect: async (socket) => {
      const newest = (id: string) => watcher.of(id).location?.timestamp ?? 0;
      const before = new Map(drivers.map(({ id }) => [id, newest(id)]));
      watcher.ask();
      // Positions come as events, and before the acks; only an ack says that there is none.
      await Promise.all(drivers.map(async ({ id }) => {
        const { location } = await ask<{ location: Location | null }>(socket, 'watch-delivery', id);
        if (!location && watcher.lose(id, Infinity)) hooks.onSilence?.(id);
      }));
      return drivers.filter(({ id }) => newest(id) > (before.get(id) ?? 0)).length;
    },
  });
  return { ...handle, ...useStore(watcher.store), watcher };
}
