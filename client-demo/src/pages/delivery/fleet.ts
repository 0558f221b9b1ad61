// Where markers are drawn: on the way from where they were to where the driver was last reported.

import { between, distance, toPoint, type Point } from './city';
import type { Location } from './types';

/** A marker is as long on its way as the reports are apart, within these limits. */
const GLIDE_MS = { least: 200, first: 1_000, most: 3_000 };
/** Farther than this it jumps: the driver was not heard for a while. */
const JUMP_METRES = 300;
const TRAIL_POINTS = 9;

const wantsStillness = matchMedia('(prefers-reduced-motion: reduce)');

/** One driver's marker. */
export class Glide {
  #from: Point;
  #to: Point;
  #began: number;
  #duration = 0;
  heading: number;
  /** Where it has been, the oldest first. */
  trail: Point[] = [];

  constructor(location: Location, now: number) {
    this.#to = toPoint(location);
    this.#from = this.#to;
    this.#began = now;
    this.heading = location.heading ?? 0;
  }

  hear(location: Location, now: number): void {
    const at = this.at(now);
    const to = toPoint(location);
    const isJump = distance(at, to) > JUMP_METRES;
    const apart = this.#duration === 0 ? GLIDE_MS.first : now - this.#began;
    const glide = Math.min(Math.max(apart, GLIDE_MS.least), GLIDE_MS.most);
    this.#duration = isJump || wantsStillness.matches ? 0 : glide;
    this.trail = isJump ? [] : [...this.trail, at].slice(-TRAIL_POINTS);
    this.#from = isJump ? to : at;
    this.#to = to;
    this.#began = now;
    this.heading = location.heading ?? this.heading;
  }

  at(now: number): Point {
    if (!this.isMoving(now)) return this.#to;
    return between(this.#from, this.#to, (now - this.#began) / this.#duration);
  }

  isMoving(now: number): boolean {
    return now - this.#began < this.#duration;
  }
}

/** All markers of a map, drawn frame by frame while one of them moves. */
export class Fleet {
  readonly glides = new Map<string, Glide>();
  readonly #drawers = new Set<(now: number) => void>();
  #frame = 0;

  hear(location: Location): void {
    const now = performance.now();
    const glide = this.glides.get(location.driverId);
    if (glide) glide.hear(location, now);
    else this.glides.set(location.driverId, new Glide(location, now));
    this.#wake();
  }

  /** Calls this for every frame in which something moves; ends with what is returned. */
  onFrame(draw: (now: number) => void): () => void {
    this.#drawers.add(draw);
    this.#wake();
    return () => this.#drawers.delete(draw);
  }

  #wake() {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    const now = performance.now();
    this.#frame = 0;
    for (const draw of this.#drawers) draw(now);
    const moves = [...this.glides.values()].some((glide) => glide.isMoving(now));
    if (moves && this.#drawers.size > 0) this.#wake();
  }
}
