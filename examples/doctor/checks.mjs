// All checks, in the order in which they run.
//
// A check observes one server: `observe(side)` resolves with what it saw, line by line. What a difference
// means says `advice` for a line, and `advise` or `otherwise` for the rest. One that `listens` runs alone.

import { connecting } from './checks/connecting.mjs';
import { cors } from './checks/cors.mjs';
import { commonEvents, events, unknownEvent } from './checks/events.mjs';
import { files } from './checks/files.mjs';
import { handshake } from './checks/handshake.mjs';
import { acks, binary, garbage, payloads } from './checks/packets.mjs';
import { parser } from './checks/parser.mjs';
import { recovery } from './checks/recovery.mjs';
import { transports } from './checks/transports.mjs';
import { versions } from './checks/versions.mjs';

export const CHECKS = [
  handshake, transports, versions, parser, cors, files,
  connecting, events, unknownEvent,
  commonEvents, acks, binary, payloads, garbage, recovery,
];
