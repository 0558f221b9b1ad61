// Where one writes, and edits what was written.

import { useEffect, useRef, useState, type ClipboardEvent, type SubmitEvent } from 'react';

import { reason } from '../../lib/http';
import { Button, IconButton } from '../../ui/Button';
import css from './Chat.module.css';
import { preparePicture, type Picture } from './picture';
import { PictureView } from './PictureView';
import type { ChatSession } from './session';
import type { Message } from './types';

/** The server's limit, by default. */
const MAX_CHARS = 8_192;

interface Props {
  session: ChatSession;
  roomId: string;
  /** The message that is being edited, if one is. */
  edited: Message | null;
  /** What went wrong with the last thing that was done here. */
  complaint: string;
  onComplaint(text: string): void;
  onDone(): void;
  onSent(): void;
}

export function Composer({ session, roomId, edited, complaint, onComplaint, onDone, onSent }: Props) {
  const [text, setText] = useState('');
  const [picture, setPicture] = useState<Picture | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const files = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (!edited) return;
    setText(edited.content);
    input.current?.focus();
  }, [edited]);
  // Leaving the room ends what was being typed there.
  useEffect(() => () => session.stopTyping(), [session, roomId]);

  const reset = () => {
    setText('');
    setPicture(null);
    onComplaint('');
    onDone();
  };

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const content = text.trim() || (picture?.name ?? '');
    if (!content) return;
    if (edited) {
      session.edit(edited, content).then(reset, (failure: unknown) => onComplaint(reason(failure)));
      return;
    }
    session.send(content, picture ?? undefined);
    reset();
    onSent();
  };

  const attach = (file: File | undefined) => {
    if (!file) return;
    onComplaint('');
    preparePicture(file).then(setPicture, (failure: unknown) => onComplaint(reason(failure)));
  };

  const paste = (event: ClipboardEvent) => {
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith('image/'));
    if (!file) return;
    event.preventDefault();
    attach(file);
  };

  const typed = (value: string) => {
    setText(value);
    if (edited) return;
    if (value) session.typed();
    else session.stopTyping();
  };

  return (
    <form className={css.composer} onSubmit={submit} autoComplete="off">
      {complaint && <p className={css.complaint} role="alert">{complaint}</p>}
      {picture && (
        <div className={css.draft}>
          <PictureView attachment={picture} />
          <IconButton
            size="small"
            icon="close"
            label={`Remove ${picture.name}`}
            onClick={() => setPicture(null)}
          />
        </div>
      )}
      {edited && <p className={css.editing}>Editing your message. <kbd>Esc</kbd> leaves it as it was.</p>}
      <div className={css.composerRow}>
        <input
          ref={files}
          type="file"
          accept="image/*"
          hidden
          onChange={(event) => {
            attach(event.target.files?.[0]);
            event.target.value = '';
          }}
        />
        <IconButton
          icon="picture"
          label="Attach a picture"
          disabled={edited !== null}
          onClick={() => files.current?.click()}
        />
        <input
          ref={input}
          className={css.text}
          aria-label={`Message to ${roomId}`}
          placeholder={`Message to #${roomId}`}
          enterKeyHint="send"
          maxLength={MAX_CHARS}
          value={text}
          onChange={(event) => typed(event.target.value)}
          onPaste={paste}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && edited) reset();
          }}
        />
        <Button
          type="submit"
          kind="primary"
          icon={edited ? 'check' : 'send'}
          disabled={!text.trim() && !picture}
        >
          {edited ? 'Save' : 'Send'}
        </Button>
      </div>
    </form>
  );
}
