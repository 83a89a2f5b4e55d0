import { createLineFinisher, createLineReader } from "@syla/contracts/log-lines";
import type { Syla } from "@syla/sdk";
import { plainLine } from "../output/terminal-text.ts";

const mostLines = 5000;

/** A log as far as it has come. */
export interface FollowedLog {
  readonly lines: string[];
  status: string;
  /** Why nothing more comes. */
  problem: string | null;
}

/** Reads a run's log until it ends or `signal` says that it is enough. `onChange` is called when there is something new. */
export async function followLog(syla: Syla, id: string, log: FollowedLog, onChange: () => void, signal: AbortSignal): Promise<void> {
  const finish = createLineFinisher();
  const reader = createLineReader(
    (line) => line,
    (grown) => {
      log.lines.push(plainLine(finish(grown).text));
      if (log.lines.length > mostLines) log.lines.splice(0, log.lines.length - mostLines);
    },
  );
  try {
    for await (const event of syla.runs.events(id, { signal })) {
      if (event.type === "status") log.status = event.status.replace("_", " ");
      if (event.type === "end") log.status = event.run.status.replace("_", " ");
      reader.take(event);
      onChange();
    }
    reader.end();
  } catch (error) {
    if (!signal.aborted) log.problem = (error as Error).message;
  }
  onChange();
}
