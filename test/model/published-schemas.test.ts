import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import {
  explanationSchema,
  promotionOutcomeSchema,
  promotionSchema,
  reloadSchema,
  actionSchema,
} from '../../src/model/answers.ts';
import { certificatesSchema } from '../../src/model/certificate-answers.ts';
import { doctorAnswerSchema } from '../../src/model/doctor-answer.ts';
import { groupEventSchema } from '../../src/model/event.ts';
import { storeArchivesSchema, storeInfoSchema, storeVerdictSchema } from '../../src/model/store-answers.ts';
import { clusterStatusSchema } from '../../src/model/status.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');

/** What `--json` prints beside the status, by the name of its definition. */
const ANSWERS: Readonly<Record<string, [title: string, schema: z.ZodType]>> = {
  promotion: ['hsctl promote --json with --dry-run or --no-wait', promotionSchema],
  promotionOutcome: ['hsctl promote --json', promotionOutcomeSchema],
  action: ['hsctl drain, undrain, pause, resume --json', actionSchema],
  explanation: ['hsctl explain --json', explanationSchema],
  event: ['a line of hsctl events --json', groupEventSchema],
  reload: ['hsctl config reload --json', reloadSchema],
  certificates: ['hsctl cert init, issue, renew, list --json', certificatesSchema],
  doctor: ['hsctl doctor --json', doctorAnswerSchema],
  storeInfo: ['hsctl store info --json', storeInfoSchema],
  storeVerdict: ['hsctl store verify --json', storeVerdictSchema],
  storeArchives: ['hsctl store archives --json', storeArchivesSchema],
};

/** As a reader has to see it: within a version fields are only added, so unknown ones may come. */
function published(title: string, schema: z.ZodType): object {
  const options = {
    io: 'input',
    override: ({ jsonSchema }: { jsonSchema: { additionalProperties?: unknown } }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  } as const;
  const { $schema: _, ...body } = z.toJSONSchema(schema, options);
  return { title, ...body };
}

function definitions(): object {
  return Object.fromEntries(Object.entries(ANSWERS).map(([name, [title, schema]]) => [name, published(title, schema)]));
}

const $schema = 'https://json-schema.org/draft/2020-12/schema';
const FILES: Readonly<Record<string, () => object>> = {
  'status.schema.json': () => ({ $schema, ...published('hsctl status --json', clusterStatusSchema) }),
  'answers.schema.json': () => ({ $schema, title: 'other output of hsctl --json', $defs: definitions() }),
};

describe('published schemas', () => {
  for (const [file, make] of Object.entries(FILES)) {
    it(`docs/${file} is what the code answers (UPDATE_GOLDEN=1 writes it anew)`, () => {
      const path = join(DOCS, file);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, `${JSON.stringify(make(), null, 2)}\n`);
      const text = readFileSync(path, 'utf8');
      assert.deepEqual(JSON.parse(text), make());
      assert.doesNotMatch(text, /"additionalProperties": false/);
    });
  }
});
