import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildCppFriendList, cppFriendList } from '../rig/friend-list.ts';
import { tool } from '../rig/tool.ts';
import { buildLoad } from './load.ts';

/**
 * What the VM has in memory from the beginning, over the root that it shares with this machine: asking for a file there
 * takes this machine's help, and Node asks for a thousand at each start.
 */

const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
/** Types stripped and JavaScript compiled here and not, ten times slower, there. Also named in guest/start. */
const CACHE = join(PROJECT, '.tmp/vm/compile-cache');
const PROGRAMS = ['ip', 'ipvsadm', 'modprobe', 'nft', 'openssl', 'sh', 'ss', 'sysctl'];
const CODE = '**/*.{ts,js,cjs,mjs,json,pl}';

let once: Promise<readonly string[]> | null = null;

/** Absolute paths of regular files, links resolved. Found once, for all machines of this process. */
export function payload(): Promise<readonly string[]> {
  once ??= find();
  return once;
}

async function find(): Promise<readonly string[]> {
  const [load] = await Promise.all([buildLoad(), warmCache(), buildCppFriendList()]);
  const own = ['bin', 'src', 'test', 'scripts', 'examples'].flatMap((folder) => filesIn(join(PROJECT, folder)));
  const programs = await Promise.all(PROGRAMS.map(programFiles));
  const others = [join(PROJECT, 'package.json'), cppFriendList('', 0)[0] ?? '', ...load];
  const all = [
    ...own,
    ...others,
    ...packages(PROJECT).flatMap((folder) => filesIn(folder)),
    ...filesIn(CACHE, '**/*'),
    ...programs.flat(),
  ];
  return [...new Set(all.map((path) => realpathSync(path)))];
}

function filesIn(folder: string, pattern = CODE): string[] {
  return globSync(pattern, { cwd: folder, exclude: ({ name }) => name === 'node_modules', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Folders of the packages that a folder's package.json names, and of those that they need. */
function packages(folder: string, found = new Set<string>()): readonly string[] {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(dependencies)) {
    const place = placeOf(name, folder);
    if (place === null || found.has(place)) continue;
    found.add(place);
    packages(place, found);
  }
  return [...found];
}

/** As Node looks for it. */
function placeOf(name: string, from: string): string | null {
  for (let folder = from; folder !== '/'; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(place)) return place;
  }
  return null;
}

/** A program and its libraries; none if it is not installed. */
async function programFiles(name: string): Promise<readonly string[]> {
  const places = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((folder) => join(folder, name));
  const path = places.find(existsSync);
  if (path === undefined) return [];
  const libraries = [...(await tool(['ldd', path])).matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(
    ([, library = '']) => library,
  );
  return [path, ...libraries];
}

/**
 * Has Node keep what it makes of the sources, by loading them. What a program loads that does something when it is
 * loaded is only compiled: a module that is evaluated before it throws.
 */
async function warmCache(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const node = (...options: readonly string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, options, { env: { ...process.env, NODE_COMPILE_CACHE: CACHE } });
  const daemons = ['controller', 'agent'].map((name) => `await import('${PROJECT}/src/commands/${name}.ts');`).join('');
  await node('--input-type=module', '--eval', daemons);
  const sources = globSync('{src,test/{rig,traffic,vm}}/**/*.ts', { cwd: PROJECT });
  const imports = sources.map((file) => `import ${JSON.stringify(join(PROJECT, file))};`).join('');
  await node('--input-type=module', '--eval', `import 'data:text/javascript,process.exit()';${imports}`);
}
