import type { RunSummary, Worker } from "@syla/sdk";
import { dollars } from "../models/dollars.ts";
import { formatAge, formatDuration } from "../output/units.ts";
import { type Cell, column, widthOf } from "./cells.ts";
import { type Snapshot, slotsOf } from "./snapshot.ts";

/** What the person has chosen to look at. */
export interface MonitorView {
  /** The run that is chosen; null: the first. */
  readonly chosen: string | null;
  readonly filter: string;
  /** What is typed or asked at the foot, in place of the keys. */
  readonly prompt: string | null;
  /** What went wrong or was done lately. */
  readonly notice: string | null;
  /** The log that is followed, in place of the list. */
  readonly log: LogView | null;
}

/** A log that is followed. */
export interface LogView {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly lines: readonly string[];
  /** How many lines the view is above the end. */
  readonly back: number;
}

/** Columns and rows of the terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const formats: Readonly<Record<string, Cell["format"]>> = {
  succeeded: "green",
  failed: "red",
  timed_out: "red",
  cancelled: "yellow",
  running: "blue",
  starting: "blue",
  waiting: "yellow",
  queued: "dim",
  live: "green",
  lost: "red",
  draining: "yellow",
  drained: "yellow",
  stopped: "dim",
};

const keys = "q quit  ↑↓ select  enter log  c cancel  / filter";
const logKeys = "q quit  ←/esc back  ↑↓ scroll  c cancel";
const mostWorkers = 4;

/** The runs that can be chosen: those that go on, then those that failed; only those that the filter lets through. */
export function shownRuns({ live, failures }: Pick<Snapshot, "live" | "failures">, filter: string): readonly RunSummary[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return [...live, ...failures].filter((run) => {
    const text = [run.id, run.status, run.entrypoint, run.language, run.ownerName, run.program?.name ?? "", run.error?.code ?? ""]
      .join(" ")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The whole screen: exactly as many lines as it has rows. */
export function drawFrame(snapshot: Snapshot, view: MonitorView, size: Size): readonly (readonly Cell[])[] {
  const head = view.log === null ? headLines(snapshot, size) : [];
  const foot = footLine(view, size);
  const room = Math.max(0, size.rows - head.length - 1);
  const body = view.log === null ? listLines(snapshot, view, size, room) : logLines(view.log, size, room);
  const lines = [...head, ...body].slice(0, Math.max(0, size.rows - 1));
  while (lines.length < size.rows - 1) lines.push([]);
  return [...lines, foot];
}

function headLines(snapshot: Snapshot, { columns }: Size): readonly (readonly Cell[])[] {
  const { totals, workers, owner, url, lastMinute, at } = snapshot;
  const { statuses, total, successRate } = totals;
  const slots = workers === null ? null : slotsOf(workers);
  const clock = new Date(at).toTimeString().slice(0, 8);
  const title = `Syla  ${url}  ${owner === "all" ? "everybody's runs" : "your runs"}`;
  const running = statuses.running + statuses.starting + statuses.waiting;
  const tokens = total.inputTokens + total.outputTokens;
  return [
    [
      { text: column(title, Math.max(0, columns - clock.length - 1)), format: "bold" },
      { text: ` ${clock}`, format: "dim" },
    ],
    [
      { text: "running " },
      { text: String(running), format: running > 0 ? "blue" : "dim" },
      { text: "   waiting " },
      { text: String(statuses.queued), format: statuses.queued > 0 ? "yellow" : "dim" },
      { text: `   last minute ${lastMinute}` },
      ...(slots === null
        ? []
        : [{ text: `   slots ${slots.taken}/${slots.slots} of ${slots.workers} ${slots.workers === 1 ? "worker" : "workers"}` }]),
    ],
    [
      {
        text: [
          `24 h: ${total.runs} runs`,
          ...(successRate === null ? [] : [`${Math.floor(successRate * 100)} % succeeded`]),
          ...(total.p50Ms === null ? [] : [`half in ${formatDuration(total.p50Ms)}, 95 % in ${formatDuration(total.p95Ms)}`]),
          ...(total.calls === 0 ? [] : [`${tokens} tokens`, dollars(total.cost) + (total.unknownCosts > 0 ? " + ?" : "")]),
        ].join("  "),
        format: "dim",
      },
    ],
    [],
    ...workerLines(workers?.items ?? [], columns),
  ];
}

function workerLines(items: readonly Worker[], columns: number): readonly (readonly Cell[])[] {
  const shown = items.filter(({ state }) => state !== "stopped").slice(0, mostWorkers);
  if (shown.length === 0) return [];
  const bar = columns >= 72 ? 20 : 8;
  return [
    [{ text: "WORKERS", format: "bold" }],
    ...shown.map((worker): readonly Cell[] => {
      const state = worker.drainedAt !== null && worker.runs === 0 ? "drained" : worker.draining ? "draining" : worker.state;
      const slots = worker.slots ?? 0;
      const taken = slots === 0 ? 0 : Math.round((Math.min(worker.runs, slots) / slots) * bar);
      return [
        { text: `  ${column(`${worker.hostname}:${worker.pid}`, Math.min(28, Math.max(8, columns - 44)))} ` },
        { text: column(state, 9), format: formats[state] },
        { text: "#".repeat(taken), format: "blue" },
        { text: "-".repeat(bar - taken), format: "dim" },
        { text: ` ${worker.runs}/${worker.slots ?? "?"}` },
      ];
    }),
    [],
  ];
}

function listLines(snapshot: Snapshot, view: MonitorView, { columns }: Size, room: number): readonly (readonly Cell[])[] {
  const runs = shownRuns(snapshot, view.filter);
  const failed = new Set(snapshot.failures.map(({ id }) => id));
  const place = Math.max(
    0,
    runs.findIndex(({ id }) => id === view.chosen),
  );
  const going = runs.filter(({ id }) => !failed.has(id));
  const over = runs.filter(({ id }) => failed.has(id));
  const filtered = view.filter === "" ? "" : ` with “${view.filter}”`;
  const heading = (title: string, count: number): readonly Cell[] => [
    { text: title, format: "bold" },
    { text: ` ${count}${filtered}`, format: "dim" },
  ];
  const rows: { readonly cells: readonly Cell[]; readonly run: number | null }[] = [
    { cells: heading("RUNNING AND WAITING", going.length), run: null },
    ...(going.length === 0 ? [{ cells: [{ text: "  none", format: "dim" as const }], run: null }] : []),
    ...going.map((run, index) => ({ cells: runLine(run, index === place, columns, snapshot), run: index })),
    { cells: [], run: null },
    { cells: heading("FAILED LATELY", over.length), run: null },
    ...(over.length === 0 ? [{ cells: [{ text: "  none", format: "dim" as const }], run: null }] : []),
    ...over.map((run, index) => ({
      cells: runLine(run, index + going.length === place, columns, snapshot),
      run: index + going.length,
    })),
  ];
  const at = Math.max(
    0,
    rows.findIndex(({ run }) => run === place),
  );
  const first = Math.max(0, Math.min(at - Math.floor(room / 2), rows.length - room));
  return rows.slice(first, first + room).map(({ cells }) => cells);
}

function runLine(run: RunSummary, isChosen: boolean, columns: number, { at, owner }: Snapshot): readonly Cell[] {
  const now = Date.parse(at);
  const state = run.phase !== null && run.status === "starting" ? run.phase.replaceAll("_", " ") : run.status.replace("_", " ");
  const since = run.finishedAt ?? (run.startedAt === null ? run.createdAt : null);
  const time =
    since === null
      ? formatDuration(run.timings.runMs ?? Math.max(0, now - Date.parse(run.startedAt ?? run.createdAt)))
      : formatAge(since, now);
  const wide = columns >= 100;
  const fixed = 2 + 9 + (wide ? 22 : 11) + 12 + (wide ? 12 : 0) + (wide && owner === "all" ? 18 : 0);
  const rest = Math.max(8, columns - fixed);
  const what = run.error === null ? (run.program?.name ?? run.entrypoint) : `${run.program?.name ?? run.entrypoint}: ${run.error.message}`;
  const look = (cell: Cell): Cell => (isChosen ? { text: cell.text, format: "inverse" } : cell);
  return [
    look({ text: isChosen ? "> " : "  " }),
    look({ text: `${run.id.slice(-8)} ` }),
    look({ text: column(state, wide ? 22 : 11), format: formats[run.status] }),
    look({ text: `${column(time, 11, "right")} ` }),
    ...(wide ? [look({ text: column(run.language, 12) })] : []),
    ...(wide && owner === "all" ? [look({ text: column(run.ownerName, 18) })] : []),
    look({ text: column(what, rest) }),
  ];
}

function logLines({ id, title, status, lines, back }: LogView, { columns }: Size, room: number): readonly (readonly Cell[])[] {
  const shown = Math.max(0, room - 2);
  const last = Math.max(0, lines.length - back);
  return [
    [
      { text: column(`${title}  ${id}`, Math.max(0, columns - status.length - 1)), format: "bold" },
      { text: ` ${status}`, format: formats[status.replace(" ", "_")] },
    ],
    [{ text: back === 0 ? "" : `${back} lines below`, format: "dim" }],
    ...lines.slice(Math.max(0, last - shown), last).map((text): readonly Cell[] => [{ text }]),
  ];
}

function footLine({ prompt, notice, log }: MonitorView, { columns }: Size): readonly Cell[] {
  if (prompt !== null) return [{ text: prompt, format: "bold" }];
  const text = log === null ? keys : logKeys;
  if (notice === null) return [{ text, format: "dim" }];
  return [
    { text: column(notice, Math.max(0, columns - widthOf(text) - 2)), format: "yellow" },
    { text: `  ${text}`, format: "dim" },
  ];
}
