import type { PageMeta } from '../registry';

export default { title: 'Delivery', icon: 'delivery', order: 2 } satisfies PageMeta;
