// Where a driver is: reports over HTTP, watchers over sockets.

import assert from 'node:assert/strict';

import { assertOk, assertProblem, assertRefused, scenario } from '../world.mjs';

const BERLIN = { lat: 52.52, lng: 13.405 };

/** A driver and the means to report positions. */
function driving(w) {
  const driver = w.user('driver', { roles: ['driver'] });
  const path = `/api/driver/${driver.id}/location`;
  const report = async (body, as = driver) => w.http('POST', path, { as, body });
  const drive = async (body) => {
    const response = await report(body);
    assert.equal(response.status, 204, response.text);
  };
  return { driver, path, report, drive };
}

export default [
  scenario('a late watcher gets the last position at once, then the live ones', async (w) => {
    const { driver, drive } = driving(w);
    await drive({ ...BERLIN, heading: 90, speed: 12.5, accuracy: 5 });
    const alice = await w.connect(w.user('alice'));
    const { location } = assertOk(await alice.ask('watch-delivery', driver.id));
    assert.equal(location.lat, BERLIN.lat);
    const last = await alice.next('location-update');
    assert.equal(last.lng, BERLIN.lng);
    assert.equal(last.heading, 90);
    assert.ok(last.timestamp);
    await drive({ lat: 52.53, lng: 13.41 });
    assert.equal((await alice.next('location-update')).lat, 52.53);
    assertOk(await alice.ask('unwatch-delivery', driver.id));
    await drive({ lat: 52.54, lng: 13.42 });
    await w.settle(alice);
    assert.equal(alice.heard('location-update').length, 2);
  }),

  scenario('a watcher of a driver nobody has seen gets null', async (w) => {
    const alice = await w.connect(w.user('alice'));
    assert.equal(assertOk(await alice.ask('watch-delivery', w.id('nobody'))).location, null);
  }),

  scenario('a list of positions ends at its newest', async (w) => {
    const { driver, drive } = driving(w);
    const alice = await w.connect(w.user('alice'));
    assertOk(await alice.ask('watch-delivery', driver.id));
    const at = (secondsAgo) => new Date(Date.now() - secondsAgo * 1000).toISOString();
    await drive([
      { lat: 1, lng: 1, recordedAt: at(3) },
      { lat: 2, lng: 2, recordedAt: at(2) },
      { lat: 3, lng: 3, recordedAt: at(1) },
    ]);
    const newest = await alice.next('location-update', (position) => position.lat === 3);
    assert.equal(newest.lng, 3);
  }),

  scenario('a position is reported by its own driver or by a service only', async (w) => {
    const { path, report } = driving(w);
    assertProblem(await report(BERLIN, w.user('other', { roles: ['driver'] })), 403);
    assertProblem(await w.http('POST', path, { body: BERLIN }), 401);
    assert.equal((await w.service('POST', path, BERLIN)).status, 204);
  }),

  scenario('positions off the globe and bodies that are not positions are refused', async (w) => {
    const { driver, report, drive } = driving(w);
    const alice = await w.connect(w.user('alice'));
    assertOk(await alice.ask('watch-delivery', driver.id));
    const bad = [
      { lat: 91, lng: 0 },
      { lat: 0, lng: -180.5 },
      { lat: 'north', lng: 0 },
      { lat: null, lng: 0 },
      { lng: 0 },
      '{"lat": NaN, "lng": 0}',
      'not json',
      { ...BERLIN, heading: 400 },
    ];
    for (const body of bad) assertProblem(await report(body), 400);
    await drive(BERLIN);
    await alice.next('location-update');
    assert.equal(alice.heard('location-update').length, 1);
  }),

  scenario('the last position is there over HTTP', async (w) => {
    const { path, drive } = driving(w);
    const alice = w.user('alice');
    assertProblem(await w.http('GET', path, { as: alice }), 404);
    await drive(BERLIN);
    const got = await w.http('GET', path, { as: alice });
    assert.equal(got.status, 200, got.text);
    assert.equal(got.body.lat, BERLIN.lat);
    assertProblem(await w.http('GET', path), 401);
  }),

  scenario('watchers are told when a driver falls silent', async (w) => {
    const { driver, path, drive } = driving(w);
    const users = { alice: w.user('alice') };
    const alice = await w.connect(users.alice);
    assertOk(await alice.ask('watch-delivery', driver.id));
    await drive(BERLIN);
    await alice.next('location-update');
    const offline = await alice.next('driver-offline');
    assert.equal(offline.driverId, driver.id);
    assert.ok(offline.lastSeen);
    assertProblem(await w.http('GET', path, { as: users.alice }), 404);
    const bob = await w.connect(w.user('bob'));
    assert.equal(assertOk(await bob.ask('watch-delivery', driver.id)).location, null);
  }, 'brief'),

  scenario('a driver that is not named is refused', async (w) => {
    const alice = await w.connect(w.user('alice'));
    assertRefused(await alice.ask('watch-delivery'));
    assertRefused(await alice.ask('watch-delivery', { driver: 1 }));
    assertRefused(await alice.ask('watch-delivery', ''));
  }),
];
