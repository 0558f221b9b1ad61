// Badges, faces, dots, figures.

import type { CSSProperties, ReactNode } from 'react';

import css from './ui.module.css';

interface BadgeProps {
  kind?: 'plain' | 'accent' | 'good' | 'warn' | 'bad' | 'info';
  children: ReactNode;
  /** What a screen reader says instead of the content. */
  label?: string;
}

export function Badge({ kind, children, label }: BadgeProps) {
  return (
    <span className={css.badge} data-kind={kind}>
      {label ? <span aria-hidden="true">{children}</span> : children}
      {label && <span className="unseen">{label}</span>}
    </span>
  );
}

export type Status = 'online' | 'away' | 'busy' | 'offline';

/** Decoration: the status must be said in words beside it. */
export function Dot({ status }: { status: Status }) {
  return <span className={css.dot} data-status={status} aria-hidden="true" />;
}

const HUES = 6;

/** The colour of this id, always the same: `var(--c1)` to `var(--c6)`. */
export function hue(id: string): string {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  return `var(--c${(sum % HUES) + 1})`;
}

interface AvatarProps {
  id: string;
  name: string;
  size?: 'normal' | 'small';
  /** Shown as a dot on the face. */
  status?: Status;
}

/** A face made of a name's first letter. Decoration: the name must stand beside it. */
export function Avatar({ id, name, size, status }: AvatarProps) {
  const style = { '--hue': hue(id) } as CSSProperties;
  return (
    <span className={css.avatar} data-size={size} style={style} aria-hidden="true">
      {name.slice(0, 1).toUpperCase()}
      {status && <Dot status={status} />}
    </span>
  );
}

/** A figure with its name; stands in a `<dl>`. */
export function Stat({ name, children, note }: { name: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div className={css.stat}>
      <dt>{name}</dt>
      <dd>
        {children}
        {note && <small> {note}</small>}
      </dd>
    </div>
  );
}
