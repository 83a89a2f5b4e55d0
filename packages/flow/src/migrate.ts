/** One step to the next format. It gets what may be anything but says of itself that it has the older format. */
type Step = (document: Record<string, unknown>) => Record<string, unknown>;

const newest = 1;

/** How a document of each older format becomes one of the next. There is none yet: 1 is the first. */
const steps: ReadonlyMap<number, Step> = new Map();

/**
 * The document in the newest format; undefined when its format is not known, e.g. because a newer version has written it.
 * `known` is for tests.
 */
export function migrate(document: Record<string, unknown>, known = steps, target = newest): Record<string, unknown> | undefined {
  let migrated = document;
  for (let format = document["format"]; format !== target;) {
    const step = typeof format === "number" ? known.get(format) : undefined;
    if (step === undefined || typeof format !== "number") return undefined;
    format += 1;
    migrated = { ...step(migrated), format };
  }
  return migrated;
}
