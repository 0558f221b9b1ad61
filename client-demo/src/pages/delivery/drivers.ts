// Who drives.

import type { User } from '../../session/users';
import type { Driver } from './types';

const COLOURS = 6;
/** As many as a map has room for. */
const MOST = 100;

/**
 * The sample drivers, and, where more are wanted, those that `roomcast simulate drivers` adds to them.
 * No role is needed to watch them.
 */
export function driversOf(users: readonly User[], wanted: number): Driver[] {
  const all = users.map(({ userId, name }) => ({ id: userId, name, initial: name.slice(0, 1) }));
  for (let n = all.length + 1; n <= Math.min(wanted, MOST); n += 1) {
    all.push({ id: `driver-${n}`, name: `Driver ${n}`, initial: String(n) });
  }
  return all.map((driver, n) => ({ ...driver, colour: `var(--c${(n % COLOURS) + 1})` }));
}
