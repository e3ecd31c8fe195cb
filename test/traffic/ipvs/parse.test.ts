import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseActiveConnections, parseSaved } from '../../../src/traffic/ipvs/parse.ts';

// Written by hand in the format of ipvsadm 1.31's source; the VM tests read what the program prints of a real kernel.
const sample = (name: string): string => readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8');

describe('parseSaved', () => {
  const services = parseSaved(sample('saved.txt'));

  it('finds each service under the name that ipvsadm gives it', () => {
    assert.deepEqual(
      [...services.keys()],
      ['-t 10.0.0.100:9000', '-t 10.0.0.101:80', '-u 10.0.0.100:53', '-t [2001:db8::100]:9000', '-f 7', '-f 7 -6'],
    );
  });

  it('reads servers, forwarding and weights', () => {
    assert.deepEqual(services.get('-t 10.0.0.100:9000'), {
      scheduler: 'fo',
      persistenceS: 0,
      otherOptions: '',
      servers: [
        { server: '10.0.0.11:9000', forwarding: 'dr', weight: 1 },
        { server: '10.0.0.12:9000', forwarding: 'dr', weight: 0 },
      ],
    });
    assert.deepEqual(services.get('-t [2001:db8::100]:9000'), {
      scheduler: 'fo',
      persistenceS: 60,
      otherOptions: '',
      servers: [
        { server: '[2001:db8::11]:9000', forwarding: 'tun', weight: 0 },
        { server: '[2001:db8::12]:9000', forwarding: 'tun', weight: 1 },
      ],
    });
    assert.deepEqual(services.get('-f 7')?.servers, [{ server: '10.0.0.11:0', forwarding: 'dr', weight: 1 }]);
    assert.deepEqual(services.get('-f 7 -6')?.servers, [{ server: '[2001:db8::11]:0', forwarding: 'dr', weight: 2 }]);
  });

  it('keeps the options that hsctl never sets', () => {
    const web = services.get('-t 10.0.0.101:80');
    assert.equal(web?.otherOptions, '-M 255.255.255.0 -b flag-1,flag-2');
    assert.deepEqual([web?.scheduler, web?.persistenceS], ['wrr', 300]);
    assert.equal(services.get('-u 10.0.0.100:53')?.otherOptions, '-o');
  });

  it('finds nothing in nothing', () => {
    assert.equal(parseSaved('').size, 0);
  });
});

describe('parseActiveConnections', () => {
  it('gives the established connections of each server', () => {
    assert.deepEqual(
      [...parseActiveConnections(sample('listed.txt'))],
      [
        ['10.0.0.11:9000', 42],
        ['10.0.0.12:9000', 0],
        ['[2001:db8::12]:9000', 3],
      ],
    );
  });
});
