// Panels, and the head of a page.

import { useId, type ReactNode } from 'react';

import css from './ui.module.css';

interface HeadProps {
  title: string;
  /** What the page shows, in a sentence or two. */
  children?: ReactNode;
  actions?: ReactNode;
}

/** The page's only `h1`. */
export function PageHead({ title, children, actions }: HeadProps) {
  return (
    <div className={css.pageHead}>
      <div className={css.pageTitles}>
        <h1>{title}</h1>
        {children && <p>{children}</p>}
      </div>
      {actions && <div className={css.pageActions}>{actions}</div>}
    </div>
  );
}

interface PanelProps {
  title: string;
  /** Stands on the right of the title. */
  actions?: ReactNode;
  /** Whether the content goes up to the edge. */
  flush?: boolean;
  className?: string;
  children: ReactNode;
}

/** A card with a heading, which is a region of the page. */
export function Panel({ title, actions, flush, className = '', children }: PanelProps) {
  const id = useId();
  return (
    <section className={`${css.panel} ${className}`} aria-labelledby={id}>
      <div className={css.panelHead}>
        <h2 id={id}>{title}</h2>
        {actions}
      </div>
      <div className={css.panelBody} data-flush={flush || undefined}>{children}</div>
    </section>
  );
}
