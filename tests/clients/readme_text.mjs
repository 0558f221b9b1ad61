// The README and the guide, taken apart: their blocks, commands, variables, keys and links.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { ROOT } from './program.mjs';

const GUIDE = 'src/guide';
const BLOCK = /^```([\w,]*)\n([\s\S]*?)^```$/gm;

/** What people write. */
const WRITTEN = [
  'README.md',
  ...['tour', 'migrating', 'operations', 'guarantees', 'security'].map((page) => `${GUIDE}/${page}.md`),
];
/** What is made from the code; it names every variable. */
const MADE = [`${GUIDE}/configuration.md`];

const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const prose = (path) => read(path).replace(BLOCK, '');

/** What stands between single backticks, outside the blocks. */
const quotedIn = (paths) =>
  paths.flatMap((path) => [...prose(path).matchAll(/`([^`]+)`/g)].map(([, text]) => text));

const quoted = quotedIn(WRITTEN);

/** The text in fences of this language, block by block. */
export const blocks = (language) =>
  WRITTEN.flatMap((path) => [...read(path).matchAll(BLOCK)])
    .filter(([, found]) => found.split(',')[0] === language)
    .map(([, , text]) => text.trimEnd());

/** Every command: what is fenced as such, and what the prose and its tables quote. */
export const commands = [
  ...new Set([
    ...blocks('sh'),
    ...[...quoted, ...quotedIn(MADE)].filter((text) => /^(roomcast(?= |$)|cargo |tests\/\S+\.sh)/.test(text)),
  ]),
];

/** Every environment variable that the prose quotes, with the values that it gives them. */
export const variables = [
  ...new Set(quoted.map((text) => /^([A-Z]+_[A-Z_]+\d?|PORT)(?:=.*)?$/.exec(text)?.[1]).filter(Boolean)),
];

/** What looks like a key of one of these sections. */
export const keysOf = (sections) =>
  new Set(quoted.filter((text) => sections.includes(/^([a-z]+)\.[a-z][a-z_]*$/.exec(text)?.[1])));

/** The rows of the first table of a page below this heading, cell by cell, without their backticks. */
export function table(page, heading) {
  const [, section] = read(`${GUIDE}/${page}.md`).split(`\n## ${heading}\n`);
  const lines = section.split(/\n## /)[0].split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

/** The anchors that GitHub gives a page's headings. */
const anchors = (path) =>
  [...prose(path).matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    text.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'),
  );

/** Every link and picture: where it stands, and where it leads, a file and an anchor in it. */
export const links = [...WRITTEN, ...MADE].flatMap((from) => {
  const text = prose(from);
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)];
  return targets
    .map(([, target]) => target)
    .filter((target) => !/^https?:/.test(target))
    .map((target) => {
      const [file, anchor] = target.split('#');
      return { from, target, path: file ? join(dirname(from), file) : from, anchor };
    });
});

/** The names of links that a page uses, and those that it says where they lead. */
export const names = [...WRITTEN, ...MADE].map((from) => {
  const text = prose(from).replace(/`[^`]*`/g, '');
  const body = text.replace(/^\[[^\]]+\]: .*$/gm, '');
  const used = [...body.matchAll(/(?<!\\)\[([^\]]+)\](?!\(|\[)/g)].map(([, name]) => name);
  const given = [...text.matchAll(/^\[([^\]]+)\]: /gm)].map(([, name]) => name);
  return { from, used: [...new Set(used)].sort(), given: given.sort() };
});

export { anchors };

const AsyncFunction = (async () => {}).constructor;

/** The JavaScript that has this in it. */
export const snippet = (marker) => blocks('js').find((text) => text.includes(marker));

/** Runs JavaScript with these names in sight, and resolves with the value of `result`, if it has one. */
export const runSnippet = (text, names, result = 'undefined') =>
  new AsyncFunction(...Object.keys(names), `${text}\nreturn ${result};`)(...Object.values(names));
