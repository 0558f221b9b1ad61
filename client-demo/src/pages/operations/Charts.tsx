// All charts, which are pointed at together.

import { useState } from 'react';

import { Panel } from '../../ui/Panel';
import { Chart } from './Chart';
import type { Moment } from './figures';
import { amount, second } from './format';
import css from './Operations.module.css';
import { CHARTS, type ChartSpec } from './series';

interface Props {
  moments: readonly Moment[];
  isStale: boolean;
}

export function Charts({ moments, isStale }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const shown = (pointed === null ? undefined : moments[pointed]) ?? moments.at(-1);
  const at = pointed !== null && shown ? second(shown.at) : null;
  return (
    <div className={css.charts} data-stale={isStale || undefined}>
      {CHARTS.map((spec) => {
        const { title } = spec;
        const when = <span className={css.at}>{at}</span>;
        return (
          <Panel key={title} title={title} actions={when} className={css.figure}>
            <Legend spec={spec} shown={shown} />
            <Chart spec={spec} moments={moments} onPoint={setPointed} />
          </Panel>
        );
      })}
    </div>
  );
}

function Legend({ spec, shown }: { spec: ChartSpec; shown: Moment | undefined }) {
  return (
    <dl className={css.legend}>
      {spec.series.map(({ name, color, dash, of }) => (
        <div key={name}>
          <dt>
            <svg width="18" height="4" viewBox="0 0 18 4" aria-hidden="true">
              <path d="M0 2h18" stroke={`var(${color})`} strokeWidth="3" strokeDasharray={dash?.join(' ')} />
            </svg>
            {name}
          </dt>
          <dd>{amount(shown ? of(shown) : null, spec.unit)}</dd>
        </div>
      ))}
    </dl>
  );
}
