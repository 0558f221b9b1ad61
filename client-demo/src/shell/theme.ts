// Light or dark: as the system prefers until somebody chooses here, then as they chose.

import { createStore, useStore } from '../lib/store';

export type Theme = 'light' | 'dark';

const KEY = 'roomcast-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;
const store = createStore<Theme>(root.dataset.theme === 'dark' ? 'dark' : 'light');

function chosen(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function show(theme: Theme) {
  root.dataset.theme = theme;
  store.set(theme);
}

dark.addEventListener('change', () => {
  if (!chosen()) show(dark.matches ? 'dark' : 'light');
});

export function choose(theme: Theme): void {
  show(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is left.
  }
}

/** The theme that is shown; canvases draw anew when it changes. */
export const useTheme = (): Theme => useStore(store);
