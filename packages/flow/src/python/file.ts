import { Names } from "../names.ts";
import type { Annotation } from "./annotations.ts";

/** Names that generated files use for themselves; nodes get others. */
const reserved =
  "Any Callable Literal MelleaSession SamplingStrategy RejectionSamplingStrategy RepairTemplateStrategy MultiTurnStrategy MBRDRougeLStrategy ModelOutputThunk BaseModel generative start_session req AllowedHosts Awaitable inputs outputs parser argument missing result argparse asyncio json subprocess sys urllib main fetch attempt attempt_async gather time approve map_concurrently run_json syla_hooks".split(
    " ",
  );

/** One function, class or constant of a file. */
export interface Section {
  lines: string[];
  /** Where the nodes are in it: lines count from 0. */
  marks: { path: readonly string[]; node: string; from: number; to: number }[];
}

/** A file that grows: what it imports, and its sections in the order in which they were finished. */
export class PythonFile {
  readonly names = new Names(undefined, reserved);
  readonly imports = new Map<string, Set<string>>();
  readonly sections: Section[] = [];
  readonly provided = new Set<string>();
  /** Names of slots that are there already, by what makes them the same. */
  readonly slots = new Map<string, string>();

  /** `import module`, or `from module import name`. */
  use(module: string, name = ""): void {
    const names = this.imports.get(module) ?? new Set();
    this.imports.set(module, names.add(name));
  }

  annotate(annotation: Annotation): string {
    for (const [module, name] of annotation.imports) this.use(module, name);
    return annotation.text;
  }
}
