// What the shop sells.

export interface Product {
  id: string;
  name: string;
  price: number;
  about: string;
  /** A colour: `var(--c1)` and so on. */
  colour: string;
  /** A picture, drawn on a grid of 24. */
  picture: string;
  /** What is in stock where the server does not know it. */
  stock: number;
}

type Row = readonly [id: string, name: string, price: number, about: string, picture: string];

const ROWS: readonly Row[] = [
  ['lamp', 'Desk lamp', 49, 'Warm light, and an arm that stays.',
    'M8 21h8M12 21v-7M6 14h12l-3-9H9z'],
  ['teapot', 'Teapot', 24.5, 'Stoneware, for four cups.',
    'M5 10h11v5a5 5 0 0 1-5 5h-1a5 5 0 0 1-5-5zM16 11l4-2v3l-4 3M5 11a2.5 2.5 0 0 0 0 5M8.5 7h4M10.5 7V5.5'],
  ['mug', 'Mug', 9, 'Thick, and hard to break.',
    'M5 7h11v8a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4zM16 9h1.5a2.5 2.5 0 0 1 0 6H16M8 4V3M12 4V3'],
  ['chair', 'Chair', 89, 'Ash, oiled.',
    'M7 3v10h10V3M7 13v8M17 13v8M7 17h10M7 7h10'],
  ['clock', 'Wall clock', 35, 'Does not tick.',
    'M12 21a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5v5l3 2'],
  ['plant', 'House plant', 18, 'Forgives a lot.',
    'M7 14h10l-1.5 7h-7zM12 14V9c0-3 2-5 5-5 0 3-2 5-5 5M12 11c0-2.5-2-4.5-4.5-4.5 0 2.5 2 4.5 4.5 4.5z'],
  ['book', 'Cookbook', 27, 'A hundred soups.',
    'M5 4h10a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h10M9 8h5'],
  ['headphones', 'Headphones', 119, 'Closed, wired.',
    'M4 15v-2a8 8 0 0 1 16 0v2M4 14h3v6H5.5A1.5 1.5 0 0 1 4 18.5zM20 14h-3v6h1.5a1.5 1.5 0 0 0 1.5-1.5z'],
  ['camera', 'Camera', 399, 'Film, 35 mm.',
    'M4 8h4l1.5-3h5L16 8h4v11H4zM12 16.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5z'],
  ['umbrella', 'Umbrella', 22, 'Survives the coast.',
    'M12 4a9 9 0 0 1 9 9H3a9 9 0 0 1 9-9zM12 13v5.5a2 2 0 0 0 4 0M12 4V2.5'],
  ['backpack', 'Backpack', 64, 'Waxed cotton.',
    'M6 10a6 6 0 0 1 12 0v10H6zM9.5 5V3.5h5V5M6 14h12M10 14v2.5h4V14M9.5 9h5'],
  ['candle', 'Candle', 7, 'Beeswax.',
    'M9 11h6v10H9zM12 11V8.5c-1.7 0-2.3-1.2-2-2.5C10.3 4.5 12 3 12 3s1.7 1.5 2 3c.3 1.3-.3 2.5-2 2.5z'],
];

const COLOURS = 6;

export const PRODUCTS: readonly Product[] = ROWS.map(([id, name, price, about, picture], n) => ({
  id: `demo-${id}`,
  name,
  price,
  about,
  picture,
  colour: `var(--c${(n % COLOURS) + 1})`,
  stock: 6 + ((n * 7) % 13),
}));
