import type { PageMeta } from '../registry';

export default { title: 'Products', icon: 'products', order: 4 } satisfies PageMeta;
