// The sound of an order. Off until somebody wants it, since a page that rings unasked is a nuisance.

import { useEffect } from 'react';

import { kept } from '../../lib/kept';
import { createStore, useStore } from '../../lib/store';

/** `waiting`: wanted since an earlier visit, but browsers let a page ring only after a click or a key. */
export type Sound = 'off' | 'waiting' | 'on';

/** Of a chime: what is heard when, in seconds. */
const NOTES = [
  { hertz: 880, from: 0 },
  { hertz: 1_318.5, from: 0.13 },
];
const NOTE_S = 0.45;
const VOLUME = 0.16;
/** Many orders at once ring once. */
const APART_MS = 250;
/** Marks what switches the sound. */
export const SWITCH = 'data-sound';
const GESTURES = ['pointerdown', 'keydown'] as const;

const memory = kept('order-sound', (value): value is boolean => typeof value === 'boolean');
const store = createStore<Sound>('off');
let audio: AudioContext | null = null;
let rangAt = -Infinity;

/** Resolves once the browser lets it ring, which may be never. */
async function open(): Promise<void> {
  audio ??= new AudioContext();
  await audio.resume();
  // Meanwhile somebody may have thought better of it.
  if (memory.read() !== false) store.set('on');
}

/** Rings, where sound is on. */
export function ring(): void {
  if (store.get() !== 'on' || !audio || performance.now() - rangAt < APART_MS) return;
  rangAt = performance.now();
  const { currentTime: now, destination } = audio;
  for (const { hertz, from } of NOTES) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, now + from);
    volume.gain.linearRampToValueAtTime(VOLUME, now + from + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, now + from + NOTE_S);
    tone.connect(volume).connect(destination);
    tone.start(now + from);
    tone.stop(now + from + NOTE_S);
  }
}

/** Switches the sound on or off, and remembers it. */
export function toggle(): void {
  const wanted = store.get() !== 'on';
  memory.write(wanted);
  if (wanted) void open().then(ring);
  else store.set('off');
}

/** Whether orders are heard. */
export function useSound(): Sound {
  useEffect(() => {
    if (store.get() !== 'off' || !memory.read()) return undefined;
    if (navigator.userActivation?.hasBeenActive) {
      void open();
      return undefined;
    }
    store.set('waiting');
    const begin = ({ target }: Event) => {
      // Who clicks the switch means the switch.
      if (target instanceof Element && target.closest(`[${SWITCH}]`)) return;
      void open().then(end);
    };
    const end = () => GESTURES.forEach((gesture) => removeEventListener(gesture, begin));
    GESTURES.forEach((gesture) => addEventListener(gesture, begin));
    return () => {
      end();
      if (store.get() === 'waiting') store.set('off');
    };
  }, []);
  return useStore(store);
}
