// The lines as a table for people, or as JSON for machines; never with a secret in it.

import { FAILED, SAME, SKIPPED, isDifference } from './compare.mjs';

const [RED, GREEN, YELLOW, GREY] = [31, 32, 33, 90];
const COLOURS = { [SAME]: GREEN, [SKIPPED]: GREY, [FAILED]: RED };
const VERDICT_CHARS = 15;
const WHAT_CHARS = 25;
const INDENT = ' '.repeat(VERDICT_CHARS + 2);
/** Shorter secrets would blot out ordinary words. */
const MIN_SECRET_CHARS = 6;

/** The same text without any of what is sent as `auth`. */
export function redactor(auth) {
  const secrets = leaves(auth).filter((one) => one.length >= MIN_SECRET_CHARS);
  const longestFirst = secrets.sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

function leaves(value) {
  if (typeof value === 'string') return [value, JSON.stringify(value).slice(1, -1)];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}

const count = (lines, fits) => lines.filter(fits).length;

function totals(lines) {
  return {
    same: count(lines, ({ verdict }) => verdict === SAME),
    differences: count(lines, isDifference),
    accepted: count(lines, (line) => !isDifference(line) && isDifference({ ...line, isAccepted: false })),
    notTried: count(lines, ({ verdict }) => verdict === SKIPPED),
    failed: count(lines, ({ verdict }) => verdict === FAILED),
  };
}

/** For machines. */
export function asJson(lines, { node, roomcast }) {
  return JSON.stringify({ node: node.url, roomcast: roomcast.url, ...totals(lines), lines }, undefined, 2);
}

/** For people. */
export function asTable(lines, { node, roomcast }, hasColours) {
  const out = [`Node:     ${node.url}`, `Roomcast: ${roomcast.url}`];
  let check;
  for (const line of lines) {
    if (line.check !== check) out.push('', line.check);
    check = line.check;
    out.push(...row(line, hasColours));
  }
  return [...out, '', summary(totals(lines))].join('\n');
}

function row(line, hasColours) {
  const { verdict, what, node, roomcast } = line;
  const head = `  ${coloured(verdict, line.isAccepted, hasColours)}${what.padEnd(WHAT_CHARS)} `;
  if (verdict === SAME) return [head + node];
  if (verdict === SKIPPED) return [head + line.because];
  const under = INDENT + ' '.repeat(WHAT_CHARS + 1);
  return [`${head}Node:     ${node ?? '–'}`, `${under}Roomcast: ${roomcast ?? '–'}`, ...advice(line)];
}

function coloured(verdict, isAccepted, hasColours) {
  const text = (isAccepted && verdict !== SAME ? 'accepted' : verdict).padEnd(VERDICT_CHARS);
  return hasColours ? `\x1b[${COLOURS[verdict] ?? YELLOW}m${text}\x1b[0m` : text;
}

function advice({ means, key, value, variable }) {
  if (!means) return [];
  const setting = key ? [`${INDENT}→ ${key} = ${value} (${variable})`] : [];
  return [`${INDENT}${means}`, ...setting];
}

function summary({ same, differences, accepted, notTried, failed }) {
  const parts = [`${same} same`, `${differences} different`];
  if (accepted) parts.push(`${accepted} accepted`);
  if (notTried) parts.push(`${notTried} not tried`);
  if (failed) parts.push(`${failed} failed`);
  return parts.join(', ');
}
