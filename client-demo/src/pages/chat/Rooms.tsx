// The list of rooms, with what is unread in each.

import { count } from '../../lib/text';
import { Badge } from '../../ui/Small';
import css from './Chat.module.css';
import { ROOMS } from './rooms';
import type { ChatState } from './state';

interface Props {
  state: ChatState;
  onOpen(room: string): void;
}

export function Rooms({ state, onOpen }: Props) {
  return (
    <nav className={css.rooms} aria-label="Rooms">
      <h3>Rooms</h3>
      <ul>
        {ROOMS.map(({ id, about }) => {
          const unread = state.rooms[id]?.unread ?? 0;
          return (
            <li key={id}>
              <button
                type="button"
                title={about}
                aria-current={id === state.room || undefined}
                onClick={() => onOpen(id)}
              >
                <span aria-hidden="true">#</span>
                <span className={css.roomName}>{id}</span>
                {unread > 0 && <Badge kind="accent" label={count(unread, 'unread message')}>{unread}</Badge>}
              </button>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
