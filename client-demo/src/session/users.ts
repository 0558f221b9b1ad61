// The sample users and their tokens, which a server with its demo switched on gives away.

import { api } from '../lib/http';
import { createStore, useStore } from '../lib/store';

export type Role = 'driver' | 'vendor' | 'service';

export interface User {
  userId: string;
  name: string;
  token: string;
  /** None for people who chat and buy. */
  roles: Role[];
}

interface Users {
  state: 'loading' | 'ready' | 'failed';
  all: User[];
}

const store = createStore<Users>({ state: 'loading', all: [] });
let loading: Promise<void> | null = null;

/** Reads the users anew: a server that was started again signs their tokens with another secret. */
export function loadUsers(): Promise<void> {
  loading ??= api<User[]>('GET', '/demo/users')
    .then((all) => store.set({ state: 'ready', all }))
    .catch(() => store.set((now) => (now.all.length ? now : { state: 'failed', all: [] })))
    .finally(() => {
      loading = null;
    });
  return loading;
}

/** The user's token as it is now, which may be another than at the last render. */
export function tokenOf(userId: string): string | undefined {
  return store.get().all.find((one) => one.userId === userId)?.token;
}

/** Reads the tokens anew; whether this user has another one now. */
export async function renewToken(userId: string): Promise<boolean> {
  const before = tokenOf(userId);
  await loadUsers();
  return tokenOf(userId) !== before;
}

/** All sample users, as soon as they are known. */
export function useUsers(): Users {
  return useStore(store);
}

/** The users who have this role; without one, those who have none. */
export function useUsersWith(role?: Role): User[] {
  const { all } = useUsers();
  return all.filter((one) => (role ? one.roles.includes(role) : one.roles.length === 0));
}
