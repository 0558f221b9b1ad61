// Two nodes behind nginx, as examples/cluster sets them up.

import './proxied_sessions.mjs';
import './proxied_limits.mjs';
import './proxied_nodes.mjs';
