import type { PageMeta } from '../registry';

export default { title: 'Checkout', icon: 'checkout', order: 3 } satisfies PageMeta;
