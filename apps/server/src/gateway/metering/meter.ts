import { createHash } from "node:crypto";
import { countTokens, type Counted, type Plausible } from "./count.ts";
import { mergeTokens, type Tokens } from "./usage.ts";

/** More of an answer's text is not kept for counting. */
const mostText = 4 * 1024 * 1024;

/** Adds up what a call used, as its answer goes by. */
export class Meter {
  readonly #inputText: string;
  readonly #most: Plausible;
  readonly #hash = createHash("sha256");
  #said: Tokens | null = null;
  #text = "";
  #dropped = 0;
  /** The provider has said all that it will say of usage. */
  isWhole = false;

  constructor(inputText: string, most: Plausible) {
    this.#inputText = inputText;
    this.#most = most;
  }

  /** What the provider says of usage. */
  say(tokens: Tokens | null): void {
    this.#said = mergeTokens(this.#said, tokens);
  }

  /** What the model wrote. */
  add(text: string): void {
    if (this.#text.length + text.length <= mostText) this.#text += text;
    else this.#dropped += text.length;
  }

  /** The answer as it goes to the caller. */
  pass(raw: string): void {
    this.#hash.update(raw);
  }

  get text(): string {
    return this.#text;
  }

  count(): Counted {
    const counted = countTokens(this.#said, this.#inputText, this.#text, this.#most);
    return this.#dropped === 0 || !counted.isEstimate
      ? counted
      : { ...counted, tokens: { ...counted.tokens, output: (counted.tokens.output ?? 0) + Math.ceil(this.#dropped / 4) } };
  }

  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}
