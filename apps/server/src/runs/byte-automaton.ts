const rootState = 0;
const noRow = -1;
const leaf = -2;

/**
 * Finds many byte strings at once, as Aho and Corasick do it: one pass over a text, whatever it and they are made of. A state is how much of which
 * string the text ends with, the longest there is; it is a number, so texts may come in pieces.
 */
export class ByteAutomaton {
  /** Sorted: what follows the beginning that a string shares with the one before it is a chain of states with numbers in order. */
  readonly #strings: readonly Buffer[];
  /** The first state of the chain of each string, and how much of it stands before the chain. */
  readonly #chains: Int32Array;
  readonly #shared: Int32Array;
  /** By which byte a state is come to. */
  readonly #labels: Uint8Array;
  /** Which table says what comes next. `noRow`: the state with the next number. */
  readonly #rows: Int32Array;
  readonly #tables: Int32Array[] = [];
  readonly #children: number[][] = [];
  /** Where to go on when nothing fits: the state of the longest end that some string begins with too. */
  readonly #failures: Int32Array;
  /** How long the longest string is that ends here; 0: none. */
  readonly #found: Int32Array;
  /** Whether some string begins with these two bytes. */
  readonly #pairs = new Uint8Array(65_536);

  /** @param strings of two bytes or more */
  constructor(strings: readonly Buffer[]) {
    this.#strings = strings.toSorted(Buffer.compare).filter((string, index, all) => all[index - 1]?.equals(string) !== true);
    this.#chains = new Int32Array(this.#strings.length);
    this.#shared = new Int32Array(this.#strings.length);
    const most = 1 + this.#strings.reduce((sum, string) => sum + string.length, 0);
    this.#labels = new Uint8Array(most + 1);
    this.#rows = new Int32Array(most).fill(leaf);
    this.#found = new Int32Array(most);
    const count = this.#addStrings();
    this.#failures = new Int32Array(count);
    this.#link(count);
  }

  get isEmpty(): boolean {
    return this.#strings.length === 0;
  }

  /** What a text ends with that is in this state. */
  beginning(state: number): Buffer {
    if (state === rootState) return Buffer.alloc(0);
    let low = 0;
    let high = this.#chains.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chains[middle] ?? 0) <= state) low = middle;
      else high = middle - 1;
    }
    const length = (this.#shared[low] ?? 0) + state - (this.#chains[low] ?? 0) + 1;
    return this.#strings[low]?.subarray(0, length) ?? Buffer.alloc(0);
  }

  /** Reads on. Of the strings that end at a place only the longest is told, with what of the text is behind it. @returns the next state */
  read(text: Buffer, from: number, onFound: (end: number, length: number) => void): number {
    let state = from;
    for (let at = 0; at < text.length; at += 1) {
      if (state === rootState) while (at + 1 < text.length && this.#pairs[((text[at] ?? 0) << 8) | (text[at + 1] ?? 0)] === 0) at += 1;
      state = this.#step(state, text[at] ?? 0);
      const length = this.#found[state] ?? 0;
      if (length !== 0) onFound(at + 1, length);
    }
    return state;
  }

  #step(from: number, byte: number): number {
    for (let state = from; ; state = this.#failures[state] ?? 0) {
      const next = this.#child(state, byte);
      if (next !== rootState || state === rootState) return next;
    }
  }

  /** `rootState`: none. */
  #child(state: number, byte: number): number {
    const row = this.#rows[state] ?? leaf;
    if (row >= 0) return this.#tables[row]?.[byte] ?? rootState;
    return row === noRow && this.#labels[state + 1] === byte ? state + 1 : rootState;
  }

  #addStrings(): number {
    const path = new Int32Array(1 + this.#strings.reduce((most, string) => Math.max(most, string.length), 0));
    let count = 1;
    let before: Buffer = Buffer.alloc(0);
    for (const [index, string] of this.#strings.entries()) {
      this.#pairs[string.readUInt16BE()] = 1;
      let at = 0;
      while (at < before.length && before[at] === string[at]) at += 1;
      this.#chains[index] = count;
      this.#shared[index] = at;
      for (; at < string.length; at += 1) {
        this.#addChild(path[at] ?? 0, count, string[at] ?? 0);
        path[at + 1] = count;
        count += 1;
      }
      this.#found[count - 1] = string.length;
      before = string;
    }
    return count;
  }

  #addChild(parent: number, child: number, byte: number): void {
    this.#labels[child] = byte;
    if (this.#rows[parent] === leaf && child === parent + 1) {
      this.#rows[parent] = noRow;
      return;
    }
    let row = this.#rows[parent] ?? noRow;
    if (row < 0) {
      const table = new Int32Array(256);
      if (row === noRow) table[this.#labels[parent + 1] ?? 0] = parent + 1;
      this.#children.push(row === noRow ? [parent + 1] : []);
      this.#rows[parent] = row = this.#tables.push(table) - 1;
    }
    const table = this.#tables[row];
    if (table !== undefined) table[byte] = child;
    this.#children[row]?.push(child);
  }

  /** By length: where a state fails to is shorter than itself. */
  #link(count: number): void {
    const queue = new Int32Array(count);
    let last = 1;
    const enter = (parent: number, child: number) => {
      const failure = parent === rootState ? rootState : this.#step(this.#failures[parent] ?? 0, this.#labels[child] ?? 0);
      this.#failures[child] = failure;
      if (this.#found[child] === 0) this.#found[child] = this.#found[failure] ?? 0;
      queue[last] = child;
      last += 1;
    };
    for (let at = 0; at < last; at += 1) {
      const state = queue[at] ?? 0;
      const row = this.#rows[state] ?? leaf;
      if (row === noRow) enter(state, state + 1);
      else for (const child of this.#children[row] ?? []) enter(state, child);
    }
  }
}
