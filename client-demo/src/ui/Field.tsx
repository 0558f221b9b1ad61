// Inputs with their labels.

import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes } from 'react';

import css from './ui.module.css';

interface Labelled {
  label: string;
  hint?: ReactNode;
}

export function Field({ label, hint, className = '', ...rest }:
Labelled & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className={css.field}>
      <span>{label}</span>
      <input {...rest} className={`${css.input} ${className}`} />
      {hint && <small>{hint}</small>}
    </label>
  );
}

export function Select({ label, hint, className = '', children, ...rest }:
Labelled & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <label className={css.field}>
      <span>{label}</span>
      <select {...rest} className={`${css.input} ${className}`}>{children}</select>
      {hint && <small>{hint}</small>}
    </label>
  );
}
