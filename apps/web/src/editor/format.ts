/** Those who know how files of a language are to be laid out; each is loaded when it is first needed. */
const formatters: readonly { readonly name: RegExp; readonly load: () => Promise<(text: string, path: string) => Promise<string>> }[] = [
  { name: /\.pyi?$/i, load: async () => (await import("./format-python.ts")).formatPython },
  {
    name: /\.(?:[cm]?[jt]sx?|json|css|scss|less|md|markdown|html?|ya?ml)$/i,
    load: async () => (await import("./format-web.ts")).formatWeb,
  },
];

/** Whether somebody knows how a file of this name is to be laid out. */
export function canFormat(path: string): boolean {
  return formatters.some(({ name }) => name.test(path));
}

/** Lays out a text as its language has it. Throws what is wrong with it, with its line, where it cannot be read. */
export async function formatText(path: string, text: string): Promise<string> {
  const found = formatters.find(({ name }) => name.test(path));
  return found === undefined ? text : await (await found.load())(text, path);
}
