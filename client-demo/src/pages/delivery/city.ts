// The invented city that drivers are in: its streets, and where a point of it is on the globe.
// `roomcast simulate drivers` reads the same file.

import city from './city.json';

/** Metres east and south of the city's north-west corner. */
export type Point = readonly [x: number, y: number];

export interface Coordinates {
  lat: number;
  lng: number;
}

export const [WIDTH, HEIGHT] = city.size as [number, number];
/** What is nearer to the edge of the map than this, in metres, is the last of the city. */
const EDGE = 80;
const METRES_PER_DEGREE = 111_320;
/** A degree of longitude is shorter the farther one is from the equator. */
const METRES_PER_DEGREE_EAST = METRES_PER_DEGREE * Math.cos((city.northWest.lat * Math.PI) / 180);

export function toPoint({ lat, lng }: Coordinates): Point {
  return [
    (lng - city.northWest.lng) * METRES_PER_DEGREE_EAST,
    (city.northWest.lat - lat) * METRES_PER_DEGREE,
  ];
}

export function toCoordinates([x, y]: Point): Coordinates {
  return {
    lat: city.northWest.lat - y / METRES_PER_DEGREE,
    lng: city.northWest.lng + x / METRES_PER_DEGREE_EAST,
  };
}

export const distance = (a: Point, b: Point) => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** Degrees clockwise from north. */
export function bearing(from: Point, to: Point): number {
  const degrees = (Math.atan2(to[0] - from[0], from[1] - to[1]) * 180) / Math.PI;
  return (degrees + 360) % 360;
}

/** What is so far from `from` on the straight way to `to`, as a share of it. */
export const between = (from: Point, to: Point, share: number): Point => [
  from[0] + (to[0] - from[0]) * share,
  from[1] + (to[1] - from[1]) * share,
];

const points = new Map(Object.entries(city.junctions as unknown as Record<string, Point>));

/** Their names, in the order of the file. */
export const JUNCTIONS: readonly string[] = [...points.keys()];

export function junction(name: string): Point {
  const point = points.get(name);
  if (!point) throw new Error(`the city has no junction ${name}`);
  return point;
}

function connect(): Map<string, string[]> {
  const next = new Map(JUNCTIONS.map((name): [string, string[]] => [name, []]));
  for (const { path } of city.streets) {
    path.slice(1).forEach((to, n) => {
      const from = path[n] ?? to;
      next.get(from)?.push(to);
      next.get(to)?.push(from);
    });
  }
  return next;
}

const neighbours = connect();

/** The junctions that are one street away. */
export const next = (name: string): readonly string[] => neighbours.get(name) ?? [];

export function nearestJunction(to: Point): string {
  const by = (name: string) => distance(junction(name), to);
  return JUNCTIONS.reduce((best, name) => (by(name) < by(best) ? name : best));
}

/** A line through these points, for an SVG path. */
export const line = (path: readonly Point[]) => `M${path.map((point) => point.join(' ')).join('L')}`;

const area = (corners: readonly string[]) => `${line(corners.map(junction))}Z`;

export interface Street {
  name: string;
  kind: string;
  /** For an SVG path. */
  path: string;
}

export const STREETS: readonly Street[] = city.streets.map(({ name, kind, path }) => {
  // Names are written along the street; upright ones read from below, as in an atlas.
  const points = path.map(junction);
  return { name, kind, path: line(kind === 'main' && isUpright(points) ? points.toReversed() : points) };
});

function isUpright(path: readonly Point[]): boolean {
  const [from = [0, 0], to = [0, 0]] = [path[0], path.at(-1)];
  return Math.abs(to[1] - from[1]) > 2 * Math.abs(to[0] - from[0]);
}

/** Where a street ends at the edge of the city it goes on into the country. */
export const WAYS_OUT: string = city.streets
  .flatMap(({ path }) => [path, path.toReversed()])
  .map(([end = '', before = '']) => [junction(before), junction(end)] as const)
  .filter(([, end]) => isAtEdge(end))
  .map(([before, end]) => line([end, between(before, end, 1 + (2 * EDGE) / distance(before, end))]))
  .join('');

function isAtEdge([x, y]: Point): boolean {
  return Math.min(x, y, WIDTH - x, HEIGHT - y) < EDGE;
}

export const PARKS = city.parks.map(({ corners }) => ({
  path: area(corners),
  corners: corners.map(junction),
}));
export const BLOCKS: readonly (readonly Point[])[] = city.blocks.map((corners) => corners.map(junction));
export const RIVER = { width: city.river.width, path: line(city.river.path as unknown as Point[]) };
