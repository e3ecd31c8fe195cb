import { z } from 'zod';
import { API_VERSION } from './status.ts';

/** What `hsctl cert --json` prints; fields are only ever added. */
export const certificatesSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  certificates: z.array(
    z.object({
      /** File name within its directory. */
      file: z.string(),
      /** `hsctl://CLUSTER/...`; null for an authority, and for certificates that are not ours. */
      identity: z.string().nullable(),
      subject: z.string(),
      isAuthority: z.boolean(),
      notBeforeWallMs: z.number(),
      notAfterWallMs: z.number(),
      /** SHA-256. */
      fingerprint: z.string(),
    }),
  ),
});
