// Opens pages of a running site in headless Chromium and reports what a strict reader would object to.
//
//   node check.mjs --base http://127.0.0.1:8080 [--shots DIR] PATH...
//
// Each path is opened in light and dark, 1280 and 360 px wide. Prints one JSON object per problem and line; the
// exit code is 1 when there was any, 2 when the arguments are wrong. `CHROMIUM` names the browser (default
// /usr/bin/chromium).
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

import { measure } from './measure.mjs';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const THEMES = ['light', 'dark'];
const WIDTHS = [1280, 360];
const MAX_TRANSFER_BYTES = 100_000;
const MAX_REQUESTS = 4;

function parseArguments(argv) {
  const options = { base: null, shots: null, paths: [] };
  for (let i = 0; i < argv.length; i += 1) {
    if (argv[i] === '--base') options.base = argv[++i];
    else if (argv[i] === '--shots') options.shots = argv[++i];
    else options.paths.push(argv[i]);
  }
  if (!options.base || options.paths.length === 0) {
    console.error('usage: node check.mjs --base URL [--shots DIR] PATH...');
    process.exit(2);
  }
  return options;
}

// As a visitor gets it, with the page's own content security policy in force.
async function asServed(browser, view, options) {
  const problems = [];
  const context = await browser.newContext({ viewport: { width: view.width, height: 800 }, colorScheme: view.theme });
  const page = await context.newPage();
  const sizes = [];
  let requests = 0;
  const home = new URL(options.base).origin;
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(['console', message.text().slice(0, 300)]);
  });
  page.on('pageerror', (error) => problems.push(['script', error.message]));
  page.on('request', (request) => {
    const url = request.url();
    if (url.startsWith('data:')) return;
    requests += 1;
    if (new URL(url).origin !== home) problems.push(['foreign request', url]);
  });
  page.on('requestfinished', (request) => {
    sizes.push(request.sizes().then((size) => size.responseBodySize, () => 0));
  });
  const response = await page.goto(options.base + view.path, { waitUntil: 'networkidle' });
  if (!response.ok()) problems.push(['status', String(response.status())]);
  const measured = await page.evaluate(measure);
  for (const [kind, detail] of measured) problems.push([kind, detail]);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  if (bytes > MAX_TRANSFER_BYTES) problems.push(['weight', `${bytes} bytes transferred`]);
  if (requests > MAX_REQUESTS) problems.push(['requests', `${requests} requests`]);
  if (options.shots) {
    const name = view.path.replace(/[^a-z0-9]+/gi, '_').replace(/^_+|_+$/g, '') || 'overview';
    await page.screenshot({ path: `${options.shots}/${name}-${view.width}-${view.theme}.png`, fullPage: true });
  }
  await context.close();
  return problems;
}

// The policy forbids foreign script, so the accessibility engine needs a page of its own without it.
async function accessible(browser, view, options, axe) {
  const context = await browser.newContext({
    viewport: { width: view.width, height: 800 }, colorScheme: view.theme, bypassCSP: true,
  });
  const page = await context.newPage();
  // What a page asks for later was seen as served, so this need not wait for silence.
  await page.goto(options.base + view.path, { waitUntil: 'load' });
  await page.evaluate(axe);
  const { violations } = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), RULES);
  await context.close();
  return violations.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ');
    return [`axe ${id}`, `${help}: ${nodes.length} × ${places}`];
  });
}

const options = parseArguments(process.argv.slice(2));
if (options.shots) mkdirSync(options.shots, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
});
let count = 0;
let seen = 0;
for (const path of options.paths) {
  const views = THEMES.flatMap((theme) => WIDTHS.map((width) => ({ path, theme, width })));
  // Side by side, because each must be silent for half a second before it counts as complete.
  const served = await Promise.all(views.map((view) => asServed(browser, view, options)));
  for (const [index, view] of views.entries()) {
    const problems = [...served[index], ...await accessible(browser, view, options, axe)];
    for (const [kind, detail] of problems) console.log(JSON.stringify({ ...view, kind, detail }));
    count += problems.length;
    seen += 1;
  }
}
await browser.close();
console.error(`${seen} views, ${count} problems`);
process.exit(count > 0 ? 1 : 0);
