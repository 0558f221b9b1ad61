// A message, with what its author can do to it.

import { memo } from 'react';

import { clock, list } from '../../lib/text';
import { IconButton } from '../../ui/Button';
import { Icon } from '../../ui/Icon';
import { Avatar } from '../../ui/Small';
import css from './Chat.module.css';
import { PictureView } from './PictureView';
import type { Message } from './types';

interface Props {
  message: Message;
  isOwn: boolean;
  /** The day that begins with it. */
  newDay: string | null;
  isFollowUp: boolean;
  /** Who has read it, and none of one's later ones. */
  seenBy: string[];
  onEdit(): void;
  onDelete(): void;
}

export const MessageItem = memo(function MessageItem(props: Props) {
  const { message, isOwn, newDay, isFollowUp, seenBy, onEdit, onDelete } = props;
  const { userId, username, content, createdAt, editedAt, deletedAt, attachment } = message;
  return (
    <>
      {newDay && <li className={css.day}><span>{newDay}</span></li>}
      <li
        className={css.message}
        data-own={isOwn || undefined}
        data-follow-up={isFollowUp || undefined}
        data-gone={deletedAt ? true : undefined}
        data-seq={message.seq}
      >
        {!isOwn && isFollowUp && <span className={css.noFace} />}
        {!isOwn && !isFollowUp && <Avatar id={userId} name={username} size="small" />}
        <div className={css.bubbleBox}>
          <div className={css.from}>
            <span className={isFollowUp || isOwn ? 'unseen' : css.name}>{isOwn ? 'You' : username}</span>
            {!isFollowUp && <time dateTime={createdAt}>{clock(createdAt)}</time>}
            {editedAt && !deletedAt && <span>edited</span>}
          </div>
          <div className={css.bubbleRow}>
            <div className={css.bubble}>
              {!deletedAt && <PictureView attachment={attachment} />}
              <p>{deletedAt ? 'Message deleted' : content}</p>
            </div>
            {isOwn && !deletedAt && (
              <div className={css.tools}>
                <IconButton size="small" icon="edit" label={`Edit “${shorten(content)}”`} onClick={onEdit} />
                <IconButton size="small" icon="trash" label={`Delete “${shorten(content)}”`} onClick={onDelete} />
              </div>
            )}
          </div>
          {seenBy.length > 0 && (
            <p className={css.seen}><Icon name="checks" size="0.9rem" />Read by {list(seenBy)}</p>
          )}
        </div>
      </li>
    </>
  );
}, areAlike);

const SHORT = 30;
const shorten = (text: string) => (text.length > SHORT ? `${text.slice(0, SHORT)}…` : text);

/** The handlers differ at each render and do the same. */
function areAlike(a: Props, b: Props): boolean {
  return a.message === b.message && a.isOwn === b.isOwn && a.newDay === b.newDay
    && a.isFollowUp === b.isFollowUp && a.seenBy.join() === b.seenBy.join();
}
