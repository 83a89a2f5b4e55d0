import { setTimeout as sleep } from "node:timers/promises";
import { type RunSummary, type Syla, SylaConnectionError, SylaError } from "@syla/sdk";
import { renderLine } from "./cells.ts";
import { followLog, type FollowedLog } from "./follow-log.ts";
import { drawFrame, type MonitorView, shownRuns } from "./frame.ts";
import { Screen } from "./screen.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";

interface MonitorOptions {
  readonly url: string;
  readonly owner: Snapshot["owner"];
  readonly intervalMs: number;
}

/** How long what was done is told at the foot. */
const noticeMs = 4000;

/** What the person is asked or types. */
type Asking =
  | { readonly what: "nothing" }
  | { readonly what: "filter"; readonly before: string }
  | { readonly what: "cancel"; readonly run: RunSummary };

/** Shows a server live until somebody leaves. Answers the exit code. */
export async function runMonitor(syla: Syla, { url, owner, intervalMs }: MonitorOptions): Promise<number> {
  let snapshot = await readSnapshot(syla, url, owner);
  const monitor = new Monitor(syla, snapshot);
  monitor.open();
  try {
    while (!monitor.left.aborted) {
      await sleep(intervalMs, undefined, { signal: monitor.left }).catch(() => undefined);
      if (monitor.left.aborted) break;
      try {
        snapshot = await readSnapshot(syla, url, owner, monitor.left);
        monitor.show(snapshot);
      } catch (error) {
        if (monitor.left.aborted) break;
        if (!(error instanceof SylaConnectionError) && !(error instanceof SylaError && error.status >= 500)) throw error;
        monitor.tell(`${error.message} Trying again.`);
      }
    }
  } finally {
    monitor.close();
  }
  return monitor.exitCode;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A log that is looked at. `back`: how many lines the view is above its end. */
interface OpenLog {
  readonly run: RunSummary;
  readonly followed: FollowedLog;
  readonly reading: AbortController;
  back: number;
}

/** What is on the screen, and what keys do to it. */
class Monitor {
  readonly #syla: Syla;
  readonly #screen: Screen;
  readonly #leaving = new AbortController();
  #snapshot: Snapshot;
  #chosen: string | null = null;
  #filter = "";
  #asking: Asking = { what: "nothing" };
  #notice: string | null = null;
  #noticeTimer: NodeJS.Timeout | undefined;
  #log: OpenLog | null = null;
  exitCode = 0;

  constructor(syla: Syla, snapshot: Snapshot) {
    this.#syla = syla;
    this.#snapshot = snapshot;
    this.#screen = new Screen({ onKeys: (keys) => this.#press(keys), onResize: () => this.#draw() });
  }

  get left(): AbortSignal {
    return this.#leaving.signal;
  }

  open(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, this.#signalled);
    this.#screen.open();
    this.#draw();
  }

  close(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, this.#signalled);
    clearTimeout(this.#noticeTimer);
    this.#log?.reading.abort();
    this.#screen.close();
  }

  show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#draw();
  }

  /** Says something at the foot, for a while. */
  tell(text: string): void {
    this.#notice = text;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.#notice = null;
      this.#draw();
    }, noticeMs);
    this.#draw();
  }

  readonly #signalled = (signal: keyof typeof exitCodes): void => {
    this.exitCode = exitCodes[signal];
    this.#leaving.abort();
  };

  #draw(): void {
    const { columns } = this.#screen.size;
    const lines = drawFrame(this.#snapshot, this.#view(), this.#screen.size);
    this.#screen.draw(lines.map((cells) => renderLine(process.stdout, cells, columns)));
  }

  #view(): MonitorView {
    const log = this.#log;
    return {
      chosen: this.#chosen,
      filter: this.#filter,
      prompt: this.#prompt(),
      notice: log?.followed.problem ?? this.#notice,
      log:
        log === null
          ? null
          : {
              id: log.run.id,
              title: log.run.program?.name ?? log.run.entrypoint,
              status: log.followed.status,
              lines: log.followed.lines,
              back: log.back,
            },
    };
  }

  #prompt(): string | null {
    if (this.#asking.what === "filter") return `/${this.#filter}_  enter keep  esc take back`;
    if (this.#asking.what === "cancel") return `Cancel ${this.#asking.run.id.slice(-8)} (${this.#asking.run.entrypoint})? y yes  n no`;
    return null;
  }

  #press(keys: readonly string[]): void {
    for (const key of keys) {
      if (key === "interrupt") this.#leaving.abort();
      else if (key === "suspend") this.#screen.suspend();
      else if (this.#asking.what === "filter") this.#type(key, this.#asking.before);
      else if (this.#asking.what === "cancel") this.#answer(key, this.#asking.run);
      else if (key === "q") this.#leaving.abort();
      else if (this.#log !== null) this.#scroll(key, this.#log);
      else this.#choose(key);
    }
    this.#draw();
  }

  #type(key: string, before: string): void {
    if (key === "escape") this.#filter = before;
    if (key === "enter" || key === "escape") this.#asking = { what: "nothing" };
    else if (key === "backspace") this.#filter = Array.from(this.#filter).slice(0, -1).join("");
    else if (Array.from(key).length === 1) this.#filter += key;
  }

  #answer(key: string, run: RunSummary): void {
    if (key === "y" || key === "Y") void this.#cancel(run);
    this.#asking = { what: "nothing" };
  }

  #choose(key: string): void {
    const runs = shownRuns(this.#snapshot, this.#filter);
    const place = Math.max(
      0,
      runs.findIndex(({ id }) => id === this.#chosen),
    );
    const move = (to: number) => {
      this.#chosen = runs[Math.max(0, Math.min(to, runs.length - 1))]?.id ?? null;
    };
    const run = runs[place];
    if (key === "up" || key === "k") move(place - 1);
    else if (key === "down" || key === "j") move(place + 1);
    else if (key === "page-up") move(place - 10);
    else if (key === "page-down") move(place + 10);
    else if (key === "home") move(0);
    else if (key === "end") move(runs.length - 1);
    else if (key === "/") this.#asking = { what: "filter", before: this.#filter };
    else if (key === "escape") this.#filter = "";
    else if (run !== undefined && (key === "enter" || key === "right")) this.#open(run);
    else if (run !== undefined && key === "c") this.#askToCancel(run);
  }

  #scroll(key: string, log: OpenLog): void {
    const page = Math.max(1, this.#screen.size.rows - 4);
    const move = (by: number) => {
      log.back = Math.max(0, Math.min(log.back + by, log.followed.lines.length - 1));
    };
    if (key === "up" || key === "k") move(1);
    else if (key === "down" || key === "j") move(-1);
    else if (key === "page-up") move(page);
    else if (key === "page-down") move(-page);
    else if (key === "home") move(log.followed.lines.length);
    else if (key === "end") log.back = 0;
    else if (key === "c") this.#askToCancel(log.run);
    else if (key === "escape" || key === "left" || key === "backspace") {
      log.reading.abort();
      this.#log = null;
    }
  }

  #open(run: RunSummary): void {
    const reading = new AbortController();
    const followed: FollowedLog = { lines: [], status: run.status.replace("_", " "), problem: null };
    this.#log = { run, followed, reading, back: 0 };
    // However much a program prints, the screen is drawn some times a second.
    let isDrawn = true;
    const onChange = () => {
      if (!isDrawn) return;
      isDrawn = false;
      setTimeout(() => {
        isDrawn = true;
        if (!reading.signal.aborted) this.#draw();
      }, 50).unref();
    };
    void followLog(this.#syla, run.id, followed, onChange, reading.signal);
  }

  #askToCancel(run: RunSummary): void {
    const isLive = this.#snapshot.live.some(({ id }) => id === run.id);
    if (isLive) this.#asking = { what: "cancel", run };
    else this.tell("It has ended.");
  }

  async #cancel(run: RunSummary): Promise<void> {
    const name = run.id.slice(-8);
    try {
      await this.#syla.runs.cancel(run.id, { signal: this.left });
      this.tell(`${name} is being cancelled.`);
    } catch (error) {
      if (!this.left.aborted) this.tell(`${name}: ${(error as Error).message}`);
    }
  }
}
