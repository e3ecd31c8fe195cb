/** The words behind a command are not what it takes; its help says what is. */
export class UsageFault extends Error {
  override readonly name = 'UsageFault';
}
