// The figures of the charts as a table.

import type { Moment } from './figures';
import { amount, second } from './format';
import css from './Operations.module.css';
import { CHARTS } from './series';

const COLUMNS = CHARTS.flatMap(({ unit, series }) => series.map(({ column, of }) => ({ column, unit, of })));

export function FiguresTable({ moments }: { moments: readonly Moment[] }) {
  const rows = moments.filter(({ figures }) => figures).toReversed();
  return (
    <details className={css.details}>
      <summary>The same figures as a table</summary>
      <div className={css.tableBox} tabIndex={0} role="region" aria-label="Table of figures">
        <table className={css.table}>
          <caption className="unseen">What the server did, the newest first, a row each 5 seconds</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {COLUMNS.map(({ column }) => <th key={column} scope="col">{column}</th>)}
            </tr>
          </thead>
          <tbody>
            {rows.map((moment) => (
              <tr key={moment.at}>
                <th scope="row">{second(moment.at)}</th>
                {COLUMNS.map(({ column, unit, of }) => <td key={column}>{amount(of(moment), unit)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
