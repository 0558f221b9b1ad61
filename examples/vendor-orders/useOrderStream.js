// A vendor's orders as they come in, the newest first.
//
// The browser opens a stream that was cut off again by itself and says which event it saw last
// (Last-Event-ID), so that orders from in between come, too. A shop may announce an order twice; it
// is shown once.

import { useEffect, useState } from 'react';

const SERVER = import.meta.env.VITE_SERVER_URL;

export function useOrderStream(vendorId, token) {
  const [orders, setOrders] = useState([]);
  const [isConnected, setIsConnected] = useState(false);

  useEffect(() => {
    const url = new URL(`${SERVER}/api/vendor/${encodeURIComponent(vendorId)}/notifications/stream`);
    url.searchParams.set('access_token', token); // An EventSource cannot set headers.
    const source = new EventSource(url);
    source.onopen = () => setIsConnected(true);
    source.onerror = () => setIsConnected(false);
    source.addEventListener('new-order', (event) => {
      const order = JSON.parse(event.data);
      setOrders((known) => (known.some(({ id }) => id === order.id) ? known : [order, ...known]));
    });
    return () => source.close();
  }, [vendorId, token]);

  return { orders, isConnected };
}
