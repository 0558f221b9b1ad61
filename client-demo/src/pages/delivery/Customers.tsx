// Customers who join while the drivers are on their way already.

import { useState } from 'react';

import { newId } from '../../lib/text';
import type { User } from '../../session/users';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { Customer } from './Customer';
import css from './Delivery.module.css';
import type { Driver } from './types';

/** As many as fit side by side. */
const MOST = 3;

interface Props {
  people: readonly User[];
  drivers: readonly Driver[];
}

export function Customers({ people, drivers }: Props) {
  const [customers, setCustomers] = useState<{ key: string; user: User; driver: Driver }[]>([]);
  const [count, setCount] = useState(0);
  const user = people[count % people.length];
  const driver = drivers[count % drivers.length];
  if (!user || !driver) return null;
  const add = () => {
    setCustomers((now) => [...now, { key: newId(), user, driver }]);
    setCount(count + 1);
  };
  return (
    <Panel title="Customers who join late" className={css.customerPanel}>
      <div className={css.customers}>
        {customers.map((customer) => (
          <Customer
            key={customer.key}
            user={customer.user}
            driver={customer.driver}
            onClose={() => setCustomers((now) => now.filter(({ key }) => key !== customer.key))}
          />
        ))}
        {customers.length < MOST && (
          <div className={css.add}>
            <Button kind="primary" icon="plus" onClick={add}>New customer</Button>
            <p>
              {user.name} opens a connection of their own, long after {driver.name} has set out, and sees
              at once where {driver.name} is.
            </p>
          </div>
        )}
      </div>
    </Panel>
  );
}
