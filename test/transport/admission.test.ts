import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Admission } from '../../src/transport/admission.ts';
import { ManualScheduler } from '../kit/manual-scheduler.ts';

describe('admission of strangers', () => {
  it('leaves room for others, whatever one address does', () => {
    const admission = new Admission({ pending: 4, pendingFromOne: 2, perSecondFromOne: 100 }, new ManualScheduler());
    const answers = ['x', 'x', 'x', 'y', 'z', 'w'].map((address) => admission.arrived(address));
    assert.deepEqual(answers, [null, null, 'too many connections', null, null, 'too many connections']);
    admission.left('x');
    assert.equal(admission.arrived('w'), null);
    assert.equal(admission.arrived('x'), 'too many connections', 'all room is taken again');
  });

  it('takes so many new connections a second from one address', async () => {
    const scheduler = new ManualScheduler();
    const admission = new Admission({ pending: 4, pendingFromOne: 2, perSecondFromOne: 3 }, scheduler);
    const visit = (address: string): string | null => {
      const refusal = admission.arrived(address);
      if (refusal === null) admission.left(address);
      return refusal;
    };
    assert.deepEqual(
      [1, 2, 3, 4].map(() => visit('x')),
      [null, null, null, 'too many connections a second'],
    );
    assert.equal(visit('y'), null);
    await scheduler.advance(1000);
    assert.equal(visit('x'), null);
  });

  it('stays bounded however many addresses there are', () => {
    const admission = new Admission({ pending: 4, pendingFromOne: 2, perSecondFromOne: 3 }, new ManualScheduler());
    const refused = Array.from({ length: 5000 }, (_, index) => {
      const refusal = admission.arrived(`address ${index}`);
      if (refusal === null) admission.left(`address ${index}`);
      return refusal;
    }).filter((refusal) => refusal !== null);
    assert.equal(refused.length, 5000 - 1024 - 3);
  });
});
