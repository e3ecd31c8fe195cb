import { fileURLToPath } from 'node:url';
import { tool } from './tool.ts';

/** The example that tests, benches and the demo protect, in both languages: its command, given a socket and a port. */

const TYPESCRIPT = fileURLToPath(new URL('../../examples/friend-list/typescript/server.ts', import.meta.url));
const CPP_FOLDER = fileURLToPath(new URL('../../examples/friend-list/cpp', import.meta.url));

export function typescriptFriendList(socket: string, port: number): string[] {
  return [process.execPath, TYPESCRIPT, '--agent', socket, '--listen', String(port)];
}

const BUILD_LIMIT_MS = 180_000;

/** To be built before by `buildCppFriendList`. */
export function cppFriendList(socket: string, port: number): string[] {
  return [`${CPP_FOLDER}/friend-list`, '--agent', socket, '--listen', String(port)];
}

/** Compiles the C++ example unless that was done before. Rejects with the compiler's words. */
export async function buildCppFriendList(): Promise<void> {
  await tool(['make', '-C', CPP_FOLDER], '', BUILD_LIMIT_MS);
}
