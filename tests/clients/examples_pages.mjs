// What the examples for browsers need around them: an app that shows a component, its own web server,
// and Chromium.
//
// CHROMIUM=path and NGINX=path say where these are.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import assert from 'node:assert/strict';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { eventually } from './observe.mjs';
import { ROOT, folder, start } from './program.mjs';
import { freePort } from './proxy.mjs';
import { request } from './server.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const NGINX = process.env.NGINX ?? '/usr/sbin/nginx';
const CLIENTS = join(ROOT, 'tests', 'clients');
const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const WAIT_MS = 15_000;

export const EXAMPLES = join(ROOT, 'examples');

/** A Chromium for all tests of a file. */
export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: ARGS });

/** A page of somebody who has a browser of their own. */
export async function open(t, browser, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (said) => {
    if (['error', 'warning'].includes(said.type())) page.complaints.push(said.text());
  });
  page.on('pageerror', (error) => page.complaints.push(error.message));
  await page.goto(url);
  return page;
}

/** The web server of a team's app, whose pages are of another origin than Roomcast's. */
export class App {
  static async host(t) {
    const app = new App();
    const server = createServer((asked, answer) => {
      const isScript = asked.url === '/app.js';
      answer.setHeader('content-type', `text/${isScript ? 'javascript' : 'html'}; charset=utf-8`);
      answer.end(isScript ? app.script : PAGE);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    app.origin = `http://localhost:${server.address().port}`;
    return app;
  }

  /** Shows a component as an app made with Vite does; its properties come from the page's query. */
  async show(component, file, server) {
    const contents = `
      import { StrictMode } from 'react';
      import { createRoot } from 'react-dom/client';
      import { ${component} } from './${component}.jsx';
      const props = Object.fromEntries(new URLSearchParams(location.search));
      const root = createRoot(document.getElementById('root'));
      root.render(<StrictMode><${component} {...props} /></StrictMode>);`;
    const { outputFiles } = await build({
      stdin: { contents, loader: 'jsx', resolveDir: join(EXAMPLES, file) },
      absWorkingDir: CLIENTS,
      nodePaths: [join(CLIENTS, 'node_modules')],
      alias: { 'socket.io-client': 'sio-4-8' },
      define: { 'import.meta.env.VITE_SERVER_URL': JSON.stringify(server) },
      jsx: 'automatic',
      bundle: true,
      write: false,
      logLevel: 'silent',
    });
    this.script = outputFiles[0].text;
  }

  /** The address of the page that gives the component these properties. */
  page(props) {
    return `${this.origin}/?${new URLSearchParams(props)}`;
  }
}

const PAGE = `<!doctype html>
<html lang="en"><title>An app</title><link rel="icon" href="data:,">
<div id="root"></div><script src="/app.js"></script>`;

/** nginx that serves a folder and leads what is Socket.IO's to the server. */
export async function site(t, root, server) {
  assert.ok(existsSync(NGINX), `there is no nginx at ${NGINX}; NGINX says where it is`);
  const [dir, port] = [await folder(t), await freePort()];
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = kinds.map((kind) => `${kind}_temp_path ${dir}/${kind};`);
  await writeFile(join(dir, 'nginx.conf'), `
    daemon off;
    master_process off; # It runs as whoever runs the test, who can read the folder.
    pid ${dir}/pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      types { text/html html; }
      ${temporary.join('\n')}
      server {
        listen 127.0.0.1:${port};
        root ${root};
        location /socket.io/ {
          proxy_pass ${server};
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection upgrade;
        }
      }
    }`);
  start(t, `exec '${NGINX}' -e stderr -p '${dir}' -c '${dir}/nginx.conf'`, { cwd: dir });
  const url = `http://127.0.0.1:${port}`;
  const answers = () => request(url, 'GET', '/').then(({ status }) => status === 200, () => false);
  await eventually(answers, 'nginx serves the page');
  return url;
}
