import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GeneratedFile } from "./generated-file.ts";
import { type InstalledPackage, listProductionPackages } from "./installed-packages.ts";

const rule = "-".repeat(80);

const intro = `Third-party notices

Syla uses the packages below when it runs. They keep their own licences. npm downloads them when Syla is installed; a
container image contains them. This file is written by \`npm run generate\` from package-lock.json and the licence files of
the installed packages.
`;

/** `THIRD_PARTY_NOTICES`: each licence text once, below the packages that it covers. */
export function generateNotices(root: string): GeneratedFile {
  const packages = listProductionPackages(root);
  const byText = Map.groupBy(packages, (one) => one.texts.join("\n\n"));
  const sections = [...byText].map(([text, covered]) => formatSection(covered, text));
  const postgres = readFileSync(join(import.meta.dirname, "postgres-notice.txt"), "utf8").trim();
  return { path: "THIRD_PARTY_NOTICES", content: [intro, ...sections, `${rule}\n${postgres}`].join("\n").replace(/\n*$/, "\n") };
}

function formatSection(packages: readonly InstalledPackage[], text: string): string {
  const names = packages.map((one) => `${one.name} ${one.version} (${one.license})`).join("\n");
  return `${rule}\n${names}\n\n${text === "" ? "The package carries no licence file; the licence that it states is named above." : text}\n`;
}
