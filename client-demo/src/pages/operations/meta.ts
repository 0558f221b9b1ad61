import type { PageMeta } from '../registry';

export default { title: 'Operations', icon: 'operations', order: 6 } satisfies PageMeta;
