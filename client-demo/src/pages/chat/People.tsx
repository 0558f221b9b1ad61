// Who is there.

import { useId } from 'react';

import type { User } from '../../session/users';
import { Avatar, type Status } from '../../ui/Small';
import css from './Chat.module.css';
import type { ChatState } from './state';

const OWN: Status[] = ['online', 'away', 'busy'];

interface Props {
  state: ChatState;
  own: User;
  /** Whether there is a connection that tells how people are. */
  isLive: boolean;
  onStatus(status: Status): void;
}

export function People({ state, own, isLive, onStatus }: Props) {
  const id = useId();
  const statusOf = (userId: string) => (isLive && state.presence[userId]) || 'offline';
  const others = Object.entries(state.names).filter(([userId]) => userId !== own.userId);
  const mine = statusOf(own.userId);
  return (
    <section className={css.people} aria-labelledby={id}>
      <h3 id={id}>People</h3>
      <ul>
        <li>
          <Avatar id={own.userId} name={own.name} size="small" status={mine} />
          <span className={css.person}>
            {own.name} (you)
            <select
              aria-label="Your status"
              value={mine}
              disabled={!isLive}
              onChange={(event) => onStatus(event.target.value as Status)}
            >
              {mine === 'offline' && <option>offline</option>}
              {OWN.map((status) => <option key={status}>{status}</option>)}
            </select>
          </span>
        </li>
        {others.map(([userId, name]) => (
          <li key={userId}>
            <Avatar id={userId} name={name} size="small" status={statusOf(userId)} />
            <span className={css.person}>
              {name}
              <small>{isLive ? statusOf(userId) : 'not known'}</small>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
