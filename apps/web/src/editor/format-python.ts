import init, { PositionEncoding, Workspace } from "@astral-sh/ruff-wasm-web";

let ready: Promise<Workspace> | null = null;

/** Python as Ruff lays it out, four spaces deep and 88 columns wide. */
export async function formatPython(text: string): Promise<string> {
  ready ??= start();
  return (await ready).format(text);
}

async function start(): Promise<Workspace> {
  await init();
  return new Workspace({}, PositionEncoding.Utf16);
}
