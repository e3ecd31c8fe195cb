/** The memory that has to survive: who is whose friend. One key of the state for each pair of them. */
export class FriendLists {
  #lists = new Map<string, Set<string>>();
  #count = 0;

  /** Key under which a friendship is kept, so that two changes made at the same time cannot undo each other. */
  static key(user: string, friend: string): string {
    return `friend:${user}:${friend}`;
  }

  get count(): number {
    return this.#count;
  }

  of(user: string): readonly string[] {
    return [...(this.#lists.get(user) ?? [])];
  }

  /** Takes a change over; making it twice does no harm. */
  apply(key: string, present: boolean): void {
    const [kind, user = '', friend = ''] = key.split(':');
    if (kind !== 'friend') return;
    const list = this.#lists.get(user) ?? new Set();
    if (list.has(friend) === present) return;
    if (present) list.add(friend);
    else list.delete(friend);
    this.#count += present ? 1 : -1;
    if (list.size > 0) this.#lists.set(user, list);
    else this.#lists.delete(user);
  }

  clear(): void {
    this.#lists = new Map();
    this.#count = 0;
  }
}
