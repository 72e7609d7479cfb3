/** Weigh what the browser must fetch before the first page works. `npm run budget` after a build. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Manifest, scriptsOf } from './manifest.ts';

/** Kilobytes of compressed JavaScript before anything is split off. */
const LIMIT_KB = 250;
/** Less than React alone weighs: the build has lost its entry. */
const LEAST_KB = 50;
const BYTES_PER_KB = 1024;

const root = join(import.meta.dirname, '../../src/polyclinic/web/static');
const manifest = JSON.parse(readFileSync(join(root, '.vite/manifest.json'), 'utf8')) as Manifest;
const bytes = scriptsOf(manifest, 'index.html')
  .map((file) => gzipSync(readFileSync(join(root, file)), { level: 9 }).length)
  .reduce((sum, size) => sum + size, 0);
const kilobytes = Math.round((bytes / BYTES_PER_KB) * 10) / 10;

console.log(JSON.stringify({ what: 'first-load JavaScript, gzip', kilobytes, limit: LIMIT_KB }));
if (kilobytes > LIMIT_KB || kilobytes < LEAST_KB) {
  process.exitCode = 1;
}
