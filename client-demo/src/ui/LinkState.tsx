// The state of a connection, and the buttons that cut and restore it.

import { inWords, type Link } from '../session/link';
import { Button } from './Button';
import css from './ui.module.css';

/** In the header it is read out when it changes, so it need not be in pages. */
export function LinkState({ link }: { link: Link }) {
  // What comes after a comma can be left out where there is no space.
  const [state, ...details] = inWords(link).split(/(?=, )/);
  return (
    <span className={css.linkState} data-phase={link.phase} title={origin(link)}>
      <span>{state}{details.length > 0 && <span data-detail>{details}</span>}</span>
    </span>
  );
}

/** Where what was missed came from. */
function origin({ phase, missed, sameSession }: Link): string | undefined {
  if (phase !== 'connected' || missed === null) return undefined;
  return sameSession ? 'The same session as before' : 'A new session, which has caught up';
}

interface Cuttable {
  link: Link;
  cut(): void;
  restore(): void;
}

/** Cuts the connection as a dead network would, and restores it. Takes what the hooks give. */
export function CutButton({ link, cut, restore, size }: Cuttable & { size?: 'normal' | 'small' }) {
  const isCut = link.phase === 'offline' || link.phase === 'refused';
  return (
    <Button size={size} icon={isCut ? 'plug' : 'unplug'} onClick={isCut ? restore : cut}>
      <span>{isCut ? 'Reconnect' : <>Cut<span className={css.wide}> connection</span></>}</span>
    </Button>
  );
}
