// Small texts: ids, times, numbers.

/** Random text; `crypto.randomUUID` is missing where the page comes over plain HTTP. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const NUMBER = new Intl.NumberFormat();

export const clock = (time: string | number | Date) => CLOCK.format(new Date(time));
export const day = (time: string | number | Date) => DAY.format(new Date(time));
export const number = (value: number) => NUMBER.format(value);

/** `1 message`, `2 messages`. */
export const count = (n: number, one: string, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** `Alice`, `Alice and Bob`, `Alice, Bob and Carol`. */
export function list(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
