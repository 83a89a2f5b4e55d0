import { createContext, Script } from "node:vm";

/**
 * What all patterns together may take on one text, milliseconds. It is the event loop's time; an ordinary text takes a fraction of one, but a
 * busy machine may let this process wait.
 */
const budgetMs = 200;
/** A shorter text is no danger to any of them. */
const harmlessCharacters = 120;

const context = createContext({ pattern: /$/, text: "" });
const script = new Script("pattern.exec(text)");

/**
 * Looks for patterns in what a program printed, who may have chosen it so that a pattern takes hours: each stands still when the time is over.
 * `stop`: nothing is looked for after the first that is found. Answers a match or null for each pattern that was tried.
 */
export function matchAll(patterns: readonly RegExp[], text: string, stop = false): (RegExpExecArray | null)[] {
  const matches: (RegExpExecArray | null)[] = [];
  const until = performance.now() + budgetMs;
  for (const pattern of patterns) {
    const match = text.length <= harmlessCharacters ? pattern.exec(text) : matchWithin(pattern, text, until - performance.now());
    matches.push(match);
    if (stop && match !== null) break;
  }
  return matches;
}

function matchWithin(pattern: RegExp, text: string, ms: number): RegExpExecArray | null {
  if (ms < 1) return null;
  Object.assign(context, { pattern, text });
  try {
    return script.runInContext(context, { timeout: Math.ceil(ms) }) as RegExpExecArray | null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return null;
    throw error;
  } finally {
    Object.assign(context, { text: "" });
  }
}
