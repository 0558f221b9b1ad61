// Houses for the city's blocks and trees for its parks, so that the map looks like one.

import { BLOCKS, between, distance, line, PARKS, type Point } from './city';
import { randomFrom } from './random';

/** From the middle of the street to the first wall, in metres. */
const SETBACK = 17;
const HOUSE = 52;
const SMALLEST = 9;
/** The share of the places that stay yards. */
const YARDS = 0.16;

/** All houses as one SVG path. */
export function buildings(): string {
  const random = randomFrom(7);
  return BLOCKS.flatMap((block) => houses(block, random)).join('');
}

/** Metres between trees, and how far they are from the street. */
const TREES = { apart: 36, setback: 26 };

/** All trees as one SVG path, of lines without a length that round ends make dots. */
export function trees(): string {
  const random = randomFrom(11);
  return PARKS.flatMap(({ corners }) => {
    const [left, right] = range(corners.map(([x]) => x));
    const [top, bottom] = range(corners.map(([, y]) => y));
    const found: string[] = [];
    for (let y = top; y < bottom; y += TREES.apart) {
      for (let x = left; x < right; x += TREES.apart) {
        const at: Point = [Math.round(x + 20 * random()), Math.round(y + 20 * random())];
        if (random() < 0.55) found.push(`M${at.join(' ')}h0`);
      }
    }
    return found;
  }).join('');
}

const range = (values: readonly number[]): [number, number] => [
  Math.min(...values) + TREES.setback,
  Math.max(...values) - TREES.setback - 20,
];

function houses(block: readonly Point[], random: () => number): string[] {
  const [a = [0, 0], b = a, c = b, d = c] = block.map((corner) => inward(corner, block));
  const across = Math.max(1, Math.round(Math.max(distance(a, b), distance(d, c)) / HOUSE));
  const down = Math.max(1, Math.round(Math.max(distance(a, d), distance(b, c)) / HOUSE));
  const at = (u: number, v: number) => between(between(a, b, u), between(d, c, u), v);
  const found: string[] = [];
  for (let row = 0; row < down; row += 1) {
    for (let column = 0; column < across; column += 1) {
      const [left, right] = [(column + 0.06) / across, (column + 0.94 - 0.2 * random()) / across];
      const [top, bottom] = [(row + 0.06) / down, (row + 0.94 - 0.2 * random()) / down];
      const corners = [at(left, top), at(right, top), at(right, bottom), at(left, bottom)];
      const isYard = random() < YARDS || (row > 0 && row < down - 1 && random() < 0.5);
      if (!isYard && isWide(corners)) found.push(`${line(corners.map(rounded))}Z`);
    }
  }
  return found;
}

/** The corner of a block, moved away from its two streets. */
function inward(corner: Point, block: readonly Point[]): Point {
  const sum = block.reduce<Point>(([x, y], point) => [x + point[0], y + point[1]], [0, 0]);
  const middle: Point = [sum[0] / block.length, sum[1] / block.length];
  return between(corner, middle, (SETBACK * Math.SQRT2) / distance(corner, middle));
}

function isWide(corners: readonly Point[]): boolean {
  const after = (n: number) => corners[(n + 1) % corners.length];
  return corners.every((corner, n) => distance(corner, after(n) ?? corner) > SMALLEST);
}

const rounded = ([x, y]: Point): Point => [Math.round(x), Math.round(y)];
