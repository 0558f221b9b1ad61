// What has changed is lit for a moment.

import { useEffect, useRef } from 'react';

const LIT_MS = 900;
const wantsStillness = matchMedia('(prefers-reduced-motion: reduce)');

/** Goes to the element, which is lit whenever the value changes that was known before. */
export function useFlash(value: number | null) {
  const element = useRef<HTMLOutputElement>(null);
  const before = useRef(value);
  useEffect(() => {
    const wasKnown = before.current !== null;
    const isSame = before.current === value;
    before.current = value;
    if (isSame || !wasKnown || wantsStillness.matches) return;
    const fade = [{ background: 'var(--flash)' }, { background: 'transparent' }];
    element.current?.animate(fade, { duration: LIT_MS, easing: 'ease-out' });
  }, [value]);
  return element;
}
