// The header's word on the connections of the page that is shown.

import { inWords, useLinks, worst } from '../session/link';
import { LinkState } from '../ui/LinkState';
import css from './Shell.module.css';

export function LinkSummary() {
  const links = useLinks();
  const shown = worst(links);
  const each = links.map((link) => `${link.name}: ${inWords(link)}`).join('\n');
  // Its place is kept while there is nothing to say.
  return (
    <div className={css.link} title={each} role="status">
      {shown && <LinkState link={shown} />}
    </div>
  );
}
