// The Dockerfile, taken apart: its stages, their instructions, and which files they may read.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './program.mjs';

const read = (name) => readFileSync(join(ROOT, name), 'utf8');

/** `{instruction, text}` in order; comments are gone, continued lines are one. */
function instructions(text) {
  const lines = text.split('\n').filter((line) => line.trim() && !/^\s*#/.test(line));
  return lines
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => /^\s*(\w+)\s+(.*)$/.exec(line))
    .map(([, instruction, rest]) => ({ instruction: instruction.toUpperCase(), text: rest.trim() }));
}

class Stage {
  all = [];

  constructor(from) {
    const [, image, name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(from);
    Object.assign(this, { image, name });
  }

  /** The texts of every such instruction. */
  of(instruction) {
    return this.all.filter((one) => one.instruction === instruction).map(({ text }) => text);
  }

  /** The text of the last such instruction, which is the one that counts. */
  last(instruction) {
    return this.of(instruction).at(-1);
  }

  /** The words of the last such instruction in the form that no shell reads. */
  words(instruction) {
    return JSON.parse(this.last(instruction).replace(/^[^[]*/, ''));
  }

  /** Variables of the running container. */
  get env() {
    const pairs = this.of('ENV').flatMap((text) => text.split(/\s+/));
    return Object.fromEntries(pairs.map((pair) => /^([^=]+)=(.*)$/.exec(pair).slice(1)));
  }

  /** What is copied: `{from, paths, to}`, `from` another stage or nothing. */
  get copies() {
    return this.of('COPY').map((text) => {
      const [, from, rest] = /^(?:--from=(\S+)\s+)?(.*)$/.exec(text);
      const words = rest.split(/\s+/);
      return { from, paths: words.slice(0, -1), to: words.at(-1) };
    });
  }

  /** The packages that apt-get installs. */
  get packages() {
    const commands = this.of('RUN').flatMap((text) => text.split('&&').map((command) => command.trim()));
    return commands
      .filter((command) => command.startsWith('apt-get install '))
      .flatMap((command) => command.split(/\s+/).slice(2).filter((word) => !word.startsWith('-')));
  }
}

/** The stages in order. */
export function stages() {
  const found = [];
  for (const { instruction, text } of instructions(read('Dockerfile'))) {
    if (instruction === 'FROM') found.push(new Stage(text));
    else found.at(-1).all.push({ instruction, text });
  }
  return found;
}

/** A pattern of .dockerignore: it leaves out what it names with all that lies below. */
function pattern(line) {
  if (/[![\]?]/.test(line)) throw new Error(`.dockerignore has a pattern that is not known here: ${line}`);
  const escaped = line.replace(/[.+^${}()|\\]/g, '\\$&');
  const body = escaped.replace(/\*\*\/|\*/g, (found) => (found === '*' ? '[^/]*' : '(?:.*/)?'));
  return new RegExp(`^${body}(?:/.*)?$`);
}

const LINES = read('.dockerignore').split('\n');
const IGNORED = LINES.filter((line) => line && !line.startsWith('#')).map(pattern);

/** Whether the build is kept from this path, relative to the repository. */
export const isIgnored = (path) => IGNORED.some((one) => one.test(path));
