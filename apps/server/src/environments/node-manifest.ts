import type { FieldProblem } from "@syla/contracts/errors";
import { z } from "zod";

const Versions = z.record(z.string(), z.string());

/** What counts of a `package.json`. */
const Manifest = z.object({
  dependencies: Versions.optional(),
  devDependencies: Versions.optional(),
  optionalDependencies: Versions.optional(),
  peerDependencies: Versions.optional(),
  overrides: z.record(z.string(), z.unknown()).optional(),
});

/** The parts of a `package.json` that say what to install: nothing of the program's own that would run is among them. */
export interface NodeManifest {
  readonly text: string;
  readonly dependencies: readonly string[];
  readonly problems: readonly FieldProblem[];
}

/** Ranges, tags and aliases of the registry. Everything else is an address or a path. */
const fromRegistry = /^(?:npm:(?:@[\w.~-]+\/)?[\w.~-]+(?:@[\w\s.*^~<>=|&+-]*)?|[\w\s.*^~<>=|&+-]*)$/;

export function readNodeManifest(path: string, text: string): NodeManifest {
  const problem = (message: string): NodeManifest => ({ text: "", dependencies: [], problems: [{ path, message }] });
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\u{feff}/u, ""));
  } catch (error) {
    return problem(`is not JSON: ${(error as Error).message}`);
  }
  const parsed = Manifest.safeParse(document);
  if (!parsed.success) return problem(`\`${parsed.error.issues[0]?.path.join(".")}\` ${parsed.error.issues[0]?.message}`);
  const manifest = parsed.data;
  const entries = [manifest.dependencies, manifest.optionalDependencies].flatMap((versions) => Object.entries(versions ?? {}));
  const problems = entries
    .filter(([, range]) => !fromRegistry.test(range))
    .map(([name, range]) => ({
      path: `${path} ${name}`,
      message: `${JSON.stringify(range)} is an address; only packages of the registry can be installed`,
    }));
  const dependencies = entries.map(([name, range]) => `${name}@${range || "*"}`);
  return { text: JSON.stringify({ name: "program", version: "0.0.0", private: true, ...manifest }), dependencies, problems };
}
