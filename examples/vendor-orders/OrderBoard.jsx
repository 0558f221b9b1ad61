// The board on a vendor's counter: <OrderBoard vendorId="v1" token={token} />

import { useOrderStream } from './useOrderStream.js';

export function OrderBoard({ vendorId, token }) {
  const { orders, isConnected } = useOrderStream(vendorId, token);

  return (
    <section>
      <p role="status">{isConnected ? 'Live' : 'Reconnecting…'}</p>
      <ol aria-label="Orders">
        {orders.map((order) => (
          <li key={order.id}>
            {order.id}: {order.items.join(', ')}
          </li>
        ))}
      </ol>
    </section>
  );
}
