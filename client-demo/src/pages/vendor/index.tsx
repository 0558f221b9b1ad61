// Vendor: orders on a board, and the customers who hear of them.

import { useState } from 'react';

import { useUsersWith } from '../../session/users';
import { setParams, useRoute } from '../../shell/route';
import { Button } from '../../ui/Button';
import { PageHead, Panel } from '../../ui/Panel';
import { Segments } from '../../ui/Segments';
import { Laptop, Phone } from './Bell';
import { Board } from './Board';
import { Shop } from './Shop';
import css from './Vendor.module.css';

export default function Vendor() {
  const people = useUsersWith();
  const [vendor] = useUsersWith('vendor');
  const [backend] = useUsersWith('service');
  const { params } = useRoute();
  const customer = people.find(({ userId }) => userId === params.get('as')) ?? people[0];
  const [hasTwo, setHasTwo] = useState(params.get('devices') === '2');
  if (!vendor || !backend || !customer) return null;

  const choose = (
    <Segments
      legend="The customer is"
      value={customer.userId}
      options={people.map(({ userId, name }) => ({ value: userId, label: name }))}
      onChange={(as) => setParams({ as })}
    />
  );
  const second = (
    <Button
      size="small"
      icon="devices"
      aria-pressed={hasTwo}
      onClick={() => {
        setHasTwo(!hasTwo);
        setParams({ devices: hasTwo ? null : '2' });
      }}
    >
      Second device
    </Button>
  );
  const person = { user: customer, backend };
  return (
    <>
      <PageHead title="Vendor" actions={choose}>
        Orders reach the board over an event stream: cut it, order, reconnect, and each one is there, once.
        The customer is notified as an order moves on, on every device.
      </PageHead>
      <div className={css.page}>
        <Board vendor={vendor} backend={backend} />
        <div className={css.side}>
          <Shop vendor={vendor} backend={backend} customer={customer} everybody={people} />
          <Panel title="Notifications" actions={second} flush>
            <div className={css.devices}>
              <Phone key={customer.userId} {...person} />
              {hasTwo && <Laptop key={`${customer.userId} 2`} {...person} />}
            </div>
          </Panel>
        </div>
      </div>
    </>
  );
}
