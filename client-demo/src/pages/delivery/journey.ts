// A way through the city that never ends: along streets, at each junction into another one.

import { bearing, between, distance, junction, JUNCTIONS, next, type Point } from './city';
import { randomFrom } from './random';

export class Journey {
  #from: string;
  #to: string;
  /** Metres from `#from`. */
  #gone = 0;
  readonly #random: () => number;

  /** The same seed takes the same turns. */
  constructor(start: string, seed: number) {
    this.#random = randomFrom(seed);
    this.#from = start;
    this.#to = this.#turn(start, start);
  }

  /** Where it starts that has no position yet: far from the others. */
  static startOf(n: number): string {
    // 17 has no factor in common with the number of junctions.
    return JUNCTIONS[(n * 17 + 9) % JUNCTIONS.length] ?? 'A1';
  }

  get #length(): number {
    return distance(junction(this.#from), junction(this.#to));
  }

  get point(): Point {
    return between(junction(this.#from), junction(this.#to), this.#gone / this.#length);
  }

  get heading(): number {
    return bearing(junction(this.#from), junction(this.#to));
  }

  advance(metres: number): void {
    this.#gone += metres;
    while (this.#gone >= this.#length) {
      this.#gone -= this.#length;
      const at = this.#to;
      this.#to = this.#turn(at, this.#from);
      this.#from = at;
    }
  }

  /** The next junction: any but the one that was just left. */
  #turn(at: string, from: string): string {
    const ways = next(at).filter((name) => name !== from);
    return ways[Math.floor(this.#random() * ways.length)] ?? from;
  }
}
