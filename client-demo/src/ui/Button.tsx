// Buttons.

import type { ButtonHTMLAttributes } from 'react';

import { Icon, type IconName } from './Icon';
import css from './ui.module.css';

interface Look {
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  size?: 'normal' | 'small';
  icon?: IconName;
}

type Native = ButtonHTMLAttributes<HTMLButtonElement>;

export function Button({ kind, size, icon, children, className = '', ...rest }: Look & Native) {
  return (
    <button type="button" {...rest} className={`${css.button} ${className}`} data-kind={kind} data-size={size}>
      {icon && <Icon name={icon} size="1rem" />}
      {children}
    </button>
  );
}

/** Only a picture to see; the label is what it is called. */
export function IconButton({ label, icon, kind = 'quiet', size, className = '', ...rest }:
Look & Native & { label: string; icon: IconName }) {
  return (
    <button
      type="button"
      {...rest}
      className={`${css.button} ${className}`}
      data-kind={kind}
      data-size={size}
      data-icon-only
      aria-label={label}
      title={label}
    >
      <Icon name={icon} size={size === 'small' ? '0.95rem' : undefined} />
    </button>
  );
}
