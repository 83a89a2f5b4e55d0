import type { SourceFile } from "../source-files.ts";
import { lineAt, listImports, visitNodes } from "../syntax.ts";
import type { Violation } from "./violation.ts";
import { resolveImport } from "./zones.ts";

const serverSource = "apps/server/src/";

/** Folders of the server that are not domains. */
const notDomains = new Set(["platform", "migrations"]);

/** A statement, not a word: prose such as "Update the row" must not match. */
const sqlText =
  /^\s*(select\b[\s\S]*\bfrom\b|insert\s+into\s|update\s+[\w."]+\s+set\b|delete\s+from\s|create\s+(table|index)\s|alter\s+table\s)/i;

/** Rules inside the server: domains meet through services, the environment is read once, SQL lies in stores. */
export function checkServerFile(file: SourceFile): Violation[] {
  if (!file.path.startsWith(serverSource)) return [];
  return [...checkDomains(file), ...checkEnvironment(file), ...checkSql(file), ...checkRoles(file)];
}

function domainOf(path: string): string | undefined {
  if (!path.startsWith(serverSource)) return undefined;
  const [folder = "", ...rest] = path.slice(serverSource.length).split("/");
  return rest.length === 0 || notDomains.has(folder) ? undefined : folder;
}

function checkDomains(file: SourceFile): Violation[] {
  const own = domainOf(file.path);
  const inPlatform = file.path.startsWith(`${serverSource}platform/`);
  return listImports(file).flatMap(({ specifier, line, typeOnly }): Violation[] => {
    const target = resolveImport(file.path, specifier);
    const domain = target === undefined ? undefined : domainOf(target);
    if (target === undefined || domain === undefined || domain === own) return [];
    const report = (rule: string, message: string): Violation[] => [{ path: file.path, line, rule, message }];
    if (inPlatform) return report("platform-below-domains", `platform must not import the domain ${domain}`);
    if (own === undefined) return [];
    if (target.endsWith("/store.ts"))
      return report("no-foreign-store", `${own} must ask ${domain}/service.ts instead of reading its tables`);
    if (!target.endsWith("/service.ts") && !typeOnly)
      return report("through-service", `${own} may call only ${domain}/service.ts, not ${specifier}`);
    return [];
  });
}

function checkEnvironment(file: SourceFile): Violation[] {
  if (file.path === `${serverSource}config.ts`) return [];
  const offsets: number[] = [];
  visitNodes(file, {
    MemberExpression(node) {
      const isProcess = node.object.type === "Identifier" && node.object.name === "process";
      const isEnv = node.computed
        ? node.property.type === "Literal" && node.property.value === "env"
        : node.property.type === "Identifier" && node.property.name === "env";
      if (isProcess && isEnv) offsets.push(node.start);
    },
    VariableDeclarator(node) {
      if (node.init?.type !== "Identifier" || node.init.name !== "process" || node.id.type !== "ObjectPattern") return;
      const takesEnv = node.id.properties.some((p) => p.type === "Property" && p.key.type === "Identifier" && p.key.name === "env");
      if (takesEnv) offsets.push(node.start);
    },
    ImportDeclaration(node) {
      if (!/^(node:)?process$/.test(node.source.value)) return;
      const takesEnv = node.specifiers.some(
        (s) => s.type === "ImportSpecifier" && s.imported.type === "Identifier" && s.imported.name === "env",
      );
      if (takesEnv) offsets.push(node.start);
    },
  });
  const message = "only config.ts reads the environment; take a value from the configuration";
  return offsets.map((offset) => ({ path: file.path, line: lineAt(file.text, offset), rule: "one-environment-reader", message }));
}

/** Where a role is what is looked after, not what decides; each with the reason. */
const speakOfRoles: Readonly<Record<string, string>> = {
  "admin/service.ts": "keeps the last administrator, and lets nobody act as one",
  "quotas/limits.ts": "the numbers of each role",
  "teams/service.ts": "keeps the last owner",
  "teams/store.ts": "counts the owners",
};
const roleName = /^(end_user|developer|admin|owner|member)$/;

/** Who may do what is decided by `can`, and nowhere else: nothing outside of access/ compares a role. */
function checkRoles(file: SourceFile): Violation[] {
  const own = file.path.slice(serverSource.length);
  if (own.startsWith("access/") || own in speakOfRoles) return [];
  const violations: Violation[] = [];
  visitNodes(file, {
    BinaryExpression(node) {
      if (!/^[!=]==?$/.test(node.operator)) return;
      const sides = [node.left, node.right];
      const isRole = sides.some((side) => {
        const named = side.type === "MemberExpression" && !side.computed ? side.property : side;
        return named.type === "Identifier" && /^role$|Role$|_role$/.test(named.name);
      });
      const isNamed = sides.some((side) => side.type === "Literal" && typeof side.value === "string" && roleName.test(side.value));
      if (!isRole || !isNamed) return;
      const message = "who may do what is decided by `can` in access/permission.ts, not by comparing roles";
      violations.push({ path: file.path, line: lineAt(file.text, node.start), rule: "one-permission-check", message });
    },
  });
  return violations;
}

function maySpeakSql(path: string): boolean {
  return path.endsWith("/store.ts") || path.startsWith(`${serverSource}platform/`) || path.startsWith(`${serverSource}migrations/`);
}

function checkSql(file: SourceFile): Violation[] {
  if (maySpeakSql(file.path)) return [];
  const violations: Violation[] = listImports(file)
    .filter(({ specifier, typeOnly }) => !typeOnly && /^(kysely|pg|postgres)(\/|$)/.test(specifier))
    .map(({ specifier, line }) => ({
      path: file.path,
      line,
      rule: "sql-in-stores",
      message: `${specifier} belongs into store.ts or platform/`,
    }));
  const report = (offset: number): void =>
    void violations.push({
      path: file.path,
      line: lineAt(file.text, offset),
      rule: "sql-in-stores",
      message: "this SQL belongs into store.ts",
    });
  visitNodes(file, {
    Literal(node) {
      if (typeof node.value === "string" && sqlText.test(node.value)) report(node.start);
    },
    TemplateLiteral(node) {
      if (sqlText.test(node.quasis.map((part) => part.value.cooked ?? "").join("?"))) report(node.start);
    },
  });
  return violations;
}
