// What is known of payments, and the steps by which that changes. Nothing here changes in place.

export type CardId = 'good' | 'bad';

export interface Card {
  id: CardId;
  number: string;
  about: string;
}

export const CARDS: readonly Card[] = [
  { id: 'good', number: '•••• 4242', about: 'The bank accepts' },
  { id: 'bad', number: '•••• 0002', about: 'The bank declines' },
];

/** `lost`: the result went to a guest's socket that is no more. */
export type Outcome = 'accepted' | 'declined' | 'lost';

/** Something that happened to a payment on the way. */
export interface Step {
  at: number;
  text: string;
}

export interface Payment {
  id: string;
  /** Null where it was made elsewhere: only its outcome is known here. */
  amount: number | null;
  card: CardId | null;
  /** When it was requested, in milliseconds since 1970. */
  at: number;
  /** The socket that waits for the outcome. */
  socketId: string | null;
  outcome: Outcome | null;
  doneAt: number | null;
  steps: readonly Step[];
}

/** The newest first. */
export type Payments = readonly Payment[];

/** As many are kept. */
const KEPT = 6;

export const pendingOf = (payments: Payments) => payments.find(({ outcome }) => outcome === null);

export const withPayment = (payments: Payments, payment: Payment): Payments =>
  [payment, ...payments].toSorted((a, b) => b.at - a.at).slice(0, KEPT);

export const change = (payments: Payments, id: string, next: (payment: Payment) => Payment): Payments =>
  payments.map((payment) => (payment.id === id ? next(payment) : payment));

export const withStep = (payment: Payment, text: string): Payment => ({
  ...payment,
  steps: [...payment.steps, { at: Date.now(), text }],
});

/** The first outcome stands. */
export const withOutcome = (payment: Payment, outcome: Outcome): Payment =>
  (payment.outcome ? payment : { ...payment, outcome, doneAt: Date.now() });

const key = (who: string) => `roomcast-payments:${who}`;

/** What this tab has kept over a reload. */
export function load(who: string): Payments {
  try {
    return JSON.parse(sessionStorage.getItem(key(who)) ?? '[]') as Payments;
  } catch {
    return [];
  }
}

export function save(who: string, payments: Payments): void {
  try {
    sessionStorage.setItem(key(who), JSON.stringify(payments));
  } catch {
    // They are kept until the page is left.
  }
}
