import type { Outcome } from "./checks.ts";
import type { FaultKind } from "./faults.ts";

interface Row {
  rounds: number;
  accepted: number;
  ended: number;
  succeeded: number;
  cancelled: number;
  failed: number;
  retried: number;
  refused: number;
  ms: number;
}

const columns = ["rounds", "accepted", "ended", "succeeded", "cancelled", "failed", "retried", "refused"] as const;

/** What came of the rounds, by what was killed. */
export class Report {
  readonly #rows = new Map<FaultKind, Row>();

  add(kind: FaultKind, { accepted, ended, succeeded, cancelled, failed, retried }: Outcome, refused: number, ms: number): void {
    const before = this.#rows.get(kind);
    const now: Row = { rounds: 1, accepted, ended, succeeded, cancelled, failed, retried, refused, ms };
    this.#rows.set(kind, before === undefined ? now : sum([before, now]));
  }

  /** A table in Markdown. */
  toText(seed: number, problems: number): string {
    const line = (name: string, row: Row) =>
      `| ${[name, ...columns.map((column) => row[column]), (row.ms / row.rounds / 1000).toFixed(1)].join(" | ")} |\n`;
    const all = sum([...this.#rows.values()]);
    const head = `| killed | ${columns.join(" | ")} | s a round |\n|---${"|---:".repeat(columns.length + 1)}|\n`;
    const rows = [...this.#rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, row]) => line(kind, row));
    const verdict = `seed ${seed}: ${all.rounds} rounds in ${(all.ms / 60_000).toFixed(1)} min, ${problems} faults of the servers`;
    return `\n${head}${rows.join("")}${line("all", all)}\n${verdict}\n`;
  }
}

function sum(rows: readonly Row[]): Row {
  const of = (key: keyof Row) => rows.reduce((total, row) => total + row[key], 0);
  return {
    rounds: of("rounds"),
    accepted: of("accepted"),
    ended: of("ended"),
    succeeded: of("succeeded"),
    cancelled: of("cancelled"),
    failed: of("failed"),
    retried: of("retried"),
    refused: of("refused"),
    ms: of("ms"),
  };
}
