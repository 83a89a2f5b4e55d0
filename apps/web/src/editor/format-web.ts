import type { Plugin } from "prettier";
import { format } from "prettier/standalone";

type Plugins = readonly Promise<{ readonly default: Plugin }>[];
interface Language {
  readonly parser: string;
  readonly plugins: () => Plugins;
}

const scripts = (): Plugins => [import("prettier/plugins/babel"), import("prettier/plugins/estree")];
const styles = (): Plugins => [import("prettier/plugins/postcss")];
const languages: readonly (Language & { readonly name: RegExp })[] = [
  { name: /\.[cm]?jsx?$/i, parser: "babel", plugins: scripts },
  {
    name: /\.[cm]?tsx?$/i,
    parser: "typescript",
    plugins: () => [import("prettier/plugins/typescript"), import("prettier/plugins/estree")],
  },
  { name: /\.json$/i, parser: "json", plugins: scripts },
  { name: /\.css$/i, parser: "css", plugins: styles },
  { name: /\.scss$/i, parser: "scss", plugins: styles },
  { name: /\.less$/i, parser: "less", plugins: styles },
  { name: /\.(?:md|markdown)$/i, parser: "markdown", plugins: () => [import("prettier/plugins/markdown")] },
  { name: /\.html?$/i, parser: "html", plugins: () => [import("prettier/plugins/html"), ...scripts(), ...styles()] },
  { name: /\.ya?ml$/i, parser: "yaml", plugins: () => [import("prettier/plugins/yaml")] },
];

/** Languages of the web as Prettier lays them out. */
export async function formatWeb(text: string, path: string): Promise<string> {
  const language = languages.find(({ name }) => name.test(path));
  if (language === undefined) return text;
  const plugins = (await Promise.all(language.plugins())).map((plugin) => plugin.default);
  try {
    return await format(text, { parser: language.parser, plugins });
  } catch (cause) {
    throw new Error(firstLine(cause), { cause });
  }
}

/** Prettier draws the place below the message. */
function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0] ?? "";
}
