import { readFileSync, writeFileSync } from 'node:fs';
import { renderProbes } from './render.ts';

const page = new URL('../../docs/probes.md', import.meta.url);
writeFileSync(page, renderProbes(readFileSync(page, 'utf8')));
