// Where one user pays: requests payments, and takes their outcomes as they come.

import type { Socket } from 'socket.io-client';

import { api, reason } from '../../lib/http';
import { createStore } from '../../lib/store';
import { tokenOf, type User } from '../../session/users';
import {
  change, load, pendingOf, save, withOutcome, withPayment, withStep, type CardId, type Payment, type Payments,
} from './payments';

const PAY = '/api/payments/make-payment-with-socket';
/** How long the bank takes to decline. */
const DECLINE_AFTER_MS = 2_500;
/** From so long ago on, outcomes are looked for that went elsewhere. */
const LOOK_BACK_MS = 10 * 60_000;
const PAGES_MAX = 10;

interface Receipt {
  message: string;
  paymentId: string;
}

interface Page {
  notifications: { paymentId?: string; status?: 'succeeded' | 'failed'; createdAt: string }[];
  cursor: string;
  hasMore: boolean;
}

export interface TillState {
  payments: Payments;
  /** Whether the request is on its way. */
  isAsking: boolean;
  /** Why the last request failed, if it did. */
  error: string;
}

export class Till {
  readonly store;
  readonly #who: string;
  #timers: number[] = [];
  #hasBegun = false;

  constructor(readonly user: User | null, readonly backend: User | undefined) {
    this.#who = user?.userId ?? 'guest';
    this.store = createStore<TillState>({ payments: load(this.#who), isAsking: false, error: '' });
  }

  /** Begins, and goes on with what was begun before a reload. Returns what ends it. */
  begin(): () => void {
    const pending = this.#pending;
    if (pending && !this.#hasBegun) this.#note(pending.id, 'The page was loaded anew');
    if (pending) this.#askTheBank(pending);
    this.#hasBegun = true;
    return () => {
      this.#timers.forEach((timer) => clearTimeout(timer));
      this.#timers = [];
    };
  }

  async pay(amount: number, card: CardId, socketId: string): Promise<void> {
    this.store.set((now) => ({ ...now, isAsking: true, error: '' }));
    try {
      const as = this.user ? this.#signed(this.user) : undefined;
      const asked = api<Receipt>('POST', PAY, { as, body: { amount, socketId } });
      const { paymentId, message } = await asked;
      const payment: Payment = {
        id: paymentId, amount, card, at: Date.now(), socketId, outcome: null, doneAt: null,
        steps: [{ at: Date.now(), text: message }],
      };
      this.#set((payments) => withPayment(payments, payment));
      this.#askTheBank(payment);
    } catch (error) {
      this.store.set((now) => ({ ...now, error: reason(error) }));
    } finally {
      this.store.set((now) => ({ ...now, isAsking: false }));
    }
  }

  /** `payment-status`, which says of the payment that is waited for how it ended. */
  heard(isPaid: boolean): void {
    const pending = this.#pending;
    if (pending) this.#settle(pending.id, isPaid);
    // One of another device that is there no more, or one whose receipt was lost.
    else void this.#lookForOutcomes().catch(() => {});
  }

  /** The socket is connected. Resolves with how many outcomes had been missed. */
  async connected(socket: Socket): Promise<number> {
    const before = this.#pending;
    const isAnother = before !== undefined && before.socketId !== socket.id;
    if (!this.user) {
      if (isAnother) this.#change(before.id, (payment) => withOutcome(payment, 'lost'));
      return 0;
    }
    if (isAnother) this.#note(before.id, `Connected again, as another socket: ${socket.id}`);
    // Most outcomes come as events. One that another device was told of meanwhile does not.
    await this.#lookForOutcomes();
    return before && !this.#pending ? 1 : 0;
  }

  /** The socket is connected no more. */
  lost(): void {
    const pending = this.#pending;
    if (pending) this.#note(pending.id, 'The connection was lost');
  }

  get #pending(): Payment | undefined {
    return pendingOf(this.store.get().payments);
  }

  async #lookForOutcomes(): Promise<void> {
    if (!this.user) return;
    let since = new Date(Date.now() - LOOK_BACK_MS).toISOString();
    for (let n = 0; n < PAGES_MAX; n += 1) {
      const path = `/api/sync?since=${encodeURIComponent(since)}`;
      const page = await api<Page>('GET', path, { as: this.#signed(this.user) });
      for (const { paymentId, status, createdAt } of page.notifications) {
        if (paymentId && status) this.#learn(paymentId, status === 'succeeded', Date.parse(createdAt));
      }
      if (!page.hasMore) return;
      since = page.cursor;
    }
  }

  #learn(id: string, isPaid: boolean, at: number) {
    const known = this.store.get().payments.some((payment) => payment.id === id);
    if (known) return this.#settle(id, isPaid);
    const outcome = isPaid ? 'accepted' : 'declined';
    const elsewhere = { amount: null, card: null, socketId: null, steps: [] };
    return this.#set((payments) => withPayment(payments, { ...elsewhere, id, at, outcome, doneAt: at }));
  }

  #settle(id: string, isPaid: boolean) {
    this.#change(id, (payment) => withOutcome(payment, isPaid ? 'accepted' : 'declined'));
  }

  /**
   * The server's simulated gateway lets every payment succeed after a while. The card that is declined
   * is the shop's backend's affair: it reports the failure, as it would report what a provider says.
   */
  #askTheBank({ id, card }: Payment) {
    const { backend } = this;
    if (card !== 'bad' || !backend) return;
    const decline = async () => {
      const body = { status: 'failed' };
      await api('POST', `/api/payments/${id}/status`, { as: this.#signed(backend), body });
    };
    const timer = window.setTimeout(() => {
      // Without a network the gateway settles it.
      decline().catch((error) => this.#note(id, reason(error)));
    }, DECLINE_AFTER_MS);
    this.#timers.push(timer);
  }

  /** With the token as it is now. */
  #signed(user: User): User {
    return { ...user, token: tokenOf(user.userId) ?? user.token };
  }

  #note(id: string, text: string) {
    this.#change(id, (payment) => withStep(payment, text));
  }

  #change(id: string, next: (payment: Payment) => Payment) {
    this.#set((payments) => change(payments, id, next));
  }

  #set(next: (payments: Payments) => Payments) {
    this.store.set((now) => ({ ...now, payments: next(now.payments) }));
    save(this.#who, this.store.get().payments);
  }
}
