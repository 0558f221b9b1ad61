// Keeps the end of a conversation in view, unless somebody has scrolled away from it.

import { useCallback, useLayoutEffect, useRef, useState } from 'react';

import type { RoomState } from './state';

/** So near to the end one is at it. */
const NEAR_PX = 80;

export function useScroll(room: RoomState | undefined) {
  const element = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const isPinned = useRef(true);
  /** Where it was at the last look. */
  const lastTop = useRef(0);
  /** The first message, and how far its list was from the end. */
  const before = useRef<{ first: string | undefined; fromEnd: number }>({ first: undefined, fromEnd: 0 });

  const toEnd = useCallback(() => {
    isPinned.current = true;
    setAtEnd(true);
    const { current } = element;
    if (current) current.scrollTop = current.scrollHeight;
  }, []);

  const ref = useCallback((made: HTMLDivElement | null) => {
    element.current = made;
    if (!made) return undefined;
    const look = () => {
      const fromEnd = made.scrollHeight - made.scrollTop;
      before.current.fromEnd = fromEnd;
      const isNear = fromEnd - made.clientHeight < NEAR_PX;
      // Only who scrolls up leaves the end; a list that has grown since is followed.
      if (isNear || made.scrollTop < lastTop.current) isPinned.current = isNear;
      lastTop.current = made.scrollTop;
      setAtEnd(isPinned.current);
    };
    // The window, the keyboard of a phone, or what is below change its height; its width, that of texts.
    const resized = new ResizeObserver(() => {
      if (isPinned.current) made.scrollTop = made.scrollHeight;
    });
    made.addEventListener('scroll', look, { passive: true });
    for (const part of [made, ...made.children]) resized.observe(part);
    return () => {
      made.removeEventListener('scroll', look);
      resized.disconnect();
    };
  }, []);

  const first = room?.log.messages[0]?.id;
  const last = room?.log.messages.at(-1);
  const waiting = room?.outbox.length;
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const grewAbove = before.current.first !== undefined && before.current.first !== first;
    if (isPinned.current) current.scrollTop = current.scrollHeight;
    else if (grewAbove) current.scrollTop = current.scrollHeight - before.current.fromEnd;
    before.current = { first, fromEnd: current.scrollHeight - current.scrollTop };
  }, [first, last, waiting]);

  return { ref, isAtEnd, toEnd };
}
