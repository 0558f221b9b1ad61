// Compares a Node server with Roomcast, as stock clients see them, before clients move from one to the other.
//
//   npm install --prefix examples/doctor
//   TOKEN=… node examples/doctor --node-server http://localhost:4000 --roomcast http://localhost:3000

import { CHECKS } from './checks.mjs';
import { FAILED, compare, isDifference, reachBoth } from './compare.mjs';
import { TOTAL_LIMIT_MS, within } from './limits.mjs';
import { USAGE, UsageError, readOptions } from './options.mjs';
import { asJson, asTable, redactor } from './print.mjs';
import { Side } from './side.mjs';

const [SAME, DIFFERENT, COULD_NOT_RUN] = [0, 1, 2];
const NAMES = CHECKS.map(({ name }) => name);

async function examine(options) {
  const sides = [
    new Side('the Node server', options.node, options),
    new Side('Roomcast', options.roomcast, options),
  ];
  await reachBoth(sides);
  const checks = CHECKS.filter(({ name }) => options.checks.includes(name));
  return compare(checks, sides, options.accepted);
}

async function main() {
  const options = readOptions(process.argv.slice(2), process.env, NAMES);
  if (options.help || options.list) {
    process.stdout.write(options.help ? USAGE : `${NAMES.join('\n')}\n`);
    return SAME;
  }
  const redact = redactor(options.auth);
  try {
    const lines = await within(TOTAL_LIMIT_MS, examine(options), 'the comparison');
    const table = () => asTable(lines, options, process.stdout.hasColors?.());
    process.stdout.write(`${redact(options.json ? asJson(lines, options) : table())}\n`);
    if (lines.some(({ verdict }) => verdict === FAILED)) return COULD_NOT_RUN;
    return lines.some(isDifference) ? DIFFERENT : SAME;
  } catch (error) {
    throw new Error(redact(error.message));
  }
}

// What is still under way where a limit has passed is not waited for.
const end = (code) => process.stdout.write('', () => process.exit(code));

main().then(end, (error) => {
  process.stderr.write(`doctor: ${error.message}\n${error instanceof UsageError ? `\n${USAGE}` : ''}`);
  end(COULD_NOT_RUN);
});
