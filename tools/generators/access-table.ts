import type { Route } from "@syla/contracts/route";
import { routes, type RouteName } from "@syla/contracts/routes";
import { expectations } from "../../apps/server/test/access/expectations.ts";
import { expectedOutcome, standings, type Outcome, type Standing } from "../../apps/server/test/access/outcomes.ts";
import { type GeneratedFile, formatMarkdownTable } from "./generated-file.ts";

const signs: Readonly<Record<Outcome, string>> = {
  allowed: "✓",
  forbidden: "forbidden",
  hidden: "hidden",
  unauthenticated: "sign in",
  suspended: "suspended",
  "no link": "no link",
  "no scope": "scope",
  impersonating: "not as them",
};

const intro = `# Who may use which route

Every route, and what each kind of caller meets when they call it for a private thing of somebody else, \`owner\`: of a grant the level is
named, and it is one on that thing. \`apps/server/test/access/matrix.test.ts\` calls all of them against a server, looks that
whatever was refused has changed nothing and that what was done is in the audit trail, and does the same for assets that are public, a team's or the system's.

\`✓\` allowed (the call may still be wrong in other ways) · \`hidden\` answered as if there were no such thing · \`forbidden\` 403 · \`sign in\` 401 · \`scope\`
the key was not made for this · \`not as them\` refused to an administrator who acts as somebody else.

`;

/** \`docs/access.gen.md\`: routes and callers as a table, with counts. */
export function generateAccessTable(): GeneratedFile {
  const callers = Object.entries(standings) as [string, Standing][];
  const table = Object.entries(routes) as [RouteName, Route][];
  const rows = table.map(([name, route]) => {
    const expectation = expectations[name];
    const outcomes = callers.map(([, standing]) => (expectation === undefined ? null : expectedOutcome(route, expectation, standing)));
    return { name, route, outcomes };
  });
  const cells = rows.map(({ name, route, outcomes }) => [
    `\`${name}\``,
    `${route.method} ${route.path}`,
    ...outcomes.map((outcome) => (outcome === null ? "?" : signs[outcome])),
  ]);
  const counts = Object.entries(signs).map(([outcome, sign]) => [
    sign,
    "",
    ...callers.map((_, place) => String(rows.filter(({ outcomes }) => outcomes[place] === outcome).length)),
  ]);
  const head = ["route", "address", ...callers.map(([name]) => name)];
  const total = `${table.length} routes, ${callers.length} callers, ${table.length * callers.length} calls.`;
  const content = `${intro}${formatMarkdownTable(head, cells)}\n\n## Counts\n\n${total}\n\n${formatMarkdownTable(head, counts)}\n`;
  return { path: "docs/access.gen.md", content };
}
