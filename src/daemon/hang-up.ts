/** Calls `reload` at each SIGHUP, which otherwise would end the process. Call the result to end it. */
export function onHangUp(reload: () => void): () => void {
  process.on('SIGHUP', reload);
  return () => process.off('SIGHUP', reload);
}
