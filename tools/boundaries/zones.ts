import { posix } from "node:path";

/** A part of the repository that import rules speak of. */
export type Zone =
  | "contracts"
  | "flow"
  | "sdk"
  | "sandbox"
  | "testkit"
  | "server"
  | "cli"
  | "web"
  | "tests"
  | "bench"
  | "tools"
  | "settings";

const productZones = ["contracts", "flow", "sdk", "sandbox", "testkit", "server", "cli", "web"] as const;

/** What each zone may import besides itself. Dependencies point one way; what is not listed is forbidden. */
export const allowedImports: Readonly<Record<Zone, readonly Zone[]>> = {
  contracts: [],
  flow: ["contracts"],
  sdk: ["contracts"],
  sandbox: [],
  server: ["contracts", "flow", "sandbox"],
  cli: ["contracts", "flow", "sdk"],
  web: ["contracts", "flow", "sdk"],
  // It starts the real server inside the test process, and only tests may import it.
  testkit: ["contracts", "sdk", "sandbox", "server"],
  tests: [...productZones, "tools"],
  bench: ["contracts", "sdk", "sandbox", "server", "testkit"],
  // The generators read the option table, the OpenAPI builder, the commands, and what the tests expect of every route.
  tools: ["contracts", "server", "cli", "tests"],
  settings: ["testkit", "tools"],
};

function isTestPath(path: string): boolean {
  return (
    path.startsWith("e2e/") || /^(packages|apps)\/[^/]+\/test\//.test(path) || path.startsWith("tools/test/") || /\.test\.tsx?$/.test(path)
  );
}

/** The zone of a repository path, or undefined for files that no rule speaks of (examples, deploy). */
export function zoneOf(path: string): Zone | undefined {
  if (isTestPath(path)) return "tests";
  if (/^([^/]+|(packages|apps)\/[^/]+\/[^/]+)\.config\.ts$/.test(path)) return "settings";
  const [top, name] = path.split("/");
  if (top === "bench" || top === "tools") return top;
  if (top === "packages" || top === "apps") return productZones.find((zone) => zone === name);
  return undefined;
}

/**
 * Where an import leads inside the repository, as a path from its root; undefined for packages of others.
 * `@syla/runs`-style names lead into `packages/` or `apps/`.
 */
export function resolveImport(fromPath: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.normalize(posix.join(posix.dirname(fromPath), specifier));
  const own = /^@syla\/([^/]+)(?:\/(.+))?$/.exec(specifier);
  if (own === null) return undefined;
  const [, name = "", rest = "index"] = own;
  const folder = name === "server" || name === "cli" || name === "web" ? "apps" : "packages";
  return `${folder}/${name}/src/${rest}.ts`;
}
