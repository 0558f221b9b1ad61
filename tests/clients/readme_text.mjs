// The README, taken apart: its blocks, its commands and its variables.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './program.mjs';

const TEXT = readFileSync(join(ROOT, 'README.md'), 'utf8');
const BLOCK = /^```(\w*)\n([\s\S]*?)^```$/gm;
const PROSE = TEXT.replace(BLOCK, '');

/** The text in fences of this language, block by block. */
export const blocks = (language) =>
  [...TEXT.matchAll(BLOCK)].filter(([, found]) => found === language).map(([, , text]) => text.trimEnd());

/** What stands between single backticks, outside the blocks. */
const quoted = [...PROSE.matchAll(/`([^`]+)`/g)].map(([, text]) => text);

/** Every command: what is fenced as such, and what the prose and its tables quote. */
export const commands = [
  ...new Set([...blocks('sh'), ...quoted.filter((text) => /^(roomcast(?= |$)|cargo |tests\/\S+\.sh)/.test(text))]),
];

/** Every environment variable that the prose quotes, with the values that it gives them. */
export const variables = [
  ...new Set(quoted.map((text) => /^([A-Z][A-Z_]*_[A-Z_]+|PORT)(?:=.*)?$/.exec(text)?.[1]).filter(Boolean)),
];
