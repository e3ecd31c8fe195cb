import { BATCH_LIMIT_BYTES, RECORD_HEADER_BYTES, VALUE_LIMIT_BYTES } from '../batch/layout.ts';

/** Limits on what a client may send. What goes beyond is a protocol error, after which the connection is closed. */

export const ARGUMENTS_LIMIT = 1024 * 1024;
export const BULK_LIMIT_BYTES = VALUE_LIMIT_BYTES;
/** A longer argument that comes in several pieces is kept as such. */
export const LARGE_BYTES = 64 * 1024;
export const INLINE_LIMIT_BYTES = 64 * 1024;
/** All arguments of one command together: what it writes has to fit one batch. */
export const COMMAND_LIMIT_BYTES = BATCH_LIMIT_BYTES - ARGUMENTS_LIMIT * RECORD_HEADER_BYTES;

/** The same for a client that has not given the password. */
export const ARGUMENTS_LIMIT_BEFORE_AUTH = 10;
export const BULK_LIMIT_BEFORE_AUTH_BYTES = 16 * 1024;
