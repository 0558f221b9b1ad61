// The demo's operations page, as a test handles it.

/** Figures come every 5 s, and those that show something may be the third. */
const FIGURES_MS = 17_000;
/** To look with every frame would have the page draw all the time. */
export const LOOK_EVERY_MS = 100;

export async function operationsPage(open, t, url, options) {
  const page = await open(t, `${url}/#/operations`, options);
  await state(page, 'Connected');
  return page;
}

export const main = (page) => page.getByRole('main');
export const button = (page, name) => main(page).getByRole('button', { name });
export const state = (page, text) =>
  main(page).locator('[data-phase]').getByText(text, { exact: true }).waitFor();
export const chart = (page, title) => page.getByRole('region', { name: title, exact: true });
/** Waits until the head says how old the figures are. */
export const age = (page, text) => main(page).getByText(text).filter({ visible: true }).waitFor();

/** Where a chart's legend has a figure. */
export const legend = (page, title, name) =>
  chart(page, title).locator('dl > div').filter({ has: page.getByText(name, { exact: true }) }).locator('dd');

/** Waits until a chart's legend has a figure between these, and resolves with it. */
export async function figure(page, title, name, least, most = least) {
  const between = ([node, from, to]) => {
    const value = parseFloat(node.textContent.replaceAll(',', ''));
    return value >= from && value <= to ? { value } : null;
  };
  const node = await legend(page, title, name).elementHandle();
  const seen = await page.waitForFunction(between, [node, least, most], {
    timeout: FIGURES_MS, polling: LOOK_EVERY_MS,
  });
  return (await seen.jsonValue()).value;
}

/** Waits until a chart's legend has no figure. */
export const noFigure = (page, title, name) =>
  legend(page, title, name).getByText('–', { exact: true }).waitFor({ timeout: FIGURES_MS });

/** How many pixels of a chart have this colour of the theme. */
export const pixels = (page, title, color) => chart(page, title).locator('canvas').evaluate(count, color);

function count(canvas, property) {
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(property);
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    if ([0, 1, 2, 3].every((n) => data[at + n] === wanted[n])) found += 1;
  }
  return found;
}

/** The table's rows, as objects of their columns. */
export async function rows(page) {
  const texts = await page.locator('table tr').evaluateAll((all) =>
    all.map((row) => [...row.children].map((cell) => cell.textContent)));
  const [names, ...rest] = texts;
  return rest.map((cells) => Object.fromEntries(cells.map((cell, n) => [names[n], cell])));
}
