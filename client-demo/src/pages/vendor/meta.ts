import type { PageMeta } from '../registry';

export default { title: 'Vendor', icon: 'vendor', order: 5 } satisfies PageMeta;
