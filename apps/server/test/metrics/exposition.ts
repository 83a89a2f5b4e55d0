/** One line of values of a metric. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its type, in the order of the text. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: Sample[];
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const suffixes: Readonly<Record<string, readonly string[]>> = { histogram: ["_bucket", "_sum", "_count"], counter: [""], gauge: [""] };

/** Reads the text format of Prometheus 0.0.4, and throws at whatever is not in it. */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let helped = "";
  let family: Family | null = null;
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (head !== null) {
      const [, word = "", name = "", rest = ""] = head;
      if (word === "HELP") helped = name;
      else {
        if (helped !== name || families.has(name) || suffixes[rest] === undefined) throw new Error(`out of place: ${line}`);
        families.set(name, (family = { name, type: rest, samples: [] }));
      }
      continue;
    }
    const sample = readSample(line);
    const allowed = family === null ? [] : (suffixes[family.type] ?? []).map((suffix) => `${family?.name ?? ""}${suffix}`);
    if (family === null || !allowed.includes(sample.name)) throw new Error(`a sample of no metric: ${line}`);
    const key = `${sample.name} ${keyOf(sample.labels)}`;
    if (seen.has(key)) throw new Error(`twice: ${line}`);
    if (family.type !== "gauge" && !(sample.value >= 0)) throw new Error(`a count below nothing: ${line}`);
    seen.add(key);
    family.samples.push(sample);
  }
  for (const found of families.values()) if (found.type === "histogram") checkBuckets(found);
  return families;
}

function readSample(line: string): Sample {
  const match = sampleLine.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const [, name = "", inner = "", value = ""] = match;
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < inner.length) {
    const pair = label.exec(inner);
    if (pair === null || (pair[1] ?? "") in labels) throw new Error(`labels of no shape: ${line}`);
    labels[pair[1] ?? ""] = pair[2] ?? "";
  }
  return { name, labels, value: value.endsWith("Inf") ? Number(`${value}inity`) : Number(value) };
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => a.localeCompare(b)));
}

/** Buckets grow, and the last one counts everything. */
function checkBuckets({ name, samples }: Family): void {
  const series = Map.groupBy(samples, ({ labels: { le: _le, ...rest } }) => keyOf(rest));
  for (const group of series.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels["le"]?.replace("+Inf", "Infinity")));
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const grows = buckets.every(({ value }, index) => index === 0 || value >= (buckets[index - 1]?.value ?? 0));
    const isSorted = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? Number.NaN));
    if (!grows || !isSorted || bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count)
      throw new Error(`the buckets of ${name} are in disorder`);
  }
}
