// What it saves to tell of a product only those who look at it: messages and bytes, against telling
// everybody, on the same server.
//
//   npm ci --prefix tests/clients && node benches/rooms/run.mjs
//
// ROOMCAST_BIN is the server (target/debug/roomcast by default; what is counted does not depend on the
// build). WATCHERS, PRODUCTS and CHANGES change the amounts.

import { measure, saved } from './measure.mjs';

const amount = (name, usual) => Number(process.env[name] ?? usual);
const amounts = {
  watchers: amount('WATCHERS', 100),
  products: amount('PRODUCTS', 12),
  changes: amount('CHANGES', 240),
};

const { connecting, byRoom, toAll } = await measure(amounts);
const { watchers, products, changes } = amounts;
console.log(`${watchers} watchers over ${products} products, ${changes} changes of stock`);
console.table({
  'to the product’s room': { messages: byRoom.messages, bytes: byRoom.bytes },
  'to everybody': { messages: toAll.messages, bytes: toAll.bytes },
  'saved, %': { messages: saved(byRoom.messages, toAll.messages), bytes: saved(byRoom.bytes, toAll.bytes) },
});
const [room, all] = [connecting + byRoom.bytes, connecting + toAll.bytes];
console.log(`with connecting and joining: ${room} bytes against ${all}, ${saved(room, all)} % saved`);
