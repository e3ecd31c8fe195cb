import { z } from 'zod';
import { fileSchema } from './schema.ts';

/** JSON Schema of the configuration file as it is written, for editors: names, units, descriptions. */
export function configJsonSchema(): z.core.JSONSchema.JSONSchema {
  return {
    ...z.toJSONSchema(fileSchema, { io: 'input', override: ({ jsonSchema }) => dropEmptyRange(jsonSchema) }),
    title: 'hsctl configuration',
  };
}

/** Integers come with the limits of a JavaScript number where the schema names none; they say nothing. */
function dropEmptyRange(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}
