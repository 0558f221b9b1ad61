// What a person must not overlook.

import type { ReactNode } from 'react';

import css from './ui.module.css';

interface Props {
  kind?: 'info' | 'good' | 'warn' | 'bad';
  title?: string;
  children?: ReactNode;
}

/** Read out when it appears. */
export function Notice({ kind = 'info', title, children }: Props) {
  return (
    <div className={css.notice} data-kind={kind} role={kind === 'bad' ? 'alert' : 'status'}>
      {title && <strong>{title}</strong>}
      {children}
    </div>
  );
}

/** Where there is nothing yet. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className={css.empty}>{children}</p>;
}
