import type { SandboxContextEvent, SandboxHandle } from "@syla/sdk";
import type { CellLanguage } from "./cell.ts";

/** How a piece of code ended; `lost`: the interpreter is gone, with its variables. */
export type CellEnd = Extract<SandboxContextEvent, { type: "done" }>["status"];

/** An interpreter in a sandbox, for one person who types. */
export interface Session {
  readonly language: CellLanguage;
  readonly sandboxId: string;
  /** Runs code and tells what it does. */
  run(code: string, tell: (event: SandboxContextEvent) => void | Promise<void>): Promise<CellEnd>;
  /** Ends what runs; the variables stay. */
  interrupt(): Promise<void>;
  /** Begins anew, without variables. */
  reset(): Promise<void>;
  /** What may stand for the beginning of a name, or of a dotted path. Asked only while nothing runs. */
  complete(start: string): Promise<readonly string[]>;
}

const completeMs = 4000;
const mostNames = 300;
const pathForm = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*\.?$/;

/** Starts an interpreter in a sandbox, or takes the one that is there. */
export async function openSession(sandbox: SandboxHandle, language: CellLanguage): Promise<Session> {
  const known = (await sandbox.contexts.list()).find((context) => context.language === language);
  const { id } = known ?? (await sandbox.contexts.create(language));
  const declared = new Set<string>();
  return {
    language,
    sandboxId: sandbox.id,
    run: async (code, tell) => {
      if (language === "javascript") namesDeclared(code).forEach((name) => declared.add(name));
      for await (const event of sandbox.contexts.run(id, code)) {
        if (event.type === "done") return event.status;
        await tell(event);
      }
      return "lost";
    },
    interrupt: () => sandbox.contexts.interrupt(id),
    reset: async () => {
      declared.clear();
      await sandbox.contexts.restart(id);
    },
    complete: async (start) => {
      if (!pathForm.test(start)) return [];
      const names = await ask(sandbox, id, language === "python" ? askPython(start) : askJavaScript(start));
      return language === "python" ? names : fitting(start, [...names, ...(start.includes(".") ? [] : declared)]);
    },
  };
}

/** The lines that a piece of code prints. */
async function ask(sandbox: SandboxHandle, id: string, code: string): Promise<string[]> {
  let printed = "";
  try {
    for await (const event of sandbox.contexts.run(id, code, { signal: AbortSignal.timeout(completeMs) }))
      if (event.type === "output" && event.stream === "stdout") printed += event.text;
  } catch {
    return []; // a name that cannot be completed is typed
  }
  return printed.split("\n").filter((line) => line !== "");
}

/** Python's own completer, in the namespace of what was typed; it leaves no name there. */
function askPython(start: string): string {
  return `(lambda c, t: print(*[x.rstrip("( ") for x in (c.complete(t, i) for i in range(${mostNames})) if x], sep="\\n"))(__import__("rlcompleter").Completer(__import__("__main__").__dict__), ${JSON.stringify(start)})`;
}

/** The properties of what stands before the last dot, and of what it inherits from. */
function askJavaScript(start: string): string {
  const base = start.includes(".") ? start.slice(0, start.lastIndexOf(".")) : "globalThis";
  return `((o) => { const n = new Set(); for (let p = o, d = 0; p != null && d < 8; p = Object.getPrototypeOf(Object(p)), d++) Object.getOwnPropertyNames(p).forEach((k) => n.add(k)); console.log([...n].join("\\n")); })(${base})`;
}

function fitting(start: string, names: readonly string[]): string[] {
  const dot = start.lastIndexOf(".") + 1;
  const [base, part] = [start.slice(0, dot), start.slice(dot)];
  const fits = names.filter((name) => name.startsWith(part) && /^[\w$]+$/.test(name) && !/^\d/.test(name));
  return [...new Set(fits)]
    .toSorted()
    .slice(0, mostNames)
    .map((name) => base + name);
}

/** What `let`, `const` and the like declare is no property of anything that could be asked. */
function namesDeclared(code: string): string[] {
  return [...code.matchAll(/\b(?:let|const|var|class|function)\s+([A-Za-z_$][\w$]*)/g)].flatMap(([, name]) => name ?? []);
}
