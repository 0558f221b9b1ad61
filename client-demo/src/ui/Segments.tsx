// One choice out of a few.

import { useId, type ReactNode } from 'react';

import css from './ui.module.css';

interface Props<T extends string> {
  /** What is chosen; stands before the choices. */
  legend: string;
  /** Whether the legend is only for screen readers. */
  hideLegend?: boolean;
  value: T;
  options: { value: T; label: ReactNode }[];
  onChange(value: T): void;
}

export function Segments<T extends string>({ legend, hideLegend, value, options, onChange }: Props<T>) {
  const name = useId();
  return (
    <fieldset className={css.segments}>
      <legend className={hideLegend ? 'unseen' : undefined}>{legend}</legend>
      <div className={css.segmentList}>
        {options.map((option) => (
          <label key={option.value} className={css.segment}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
