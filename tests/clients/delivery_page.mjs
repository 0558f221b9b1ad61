// The demo's delivery page as a test sees it, and drivers' phones that do as they are told.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { tokensOf } from './demo_app.mjs';
import { ROOT } from './program.mjs';
import { request } from './server.mjs';

const REPORT_EVERY_MS = 300;
const ARRIVAL_LIMIT_MS = 10_000;
const METRES_PER_DEGREE = 111_320;

const city = JSON.parse(readFileSync(join(ROOT, 'client-demo/src/pages/delivery/city.json'), 'utf8'));

/** So that nobody waits half a minute to see a driver go offline. */
export const BRIEF = { ROOMCAST_TRACKING__TTL_MS: '1500' };

/** The delivery page as this user, connected; drivers move only if somebody else moves them. */
export async function delivery(open, t, url, user, { simulator = 'off', drivers = '', ...options } = {}) {
  const asked = new URLSearchParams({ as: user, simulator, drivers });
  const page = await open(t, `${url}/#/delivery?${asked}`, options);
  await state(panel(page, /’s map$/), 'Connected');
  return page;
}

export const panel = (page, name) => page.getByRole('region', { name });
export const state = (where, pattern) => where.locator('[data-phase]').filter({ hasText: pattern }).waitFor();
export const button = (where, name) => where.getByRole('button', { name });
/** Waits until a driver is listed so: `live`, `no signal`, `offline` or `never seen`. */
export const driver = (page, name, status) => panel(page, 'Drivers').getByRole('listitem')
  .filter({ has: page.getByText(name, { exact: true }) }).getByText(status, { exact: true }).waitFor();
export const marker = (where, id) => where.locator(`[data-driver="${id}"]`).first();

/** A driver's phone. */
class Phone {
  #timer;

  constructor(t, url, driverId, token) {
    Object.assign(this, { url, driverId, token });
    t.after(() => this.stop());
  }

  async report(position) {
    const answer = await request(this.url, 'POST', `/api/driver/${this.driverId}/location`, {
      as: this.token, body: position,
    });
    assert.equal(answer.status, 204, answer.text);
  }

  /** Reports this position again and again. */
  stand(position) {
    this.stop();
    const report = () => void this.report(position).catch(() => {});
    report();
    this.#timer = setInterval(report, REPORT_EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/** Phones of these drivers; they report when they are told to. */
export async function phones(t, url, ...ids) {
  const tokens = await tokensOf(url);
  return ids.map((id) => new Phone(t, url, id, tokens[id]));
}

/** Where a marker is drawn, as its attribute says it. */
export const placeOf = (where) => where.getAttribute('transform');

/** Where a position is on the map, in metres from its north-west corner. */
function onMap({ lat, lng }) {
  const { northWest } = city;
  const east = METRES_PER_DEGREE * Math.cos((northWest.lat * Math.PI) / 180);
  return [(lng - northWest.lng) * east, (northWest.lat - lat) * METRES_PER_DEGREE];
}

/** Waits until a marker is drawn where a driver has reported to be, to half a metre. */
export async function assertArrives(where, position) {
  await where.evaluate((element, [x, y, limitMs]) => new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`it is at ${element.getAttribute('transform')}`));
    const gaveUp = setTimeout(giveUp, limitMs);
    const look = () => {
      const [, left, top] = /([\d.-]+) ([\d.-]+)/.exec(element.getAttribute('transform') ?? '') ?? [];
      if (!(Math.hypot(left - x, top - y) < 0.5)) return requestAnimationFrame(look);
      clearTimeout(gaveUp);
      return resolve();
    };
    look();
  }), [...onMap(position), ARRIVAL_LIMIT_MS]);
}

/** From now on notes where a marker is drawn; resolves with what gives all places, once it stands still. */
export async function follow(where) {
  const noted = await where.evaluateHandle((element) => {
    const STILL_MS = 700;
    const places = [element.getAttribute('transform')];
    const done = new Promise((resolve) => {
      let changedAt = null;
      const look = () => {
        const now = element.getAttribute('transform');
        if (places.at(-1) !== now) {
          changedAt = performance.now();
          places.push(now);
        }
        if (changedAt !== null && performance.now() - changedAt > STILL_MS) resolve(places);
        else requestAnimationFrame(look);
      };
      look();
    });
    return { done };
  });
  return () => noted.evaluate(({ done }) => done);
}
