// Builds the demo for `cargo build`, which embeds what comes out; `npm run dev` serves it beside a
// running `roomcast serve --dev`.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm run dev` finds the server. */
const server = process.env.ROOMCAST_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  build: {
    // All but `/` lies under `/demo/`, where the server has no other routes.
    assetsDir: 'demo/assets',
    // Nothing inline: the page's policy takes only what this server serves.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
  },
  server: {
    port: 0,
    proxy: {
      '/api': server,
      '/events': server,
      '/demo/users': server,
      '/socket.io': { target: server, ws: true },
    },
  },
});
