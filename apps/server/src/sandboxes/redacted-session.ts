import { setTimeout as sleep } from "node:timers/promises";
import type { ContextEvent, Session, SessionContext, SessionProcess } from "@syla/sandbox/session";
import type { Secret } from "../platform/secret.ts";
import { createRedactor, redactText, secretForms, type SecretForms as Forms } from "../runs/service.ts";

type Output = SessionProcess["output"];

/** On a terminal, what could be the beginning of a secret waits no longer for the rest: somebody waits for the echo of a key. */
const quietMs = 50;

/** Takes what a sandbox was given in confidence out of what its programs say: on their output, in their command lines and as hosts. */
export function redactSession(session: Session, secrets: readonly Secret[]): Session {
  const forms = secretForms(secrets);
  if (forms.automaton.isEmpty) return session;
  const hide = (text: string) => redactText(text, forms);
  return {
    tier: session.tier,
    limits: session.limits,
    files: session.files,
    ended: session.ended,
    get pausedBy() {
      return session.pausedBy;
    },
    start: async (spec) => redactProcess(await session.start(spec), forms, spec.terminal !== undefined),
    openContext: async (language, options) => redactContext(await session.openContext(language, options), forms),
    processes: async () => (await session.processes()).map((facts) => ({ ...facts, command: facts.command.map(hide) })),
    signal: (pid, number) => session.signal(pid, number),
    stats: () => session.stats(),
    ports: () => session.ports(),
    connect: (port) => session.connect(port),
    network() {
      const used = session.network();
      if (used === null) return null;
      const log = used.log.map((made) => ({ ...made, host: hide(made.host), reason: made.reason === null ? null : hide(made.reason) }));
      return { ...used, log };
    },
    pause: () => session.pause(),
    resume: () => session.resume(),
    end: () => session.end(),
  };
}

function redactProcess(process: SessionProcess, forms: Forms, isTerminal: boolean): SessionProcess {
  return {
    pid: process.pid,
    output: isTerminal ? redactTerminal(process.output, forms) : redactOutput(process.output, forms),
    exit: process.exit,
    write: (bytes) => process.write(bytes),
    endInput: () => process.endInput(),
    resize: (size) => process.resize(size),
    signal: (number) => process.signal(number),
    close: () => process.close(),
  };
}

async function* redactOutput(output: Output, forms: Forms): AsyncGenerator<{ stream: "stdout" | "stderr"; data: Buffer }> {
  const redactors = { stdout: createRedactor(forms), stderr: createRedactor(forms) };
  for await (const { stream, data } of output) {
    const shown = redactors[stream].push(data);
    if (shown.length > 0) yield { stream, data: shown };
  }
  for (const stream of ["stdout", "stderr"] as const) {
    const rest = redactors[stream].end();
    if (rest.length > 0) yield { stream, data: rest };
  }
}

async function* redactTerminal(output: Output, forms: Forms): AsyncGenerator<{ stream: "stdout"; data: Buffer }> {
  const redactor = createRedactor(forms);
  const pieces = output[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = pieces.next();
      const isQuiet = await isSlow(next);
      if (isQuiet) {
        const rest = redactor.end();
        if (rest.length > 0) yield { stream: "stdout", data: rest };
      }
      const { done, value } = await next;
      const shown = done === true ? redactor.end() : redactor.push(value.data);
      if (shown.length > 0) yield { stream: "stdout", data: shown };
      if (done === true) return;
    }
  } finally {
    await pieces.return?.();
  }
}

/** Whether it takes longer than {@link quietMs}. */
async function isSlow(next: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const first = next.then(
    () => false,
    () => false,
  );
  const quiet = sleep(quietMs, true, { signal: over.signal, ref: false }).catch(() => true);
  const slow = await Promise.race([first, quiet]);
  over.abort();
  return slow;
}

function redactContext(context: SessionContext, forms: Forms): SessionContext {
  return {
    language: context.language,
    pid: context.pid,
    ended: context.ended,
    run: (code, signal) => redactEvents(context.run(code, signal), forms),
    interrupt: () => context.interrupt(),
    close: () => context.close(),
  };
}

async function* redactEvents(events: AsyncIterable<ContextEvent>, forms: Forms): AsyncGenerator<ContextEvent, void, void> {
  const redactors = { stdout: createRedactor(forms), stderr: createRedactor(forms) };
  const hide = (text: string) => redactText(text, forms);
  for await (const event of events) {
    if (event.type === "output") {
      const data = redactors[event.stream].push(event.data);
      if (data.length > 0) yield { ...event, data };
      continue;
    }
    for (const stream of ["stdout", "stderr"] as const) {
      const data = redactors[stream].end();
      if (data.length > 0) yield { type: "output", stream, data };
    }
    if (event.type === "error") yield { ...event, name: hide(event.name), value: hide(event.value), traceback: hide(event.traceback) };
    else if (event.type === "done") yield event;
    else yield { ...event, data: redactValue(event.data, hide) as typeof event.data };
  }
}

function redactValue(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === "string") return hide(value);
  if (Array.isArray(value)) return value.map((entry) => redactValue(entry, hide));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [hide(key), redactValue(entry, hide)]));
}
