// What is around every page: the header, the navigation, and where the page goes.

import { Suspense, useEffect, useRef } from 'react';

import { PAGES, pageAt, type Page } from '../pages/registry';
import { useUsers } from '../session/users';
import { Icon } from '../ui/Icon';
import { Notice } from '../ui/Notice';
import { Broken } from './Broken';
import { LinkSummary } from './LinkSummary';
import { useRoute } from './route';
import css from './Shell.module.css';
import { choose, useTheme } from './theme';

export function Shell() {
  const page = pageAt(useRoute().page);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(page);

  useEffect(() => {
    if (!page) return;
    document.title = `${page.title} · Roomcast`;
    // A keyboard goes on in the page that was just opened, not in the link that opened it.
    if (shown.current !== page) main.current?.focus();
    shown.current = page;
  }, [page]);

  const skip = () => main.current?.focus();
  return (
    <div className={css.shell}>
      <button type="button" className={css.skip} onClick={skip}>Skip to the page</button>
      <header className={css.header}>
        <a className={css.brand} href="#/chat">
          <Mark />
          Roomcast
        </a>
        <Navigation page={page} />
        <LinkSummary />
        <ThemeToggle />
      </header>
      <main className={css.main} data-fills={page?.fills} ref={main} tabIndex={-1}>
        {page && <Body page={page} />}
      </main>
    </div>
  );
}

function Body({ page }: { page: Page }) {
  const { state } = useUsers();
  if (state === 'failed') {
    return (
      <Notice kind="bad" title="The sample users could not be loaded">
        The server does not answer, or was started without <code>--dev</code>.
      </Notice>
    );
  }
  return (
    <Broken key={page.id}>
      <Suspense fallback={<p className={css.loading}>Loading…</p>}>
        {state === 'ready' && <><page.Component /><Interactive /></>}
      </Suspense>
    </Broken>
  );
}

/** Marks the moment from which a page can be used, for whoever measures it. */
function Interactive() {
  useEffect(() => void performance.mark('interactive'), []);
  return null;
}

function Navigation({ page: shown }: { page: Page | undefined }) {
  return (
    <nav className={css.nav} aria-label="Pages">
      <ul>
        {PAGES.map(({ id, title, icon, preload }) => (
          <li key={id}>
            <a
              href={`#/${id}`}
              aria-current={id === shown?.id ? 'page' : undefined}
              onPointerEnter={preload}
              onFocus={preload}
            >
              <Icon name={icon} />
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function ThemeToggle() {
  const other = useTheme() === 'dark' ? 'light' : 'dark';
  const label = `Switch to the ${other} theme`;
  return (
    <button type="button" className={css.theme} onClick={() => choose(other)} aria-label={label} title={label}>
      <Icon name={other === 'dark' ? 'moon' : 'sun'} />
    </button>
  );
}

function Mark() {
  return (
    <svg className={css.mark} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" />
      <path d="M8 9.5h16v11H15.5L11 24.5v-4H8z" />
    </svg>
  );
}
