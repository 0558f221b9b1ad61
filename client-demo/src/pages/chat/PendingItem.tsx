// A message that the server does not have yet.

import { Button } from '../../ui/Button';
import css from './Chat.module.css';
import { PictureView } from './PictureView';
import type { Pending } from './state';

interface Props {
  pending: Pending;
  onRetry(): void;
  onDiscard(): void;
}

export function PendingItem({ pending, onRetry, onDiscard }: Props) {
  const { content, picture, error } = pending;
  return (
    <li className={css.message} data-own data-waiting data-follow-up>
      <div className={css.bubbleBox}>
        <div className={css.bubbleRow}>
          <div className={css.bubble}>
            <PictureView attachment={picture} />
            <p>{content}</p>
          </div>
        </div>
        <p className={css.seen} data-failed={error ? true : undefined}>
          {error ? `Not sent: ${error}` : 'Waiting to be stored…'}
          {error && <Button size="small" kind="quiet" onClick={onRetry}>Try again</Button>}
          {error && <Button size="small" kind="quiet" onClick={onDiscard}>Discard</Button>}
        </p>
      </div>
    </li>
  );
}
