import { type ErrorEntry, errorCatalog } from "@syla/contracts/errors";
import { type GeneratedFile, formatMarkdownTable } from "./generated-file.ts";

const intro = `# Error codes

Every error of the API is a problem document (RFC 9457, \`application/problem+json\`) with one of these codes; a run that did not
succeed carries one in \`error.code\`. Codes are stable: they are never renamed and never change their meaning.

`;

/** `docs/errors.gen.md`: the catalogue as tables, one for HTTP and one for runs and the command line. */
export function generateErrorReference(): GeneratedFile {
  const entries: [string, ErrorEntry][] = Object.entries(errorCatalog);
  const overHttp = entries.filter(([, entry]) => entry.status >= 400);
  const ofRuns = entries.filter(([, entry]) => entry.status < 400);
  const httpTable = formatMarkdownTable(
    ["code", "HTTP status", "message", "what to do"],
    overHttp.map(([code, entry]) => [`\`${code}\``, String(entry.status), entry.message, entry.hint]),
  );
  const runTable = formatMarkdownTable(
    ["code", "message", "what to do"],
    ofRuns.map(([code, entry]) => [`\`${code}\``, entry.message, entry.hint]),
  );
  const content = `${intro}## Over HTTP and at start-up\n\n${httpTable}\n\n## Of a run\n\n${runTable}\n`;
  return { path: "docs/errors.gen.md", content };
}
