// Icons, drawn on a grid of 24 with lines of 1.75.

const PATHS = {
  chat: 'M4 5h16v11h-8l-5 4v-4H4z',
  delivery: 'M12 21s-7-6.2-7-11.5a7 7 0 0 1 14 0C19 14.8 12 21 12 21z M12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  checkout: 'M3 6h18v12H3z M3 10h18 M6.5 14.5h4',
  products: 'M4 8l8-4 8 4v8l-8 4-8-4z M4 8l8 4 8-4 M12 12v8',
  vendor: 'M4 10v10h16V10 M3 10l2-6h14l2 6a3 3 0 0 1-6 0 3 3 0 0 1-6 0 3 3 0 0 1-6 0z M10 20v-5h4v5',
  operations: 'M4 20V4 M4 20h16 M8 16v-4 M12 16V8 M16 16v-6 M20 16V6',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4z M10 21h4',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M12 2v2 M12 20v2 M2 12h2 M20 12h2 M5 5l1.4 1.4 M17.6 17.6 19 19 M5 19l1.4-1.4 M17.6 6.4 19 5',
  moon: 'M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z',
  send: 'M4 12 20 4l-4 16-4.5-6.5z M11.5 13.5 20 4',
  picture: 'M4 5h16v14H4z M4 16l5-5 4 4 3-3 4 4 M15.5 9.5h.01',
  edit: 'M4 20h4L19 9l-4-4L4 16z M13 7l4 4',
  trash: 'M4 7h16 M9 7V4h6v3 M6 7l1 13h10l1-13 M10 11v5 M14 11v5',
  close: 'M6 6l12 12 M18 6 6 18',
  check: 'M4 12.5 9.5 18 20 7',
  checks: 'M1.5 12.5 7 18 17.5 7 M12 16.8 13.2 18 23 7.6',
  plug: 'M9 3v5 M15 3v5 M6 8h12v3a6 6 0 0 1-12 0z M12 17v4',
  unplug: 'M9 3v5 M15 3v5 M6 8h12v3a6 6 0 0 1-12 0z M12 17v4 M3 3l18 18',
  devices: 'M3 5h12v10H3z M6 19h6 M17 9h4v10h-4z',
  plus: 'M12 5v14 M5 12h14',
  down: 'M12 5v14 M6 13l6 6 6-6',
  retry: 'M20 12a8 8 0 1 1-2.5-5.8 M20 3v5h-5',
  sound: 'M4 9v6h4l5 4V5L8 9z M16.5 9a4 4 0 0 1 0 6 M19 6.5a8 8 0 0 1 0 11',
  muted: 'M4 9v6h4l5 4V5L8 9z M17 9.5l5 5 M22 9.5l-5 5',
  play: 'M7 4l13 8-13 8z',
  pause: 'M8 5v14 M16 5v14',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: what it means must be said in words beside it, or by the label of what it is in. */
export function Icon({ name, size = '1.125rem' }: { name: IconName; size?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
