// One device of a customer: the bell, what is unread, and the list behind it.

import { useId, useState } from 'react';

import { api, reason } from '../../lib/http';
import { clock, count, newId } from '../../lib/text';
import type { User } from '../../session/users';
import { Button, IconButton } from '../../ui/Button';
import { Icon } from '../../ui/Icon';
import { CutButton, LinkState } from '../../ui/LinkState';
import { Empty, Notice } from '../../ui/Notice';
import { READ, type Note } from './inbox';
import { useSocketInbox, useStreamInbox, type Device } from './useInbox';
import css from './Vendor.module.css';

interface Props {
  user: User;
  backend: User;
}

/** A phone, connected by Socket.IO. */
export function Phone({ user, backend }: Props) {
  const device = useSocketInbox(user, `${user.name}’s phone`);
  return <Bell title="Phone" transport="Socket.IO" user={user} backend={backend} device={device} />;
}

/** A laptop, which reads an event stream. */
export function Laptop({ user, backend }: Props) {
  const device = useStreamInbox(user, `${user.name}’s laptop`);
  return <Bell title="Laptop" transport="event stream" user={user} backend={backend} device={device} />;
}

interface BellProps extends Props {
  title: string;
  transport: string;
  device: Device;
}

function Bell({ title, transport, user, backend, device }: BellProps) {
  const id = useId();
  const [isOpen, setOpen] = useState(true);
  const [failure, setFailure] = useState('');
  const { inbox: { notes, read }, log, connection } = device;
  const unread = notes.filter((note) => !read.has(note.id));
  const allUnread = unread.map((note) => note.id);
  const told = unread.length ? count(unread.length, 'unread notification') : 'No unread notifications';

  const markRead = async (ids: string[]) => {
    log.mark(ids, true);
    const body = { userId: user.userId, event: READ, ids };
    try {
      await api('POST', '/api/notifications', { as: backend, body, headers: { 'Idempotency-Key': newId() } });
      setFailure('');
    } catch (error) {
      log.mark(ids, false);
      setFailure(`It could not be marked as read: ${reason(error)}`);
    }
  };
  return (
    <section className={css.device} aria-labelledby={`${id}-title`}>
      <div className={css.deviceHead}>
        <h3 id={`${id}-title`}>{title} <small>{transport}</small></h3>
        <button
          type="button"
          className={css.bell}
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-label={told}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="bell" />
          {unread.length > 0 && <span key={unread.length} className={css.unread}>{unread.length}</span>}
        </button>
      </div>
      <div className={css.deviceLink}>
        <LinkState link={connection.link} />
        <CutButton {...connection} size="small" />
      </div>
      <div id={`${id}-list`} hidden={!isOpen}>
        {failure && <Notice kind="bad">{failure}</Notice>}
        {notes.length === 0 && <Empty>None yet. {user.name} hears when the kitchen accepts an order.</Empty>}
        <ul
          className={css.notes}
          tabIndex={notes.length ? 0 : undefined}
          aria-label={`Notifications on the ${title.toLowerCase()}`}
        >
          {notes.map((note) => (
            <Item
              key={note.id}
              note={note}
              isRead={read.has(note.id)}
              onRead={() => void markRead([note.id])}
            />
          ))}
        </ul>
        {unread.length > 1 && (
          <Button size="small" kind="quiet" icon="checks" onClick={() => void markRead(allUnread)}>
            Mark all as read
          </Button>
        )}
      </div>
    </section>
  );
}

function Item({ note, isRead, onRead }: { note: Note; isRead: boolean; onRead(): void }) {
  const { title, text, at } = note;
  const label = `Mark “${title}” as read`;
  return (
    <li data-unread={!isRead || undefined}>
      <div>
        <b>{!isRead && <span className="unseen">Unread: </span>}{title}</b>
        <p>{text} <time dateTime={at.toISOString()}>{clock(at)}</time></p>
      </div>
      {!isRead && <IconButton size="small" icon="check" label={label} onClick={onRead} />}
    </li>
  );
}
