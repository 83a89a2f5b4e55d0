import { estimateTokenCount } from "tokenx";
import type { Tokens } from "./usage.ts";

/** Below this, the estimate is too rough to call anybody a liar. */
const plainlyMany = 64;
/** A provider that says so many times less than the estimate does not count what it did. */
const liesBelow = 8;

/** Tokens of a call, and whether any of the numbers is our own estimate. */
export interface Counted {
  readonly tokens: Tokens;
  readonly isEstimate: boolean;
}

/** Of a text, only so many characters are looked at one by one. */
const mostExamined = 256 * 1024;
/** Characters of a token in what is beyond that. */
const charactersEach = 3;

/** About how many tokens a text is. Quick for long ones too: nothing else is done meanwhile. */
export function estimateTokens(text: string): number {
  if (text === "") return 0;
  const rest = Math.max(0, text.length - mostExamined);
  return estimateTokenCount(text.slice(0, mostExamined)) + Math.ceil(rest / charactersEach);
}

/** What a call can have used at most. A provider that says more does not count what it did. */
export interface Plausible {
  readonly input: number;
  readonly output: number;
  /** What the call asked for at most: counted in place of an output that cannot be. */
  readonly asked: number;
}

/**
 * What a provider says, where it can be believed; an estimate of our own in place of what it does not say, or says far too small.
 * Thinking is not in the text, so that more than the estimate is believed, unless it is more than can be.
 */
export function countTokens(said: Tokens | null, inputText: string, outputText: string, most: Plausible): Counted {
  const input = believe(said?.input ?? null, estimateTokens(inputText), most.input);
  const written = estimateTokens(outputText);
  const isTooMuch = (said?.output ?? 0) > most.output;
  const output = believe(said?.output ?? null, isTooMuch ? Math.max(written, most.asked) : written, most.output);
  const cached = said?.cached ?? null;
  return {
    tokens: {
      input: input.count,
      output: output.count,
      cached: cached !== null && cached > input.count ? input.count : cached,
      reasoning: said?.reasoning ?? null,
    },
    isEstimate: input.isEstimate || output.isEstimate,
  };
}

function believe(said: number | null, estimate: number, most: number): { count: number; isEstimate: boolean } {
  if (said === null && estimate === 0) return { count: 0, isEstimate: false };
  const isLie = said !== null && ((estimate >= plainlyMany && said * liesBelow < estimate) || said > most);
  return said === null || isLie ? { count: estimate, isEstimate: true } : { count: said, isEstimate: false };
}
