import { describeOptions } from "../../apps/server/src/config.ts";
import { type GeneratedFile, formatMarkdownTable } from "./generated-file.ts";

const intro = `# Configuration of the server

A setting comes from an environment variable, else from \`config.json\` in the data directory (a flat object with the option
names as keys; \`syla config set NAME VALUE\` writes it), else from its default. It takes effect at the next start.

`;

/** `docs/configuration.gen.md`: the server's option table. */
export function generateConfigurationReference(): GeneratedFile {
  const rows = describeOptions().map((option) => [`\`${option.name}\``, `\`${option.env}\``, option.default, option.description]);
  const content = `${intro}${formatMarkdownTable(["option", "environment variable", "default", "what it does"], rows)}\n`;
  return { path: "docs/configuration.gen.md", content };
}
