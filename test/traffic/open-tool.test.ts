import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { RunningProgram } from '../../src/kit/exec.ts';
import type { NodeTrafficDeps } from '../../src/traffic/deps.ts';
import { OpenTool } from '../../src/traffic/open-tool.ts';
import { until } from '../rig/until.ts';
import { realDeps } from './group.ts';

/** Answers `say X` by X, `complain X` by X on standard error, `die` by its end, `end` by `end`. */
const PROGRAM = `while read -r word rest; do case $word in
  say) echo "$rest" ;;
  complain) echo "$rest" >&2 ;;
  die) exit 1 ;;
  end) echo end ;;
esac; done`;

describe('OpenTool', () => {
  const tools: OpenTool[] = [];
  const programs: RunningProgram[] = [];
  afterEach(async () => {
    await Promise.all(tools.splice(0).map((tool) => tool.close()));
    programs.length = 0;
  });

  const deps: NodeTrafficDeps = {
    ...realDeps,
    startProgram: async (command, options) => {
      const program = await realDeps.startProgram(command, options);
      programs.push(program);
      return program;
    },
  };
  const make = (program = PROGRAM): OpenTool => {
    const tool = new OpenTool({ command: ['sh', '-c', program], endQuery: 'end', endLine: /^end$/ }, deps);
    tools.push(tool);
    return tool;
  };
  const started = async (): Promise<OpenTool> => {
    const tool = make();
    await tool.start();
    return tool;
  };

  it('gives each request what its lines printed', async () => {
    const tool = await started();
    const answers = await Promise.all([
      tool.submit(['say one', 'say two']),
      tool.submit([]),
      tool.submit(['say three']),
    ]);
    assert.deepEqual(
      answers.map(({ stdout }) => stdout),
      [['one', 'two'], [], ['three']],
    );
  });

  it('tells what the program complained about', async () => {
    const tool = await started();
    const answer = await tool.submit(['complain sadly', 'say one', 'complain again']);
    assert.deepEqual(answer, { stdout: ['one'], complaints: ['sadly', 'again'] });
    assert.deepEqual(await tool.submit([]), { stdout: [], complaints: [] });
  });

  it('starts the program again when it ended; what was asked of it fails', async () => {
    const tool = await started();
    await assert.rejects(tool.submit(['complain goodbye', 'die']), /sh -c ended: goodbye/);
    await assert.rejects(tool.submit([]), /takes no lines at present/);
    await until('it is there again', () => tool.ready);
    assert.deepEqual((await tool.submit(['say hello'])).stdout, ['hello']);
  });

  it('replaces a program that does not answer', async () => {
    const tool = await started();
    programs[0]?.kill('SIGSTOP');
    await assert.rejects(tool.submit([]), /ended/);
    await until('it is there again', () => tool.ready);
    await tool.submit([]);
    assert.equal(programs.length, 2);
  });

  it('takes no more requests than a program that goes on would leave unanswered', async () => {
    const tool = await started();
    programs[0]?.kill('SIGSTOP');
    const waiting: Promise<unknown>[] = [];
    while (tool.ready) waiting.push(tool.submit([]).catch(() => 'failed'));
    assert.equal(waiting.length, 16);
    await assert.rejects(tool.submit([]), /takes no lines/);
    programs[0]?.kill('SIGCONT');
    await Promise.all(waiting);
    assert.ok(tool.ready);
  });

  it('waits longer each time for a program that never answers', async () => {
    const delaysMs: number[] = [];
    const scheduler: NodeTrafficDeps['scheduler'] = {
      ...realDeps.scheduler,
      after: (delayMs, task) => {
        delaysMs.push(delayMs);
        return realDeps.scheduler.after(0, task);
      },
    };
    const tool = new OpenTool({ command: ['false'], endQuery: 'end', endLine: /^end$/ }, { ...deps, scheduler });
    tools.push(tool);
    await tool.start();
    await until('it was started again', () => delaysMs.length >= 9);
    assert.deepEqual(delaysMs.slice(0, 9), [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('says what cannot be started', async () => {
    const tool = new OpenTool({ command: ['/no/such/program'], endQuery: '', endLine: /^/ }, deps);
    await assert.rejects(tool.start(), { name: 'HsctlError', message: /no such program/ });
  });
});
