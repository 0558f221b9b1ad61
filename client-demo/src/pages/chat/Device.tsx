// One device: the rooms, the people and the conversation, over a socket of its own.

import { useId, useState } from 'react';

import { useStore } from '../../lib/store';
import { useSocket } from '../../session/useSocket';
import type { User } from '../../session/users';
import { CutButton, LinkState } from '../../ui/LinkState';
import css from './Chat.module.css';
import { Conversation } from './Conversation';
import { People } from './People';
import { Rooms } from './Rooms';
import { ROOMS } from './rooms';
import { ChatSession } from './session';

interface Props {
  user: User;
  users: User[];
  name: string;
}

export function Device({ user, users, name }: Props) {
  const id = useId();
  const [session] = useState(() => new ChatSession(user, users, ROOMS[0]?.id ?? ''));
  const connection = useSocket(user, {
    name,
    onSocket: (socket) => session.attach(socket),
    onConnect: (socket) => session.enter(socket),
  });
  const state = useStore(session.store);
  return (
    <section className={css.device} aria-labelledby={id}>
      <div className={css.deviceHead}>
        <h2 id={id}>{name}</h2>
        <LinkState link={connection.link} />
        <CutButton {...connection} size="small" />
      </div>
      <div className={css.deviceBody}>
        <div className={css.side}>
          <Rooms state={state} onOpen={(room) => session.open(room)} />
          <People
            state={state}
            own={user}
            isLive={connection.link.phase === 'connected'}
            onStatus={(status) => void session.setStatus(status).catch(() => undefined)}
          />
        </div>
        <Conversation key={state.room} session={session} state={state} />
      </div>
    </section>
  );
}
