import type { Mutant } from './mutant.ts';

/**
 * Guards that the safety of the pair rests on, each switched off. A simulator that does not notice one of them has
 * shown nothing about it; a guard whose absence nothing can notice is not needed.
 */
export const MUTANTS: readonly Mutant[] = [
  // --- decisions of the controller
  {
    name: 'decides on doubtful clocks',
    file: 'src/controller/rules.ts',
    find: 'when: [guard.tilted],',
    replace: "when: [guard.tilted, guard.stageIs('none')],",
  },
  {
    name: 'first reign without every node',
    file: 'src/controller/rules.ts',
    find: "when: [guard.stageIs('none'), guard.everyNodeReports],",
    replace: "when: [guard.stageIs('none')],",
  },
  {
    name: 'promotes without fencing',
    file: 'src/controller/rules.ts',
    find: "when: [guard.stageIs('fencing'), guard.formerMasterIsFenced, guard.not(guard.targetIsLost)],",
    replace: "when: [guard.stageIs('fencing'), guard.not(guard.targetIsLost)],",
    faults: ['isolate', 'cut', 'cut one way', 'stop agent'],
  },
  {
    name: 'a grant counts as run out',
    file: 'src/controller/guards.ts',
    find: 'return finding(former.grantRunsMs === 0, `the grant',
    replace: 'return finding(true, `the grant',
    faults: ['isolate', 'cut', 'cut one way', 'stop agent'],
  },
  {
    name: 'a lone master counts as fenced',
    file: 'src/controller/guards.ts',
    find: 'if (record.masterNeedsNoLease)',
    replace: 'if (false)',
    faults: ['lose records', 'cut', 'isolate', 'stop agent', 'kill agent'],
  },
  {
    name: 'promotes a node that is not in sync',
    file: 'src/controller/view.ts',
    find: 'if (!record.inSync.includes(id)) add(',
    replace: 'if (false) add(',
  },
  {
    name: 'promotes an incomplete log',
    file: 'src/controller/view.ts',
    find: "if (doubt !== '') add(",
    replace: 'if (false) add(',
  },
  {
    name: 'an incomplete log is not compared',
    file: 'src/controller/view.ts',
    find: 'if (comparePositions(other.report.log.end, log.end) > 0)',
    replace: 'if (false)',
  },
  {
    name: 'tells before it is durable',
    file: 'src/controller/group-controller.ts',
    find: '    this.#ports.records.save(record, [event]);\n    this.#record = record;\n',
    replace:
      '    this.#record = record;\n    for (const node of this.#nodes) this.#assign(node);\n    this.#ports.records.save(record, [event]);\n',
  },
  {
    name: 'the in-sync set shrinks with the decision',
    file: 'src/controller/changes.ts',
    find: 'const inSync = record.inSync.includes(master.id) ? record.inSync : [master.id];',
    replace: 'const inSync = [master.id];',
  },
  {
    name: 'a stall goes unnoticed',
    file: 'src/kit/clock-guard.ts',
    find: 'if (pausedMs > this.#toleranceMs)',
    replace: 'if (false)',
  },
  {
    name: 'a clock that was set goes unnoticed',
    file: 'src/kit/clock-guard.ts',
    find: 'if (Math.abs(jumpMs) > this.#toleranceMs)',
    replace: 'if (false)',
  },
  // --- leases
  {
    name: 'a lease is held for too long',
    file: 'src/kit/lease.ts',
    find: 'sentAtMs + leaseMs * (1 - CLOCK_DRIFT)',
    replace: 'sentAtMs + leaseMs * 1.5',
  },
  {
    name: 'a grant is forgotten',
    file: 'src/kit/lease.ts',
    find: 'Math.max(this.#runsUntilMs, nowMs + grantMs)',
    replace: 'this.#runsUntilMs',
  },
  {
    name: 'a restarted grantor does not wait',
    file: 'src/kit/lease.ts',
    find: 'this.#runsUntilMs = startedAtMs + longestGrantMs;',
    replace: 'this.#runsUntilMs = -Infinity;',
    faults: ['isolate', 'cut', 'kill controller', 'kill agent', 'stop agent'],
  },
  {
    name: 'an old renunciation ends a new grant',
    file: 'src/kit/lease.ts',
    find: 'if (epoch >= this.#epoch) this.#runsUntilMs',
    replace: 'this.#runsUntilMs',
  },
  {
    name: 'what outlives the lease is not waited for',
    file: 'src/kit/lease.ts',
    find: ' + lingerMs;',
    replace: ' + 0 * lingerMs;',
  },
  {
    name: 'suspensions prolong a lease',
    file: 'src/kit/lease-clock.ts',
    find: 'this.#addedMs += Math.max(0, stepMs);',
    replace: '',
  },
  // --- the agent's core
  {
    name: 'begins while its own grant runs',
    file: 'src/agent/core/reign.ts',
    find: 'if (peerGrantMs > 0 || ',
    replace: 'if (',
  },
  {
    name: 'begins without a lease',
    file: 'src/agent/core/reign.ts',
    find: 'this.#mayServeUntilMs <= leaseNowMs || ',
    replace: '',
  },
  {
    name: 'confirms without its slave',
    file: 'src/agent/core/reign.ts',
    find: 'this.#membership.slaveMustConfirm ? Math.min(heldSeq, this.#ackedSeq) : heldSeq',
    replace: 'heldSeq',
  },
  {
    name: 'confirms what is not on its disk',
    file: 'src/agent/agent-node.ts',
    find: '(ports.syncsAlways ? Math.min(this.#heldSeq, log.end.seq) : log.end.seq)',
    replace: 'log.end.seq',
    faults: ['slow disk', 'power', 'isolate', 'end agent'],
  },
  {
    name: 'replies without a lease',
    file: 'src/agent/core/agent-core.ts',
    find: 'return reign.servesUntilMs > this.#leaseClock.nowMs();',
    replace: 'return true;',
  },
  {
    name: 'renews the address on an old lease',
    file: 'src/agent/traffic-keeper.ts',
    find: 'if (remainingMs + this.#options.outlivesMs(remainingMs) > posture.lingersForMs) {',
    replace: 'if (false) {',
    faults: ['clog', 'kill agent', 'isolate', 'stop agent'],
  },
  {
    name: 'takes assignments of lower epochs',
    file: 'src/agent/core/role-rules.ts',
    find: 'test: ({ assignment, epoch }) => assignment !== null && assignment.epoch < epoch,',
    replace: 'test: () => false,',
    faults: ['old orders', 'kill agent', 'promote', 'kill controller', 'crash app'],
  },
  {
    name: 'takes older assignments of its epoch',
    file: 'src/agent/core/role-rules.ts',
    find: 'assignment.revision < known.revision',
    replace: 'false',
    faults: ['old orders', 'isolate', 'cut', 'kill agent'],
  },
  {
    name: 'a slave goes on with its reign',
    file: 'src/agent/core/agent-core.ts',
    find: "    this.#renounce(former, 'a new reign began');\n    this.#reign = null;\n",
    replace: '',
  },
  {
    name: 'forgets its epoch',
    file: 'src/agent/core/agent-core.ts',
    find: '    this.#ports.saveEpoch(epoch);\n',
    replace: '',
  },
  {
    name: 'begins a reign that its former run was chosen for',
    file: 'src/agent/core/role-rules.ts',
    find: 'assignment?.masterInstance !== instance',
    replace: 'false',
    faults: ['power', 'kill agent', 'cut', 'promote', 'kill agent at an effect'],
  },
  {
    name: 'renounces before the traffic is gone',
    file: 'src/agent/core/agent-core.ts',
    find: 'if (this.#holdsTraffic || ',
    replace: 'if (',
  },
  {
    name: 'an older release counts',
    file: 'src/agent/traffic-keeper.ts',
    find: 'if (order === this.#orders) this.#options.onGone();',
    replace: 'if (this.#renewedAtMs === null) this.#options.onGone();',
  },
  {
    name: 'grants to a master of another epoch',
    file: 'src/agent/core/agent-core.ts',
    find: 'if (!this.#following || ping.epoch !== this.#epoch) return 0;',
    replace: '',
  },
  {
    name: 'serves alone though the record does not say so',
    file: 'src/agent/core/reign.ts',
    find: ' && this.#recorded.mayServeAlone',
    replace: '',
  },
  // --- the in-sync set
  {
    name: 'relaxes before that is on record',
    file: 'src/replication/core/membership.ts',
    find: "if (stalled) this.#propose('leaving', [this.#self]);",
    replace: 'if (stalled) this.#relax(mark);',
  },
  {
    name: 'tightens only once that is on record',
    file: 'src/replication/core/membership.ts',
    find: "return this.#state !== 'out';",
    replace: "return this.#state === 'in' || this.#state === 'leaving';",
  },
  {
    name: 'enters before the slave holds all',
    file: 'src/replication/core/membership.ts',
    find: 'progress.attached && progress.ackedSeq >= this.#tightenedAtSeq',
    replace: 'progress.attached',
  },
  {
    name: 'takes an earlier answer for an answer',
    file: 'src/replication/core/membership.ts',
    find: ' || answeredProposal < this.#proposal.id',
    replace: '',
  },
  // --- replies and replication
  {
    name: 'reads without a lease',
    file: 'src/agent/agent-node.ts',
    find: 'if (this.core.phase === null || this.core.mayReply()) return null;',
    replace: 'return null;',
  },
  {
    name: 'replies to what is not confirmed',
    file: 'src/replication/node-replica.ts',
    find: 'return this.#control.confirmedSeq();\n    this.#lapsed',
    replace: 'return this.#log.end.seq;\n    this.#lapsed',
  },
  {
    name: 'confirms to a master that was replaced',
    file: 'src/replication/link/slave-session.ts',
    find: 'if (epoch === this.#owner.epoch) this.#link.send',
    replace: 'this.#link.send',
  },
  {
    name: 'confirms before it is on the disk',
    file: 'src/replication/link/ack-sender.ts',
    find: 'if (!syncBeforeAck) send',
    replace: 'send',
  },
  {
    name: 'counts as intact too early',
    file: 'src/replication/link/intact-watch.ts',
    find: 'if (this.#intact || this.#log.end.seq < this.#fromSeq) return;',
    replace: 'if (this.#intact) return;',
  },
  {
    name: 'cuts what it acknowledged alone',
    file: 'src/agent/peer-links.ts',
    find: 'if ((aloneTo <= sharedSeq && !untold) || ',
    replace: 'if (true || ',
  },
];
