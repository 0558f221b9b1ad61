// The example `beside_node` in the place of the server, for whoever imports this first.

import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
process.env.ROOMCAST_BIN = process.env.BESIDE_NODE_BIN ?? join(TARGET, 'debug', 'examples', 'beside_node');
