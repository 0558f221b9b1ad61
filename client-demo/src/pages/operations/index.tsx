// Operations: what the server tells of itself every 5 seconds.

import { useUsersWith } from '../../session/users';
import { CutButton, LinkState } from '../../ui/LinkState';
import { PageHead } from '../../ui/Panel';
import { Stat } from '../../ui/Small';
import { Charts } from './Charts';
import type { Figures } from './figures';
import { FiguresTable } from './FiguresTable';
import { amount, bytes, duration, NOTHING } from './format';
import { LoadPanel } from './LoadPanel';
import css from './Operations.module.css';
import { useFigures, type Live } from './useFigures';

export default function Operations() {
  const people = useUsersWith();
  const live = useFigures(people[0] ?? null);
  const { stream, isStale, moments, latest } = live;
  const actions = (
    <>
      <Age live={live} />
      <LinkState link={stream.link} />
      <CutButton {...stream} />
    </>
  );
  return (
    <>
      <PageHead title="Operations" actions={actions}>
        The server publishes its own figures on the channel <code>dashboard:metrics</code>; this page reads
        its event stream. Prometheus has them all at <code>/metrics</code>.
      </PageHead>
      <div className={css.page}>
        <LoadPanel users={people} />
        <Summary figures={latest} isStale={isStale} />
        <Charts moments={moments} isStale={isStale} />
        <FiguresTable moments={moments} />
      </div>
    </>
  );
}

/** How old the figures are. The seconds are for the eye; that they are stale is read out, once. */
function Age({ live }: { live: Live }) {
  const { isStale } = live;
  const text = inWords(live);
  return (
    <>
      <span className={css.age} data-stale={isStale || undefined} aria-hidden="true">
        {text}
      </span>
      <span className="unseen" role="status">{isStale && 'The figures are stale'}</span>
    </>
  );
}

function inWords({ moments, isStale, ageSeconds }: Live): string {
  if (moments.length === 0) return 'Waiting for figures';
  if (ageSeconds === null) return 'Of your last visit';
  return isStale ? `Stale: ${duration(ageSeconds)} old` : `Updated ${duration(ageSeconds)} ago`;
}

function Summary({ figures, isStale }: { figures: Figures | null; isStale: boolean }) {
  const stats: [string, string][] = [
    ['Uptime', figures ? duration(figures.uptimeSeconds) : NOTHING],
    ['Stored per second', amount(figures?.appendsPerSecond, 'rate')],
    ['Commit, p99', amount(figures?.appendMs?.p99, 'ms')],
    ['HTTP answer, p99', amount(figures?.requestMs?.p99, 'ms')],
    ['Events waiting', amount(figures?.queuedEvents, 'count')],
    ['To be written', bytes(figures?.pendingBytes)],
    ['Dropped in all', amount(figures?.dropsTotal, 'count')],
    ['Store errors', amount(figures?.errorsTotal, 'count')],
  ];
  return (
    <dl className={css.summary} data-stale={isStale || undefined}>
      {stats.map(([name, value]) => <Stat key={name} name={name}>{value}</Stat>)}
    </dl>
  );
}
