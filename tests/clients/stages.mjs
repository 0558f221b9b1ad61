// How far a WebSocket can be when something comes over it.

import { Poller } from './raw.mjs';
import { Wire, frame } from './wire.mjs';

export const PATH = '/socket.io/?EIO=4&transport=websocket';

/** A new session over WebSocket, not yet connected to a namespace. */
export async function opened(url) {
  const wire = await Wire.websocket(url, PATH);
  await wire.frame('0{');
  return wire;
}

/** A session over WebSocket that has sent this CONNECT and is connected. */
export async function connected(url, connect) {
  const wire = await opened(url);
  wire.write(frame(connect));
  await wire.frame('40');
  return wire;
}

/** A polling session, and a WebSocket that wants to take over. */
export async function upgrading(url) {
  const poller = await Poller.open(url);
  return { poller, wire: await Wire.websocket(url, `${PATH}&sid=${poller.sid}`) };
}

/** The same, once the server has answered the probe. */
export async function probed(url) {
  const both = await upgrading(url);
  both.wire.write(frame('2probe'));
  await both.wire.frame('3probe');
  return both;
}

/** Every stage by its name: writes these bytes at that stage, and resolves with the connection. */
export function stagesOf(url, connect) {
  const write = (wire, ...bytes) => {
    wire.write(...bytes);
    return wire;
  };
  return {
    'behind the upgrade request': (bytes) => Wire.websocket(url, PATH, { behind: bytes }),
    'before CONNECT': async (bytes) => write(await opened(url), bytes),
    'after CONNECT': async (bytes) => write(await connected(url, connect), bytes),
    'before the probe': async (bytes) => write((await upgrading(url)).wire, bytes),
    'after the probe': async (bytes) => write((await probed(url)).wire, bytes),
    'right behind the upgrade': async (bytes) => write((await probed(url)).wire, frame('5'), bytes),
  };
}
