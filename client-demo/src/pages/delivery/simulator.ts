// A small simulator in the browser: phones of drivers that report over HTTP where they are, as
// `roomcast simulate drivers` does from a shell.

import { api, Refusal } from '../../lib/http';
import { createStore } from '../../lib/store';
import { renewToken, tokenOf, type User } from '../../session/users';
import { nearestJunction, toCoordinates, toPoint, type Coordinates } from './city';
import { Journey } from './journey';

const REPORT_EVERY_MS = 1_000;
/** In metres a second: the first driver's, and by how much each further one is faster. */
const SPEED = 11;
const FASTER = 1.3;
/** What a phone without a network keeps; the oldest goes first. */
const UNSENT_MAX = 300;
/** The last driver loses the network after so long, and for so long. */
const SILENT_AFTER_MS = 20_000;
const SILENT_FOR_MS = 60_000;

interface Report extends Coordinates {
  heading: number;
  speed: number;
  /** Milliseconds since 1970; what watchers get as `timestamp`. */
  recordedAt: number;
}

/** As exact as a phone is: a tenth of a metre. */
const DEGREES = 6;

const rounded = (value: number, decimals: number) => Number(value.toFixed(decimals));

/** One driver's phone. */
class Phone {
  hasNetwork = true;
  readonly #journey: Journey;
  readonly #speed: number;
  #unsent: Report[] = [];
  #isSending = false;

  constructor(
    readonly user: User,
    n: number,
    known: Coordinates | undefined,
    /** The times of all reports, by which the page knows them. */
    readonly sent: Set<number>,
  ) {
    const start = known ? nearestJunction(toPoint(known)) : Journey.startOf(n);
    this.#journey = new Journey(start, n + 1);
    this.#speed = SPEED + FASTER * n;
  }

  /** Drives on, and reports all that has not been reported yet. */
  async goOn(seconds: number): Promise<void> {
    this.#journey.advance(this.#speed * seconds);
    const { lat, lng } = toCoordinates(this.#journey.point);
    this.#unsent.push({
      lat: rounded(lat, DEGREES),
      lng: rounded(lng, DEGREES),
      heading: rounded(this.#journey.heading, 0),
      speed: rounded(this.#speed, 1),
      recordedAt: Date.now(),
    });
    this.#unsent = this.#unsent.slice(-UNSENT_MAX);
    if (!this.hasNetwork || this.#isSending) return;
    this.#isSending = true;
    await this.#send(this.#unsent).finally(() => {
      this.#isSending = false;
    });
  }

  async #send(reports: readonly Report[]): Promise<void> {
    const { userId } = this.user;
    reports.forEach(({ recordedAt }) => this.sent.add(recordedAt));
    try {
      const as = { ...this.user, token: tokenOf(userId) ?? '' };
      const body = reports.length === 1 ? reports[0] : reports;
      await api('POST', `/api/driver/${userId}/location`, { as, body });
    } catch (error) {
      if (!(error instanceof Refusal)) return;
      if (error.status === 401) await renewToken(userId);
      // Somebody has reported a newer one; ours are of no more use.
      if (error.code !== 'position_stale') return;
    }
    this.#unsent = this.#unsent.filter((report) => !reports.includes(report));
  }
}

export interface SimulatorState {
  isRunning: boolean;
  /** The drivers whose phones have no network now. */
  silent: readonly string[];
}

export class Simulator {
  readonly state = createStore<SimulatorState>({ isRunning: false, silent: [] });
  #phones: Phone[] = [];
  #timers: number[] = [];
  #at = 0;
  readonly #sent = new Set<number>();

  /** Takes over from where the drivers are known to be. */
  start(drivers: readonly User[], positions: ReadonlyMap<string, Coordinates>): void {
    this.stop();
    this.#phones = drivers.map((user, n) => new Phone(user, n, positions.get(user.userId), this.#sent));
    this.#at = performance.now();
    this.#timers = [
      window.setInterval(() => this.#tick(), REPORT_EVERY_MS),
      window.setTimeout(() => this.#loseTheLast(), SILENT_AFTER_MS),
    ];
    this.#tick();
    this.#tell();
  }

  stop(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers = [];
    this.#phones = [];
    this.#tell();
  }

  /** Takes a phone its network, or gives it back. */
  setNetwork(driverId: string, hasNetwork: boolean): void {
    const phone = this.#phones.find(({ user }) => user.userId === driverId);
    if (phone) phone.hasNetwork = hasNetwork;
    this.#tell();
  }

  /** Whether a position of this time is one that was reported here. */
  isOwn(timestamp: number): boolean {
    return this.#sent.has(timestamp);
  }

  #tick() {
    const now = performance.now();
    const seconds = (now - this.#at) / 1_000;
    this.#at = now;
    for (const phone of this.#phones) void phone.goOn(seconds);
  }

  #loseTheLast() {
    const last = this.#phones.at(-1)?.user.userId;
    if (last === undefined) return;
    this.setNetwork(last, false);
    this.#timers.push(window.setTimeout(() => this.setNetwork(last, true), SILENT_FOR_MS));
  }

  #tell() {
    const silent = this.#phones.filter(({ hasNetwork }) => !hasNetwork).map(({ user }) => user.userId);
    this.state.set({ isRunning: this.#phones.length > 0, silent });
  }
}
