// The pages: each folder beside this file with a `meta.ts` and an `index.tsx`.

import { lazy, type ComponentType } from 'react';

import type { IconName } from '../ui/Icon';

export interface PageMeta {
  /** As the navigation says it. */
  title: string;
  icon: IconName;
  /** Its place in the navigation. */
  order: number;
  /** Whether the page is exactly as high as the window and scrolls in parts; else the window scrolls. */
  fills?: boolean;
}

export interface Page extends PageMeta {
  /** The folder's name, which its address has. */
  id: string;
  Component: ComponentType;
  /** Fetches its code ahead of time. */
  preload(): void;
}

type Module = { default: ComponentType };

const metas = import.meta.glob<PageMeta>('./*/meta.ts', { eager: true, import: 'default' });
const modules = import.meta.glob<Module>('./*/index.tsx');

function page([path, meta]: [string, PageMeta]): Page {
  const id = path.split('/')[1] ?? '';
  const load = modules[`./${id}/index.tsx`];
  if (!load) throw new Error(`the page ${id} has no index.tsx`);
  return { ...meta, id, Component: lazy(load), preload: () => void load() };
}

/** All of them, in the order of the navigation. */
export const PAGES: Page[] = Object.entries(metas).map(page).toSorted((a, b) => a.order - b.order);

/** The page with this id, else the first one. */
export const pageAt = (id: string): Page | undefined => PAGES.find((one) => one.id === id) ?? PAGES[0];
