// A vendor's orders: those that are there already, then those that come over the event stream.

import { useRef, useState } from 'react';

import { api, reason } from '../../lib/http';
import { useStream, type StreamHandle } from '../../session/useStream';
import type { User } from '../../session/users';
import { readOrder, type Order } from './orders';

const MOST_ORDERS = 200;
const PAGE = 100;

interface Greeting {
  verdict: 'complete' | 'gap' | 'reset';
}

interface Page {
  orders: Record<string, unknown>[];
}

interface Use {
  /** Called with each order that comes, once. */
  onOrder(order: Order): void;
}

export interface Orders {
  /** In the order in which they were stored. */
  orders: Order[];
  stream: StreamHandle;
  complaint: string;
}

export function useOrders(vendor: User, { onOrder }: Use): Orders {
  const [orders, setOrders] = useState<Order[]>([]);
  const [complaint, setComplaint] = useState('');
  const known = useRef(new Set<string>());
  const isLoaded = useRef(false);

  /** Another store has other orders. */
  const forget = () => {
    known.current.clear();
    setOrders([]);
  };
  const load = async () => {
    try {
      const path = `/api/vendor/${vendor.userId}/orders?limit=${PAGE}`;
      const page = await api<Page>('GET', path, { as: vendor });
      const listed = page.orders.map((fields) => readOrder(fields, 'known'));
      const ids = new Set(listed.map(({ id }) => id));
      ids.forEach((id) => known.current.add(id));
      // What came over the stream meanwhile is newer than the list, or in it.
      setOrders((now) => {
        const before = new Map(now.map((order) => [order.id, order]));
        const rest = now.filter(({ id }) => !ids.has(id));
        return [...listed.map((order) => before.get(order.id) ?? order), ...rest];
      });
      isLoaded.current = true;
      setComplaint('');
    } catch (error) {
      setComplaint(`The orders could not be loaded: ${reason(error)}`);
    }
  };

  const greeted = ({ verdict }: Greeting) => {
    if (verdict === 'reset') forget();
    if (!isLoaded.current || verdict !== 'complete') void load();
  };
  const arrived = (fields: Record<string, unknown>) => {
    // Until the stream counts as connected again, it tells what was missed.
    const order = readOrder(fields, stream.link.phase === 'connected' ? 'live' : 'missed');
    if (known.current.has(order.id)) return;
    known.current.add(order.id);
    setOrders((now) => [...now, order].slice(-MOST_ORDERS));
    onOrder(order);
  };
  const stream: StreamHandle = useStream(`/api/vendor/${vendor.userId}/notifications/stream`, vendor, {
    name: `${vendor.name}’s board`,
    events: { connected: greeted, 'new-order': arrived },
  });
  return { orders, stream, complaint };
}
