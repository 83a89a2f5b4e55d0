import type { SourceFile } from "../source-files.ts";
import { listImports, type ModuleImport } from "../syntax.ts";
import type { Violation } from "./violation.ts";
import { allowedImports, resolveImport, type Zone, zoneOf } from "./zones.ts";

/** A package or built-in that some part must never import, and why. */
interface ForbiddenPackage {
  readonly from: RegExp;
  readonly specifier: RegExp;
  readonly reason: string;
}

const forbiddenPackages: readonly ForbiddenPackage[] = [
  {
    from: /^packages\/(contracts|flow)\/src\//,
    specifier: /^(node:|react|fastify|kysely|pg$)/,
    reason: "contracts and flow are pure: no IO, no framework",
  },
  { from: /^packages\/sdk\/src\//, specifier: /^(node:|react)/, reason: "the SDK runs in browsers too" },
  { from: /^apps\/web\/src\/ui\//, specifier: /^@tanstack\/react-query/, reason: "the design system fetches nothing" },
  { from: /^apps\/web\/src\//, specifier: /^node:/, reason: "browsers have no Node built-ins" },
];

/** What may import what: between the parts of the repository, and between the domains of the server. */
export function checkImports(file: SourceFile): Violation[] {
  const zone = zoneOf(file.path);
  if (zone === undefined) return [];
  return listImports(file).flatMap((found) => {
    const problem = zoneProblem(file.path, zone, found) ?? packageProblem(file.path, found);
    return problem === undefined ? [] : [{ path: file.path, line: found.line, ...problem }];
  });
}

type Problem = Pick<Violation, "rule" | "message">;

function zoneProblem(path: string, zone: Zone, found: ModuleImport): Problem | undefined {
  const target = resolveImport(path, found.specifier);
  if (target === undefined) return undefined;
  const targetZone = zoneOf(target);
  if (targetZone === zone || targetZone === undefined) return undefined;
  if (!allowedImports[zone].includes(targetZone))
    return { rule: "one-way", message: `${zone} must not import ${targetZone} (${found.specifier})` };
  if (found.specifier.startsWith(".") && target.startsWith("packages/") && zone !== "tests") {
    return { rule: "by-name", message: `import the package by its name instead of ${found.specifier}` };
  }
  return undefined;
}

function packageProblem(path: string, found: ModuleImport): Problem | undefined {
  const forbidden = forbiddenPackages.find((entry) => entry.from.test(path) && entry.specifier.test(found.specifier));
  return forbidden && { rule: "pure-part", message: `${found.specifier}: ${forbidden.reason}` };
}
