/** One broken rule, at one place. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  /** Name of the rule, as in STYLE.md. */
  readonly rule: string;
  readonly message: string;
}
