import type { PageMeta } from '../registry';

export default { title: 'Chat', icon: 'chat', order: 1, fills: true } satisfies PageMeta;
