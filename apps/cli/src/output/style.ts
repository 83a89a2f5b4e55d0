import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/** Colours text if the stream is a terminal that shows colours (`NO_COLOR` and `FORCE_COLOR` count). */
export function style(stream: NodeJS.WriteStream, format: Format, text: string): string {
  return styleText(format, text, { stream, validateStream: true });
}

const statusFormats: ReadonlyMap<string, Format> = new Map([
  ["succeeded", "green"],
  ["ok", "green"],
  ["failed", "red"],
  ["error", "red"],
  ["timed_out", "red"],
  ["cancelled", "yellow"],
  ["warning", "yellow"],
  ["running", "blue"],
  ["live", "green"],
  ["lost", "red"],
  ["draining", "yellow"],
]);

/** A status word in its colour. */
export function styleStatus(stream: NodeJS.WriteStream, status: string): string {
  const format = statusFormats.get(status);
  return format === undefined ? status : style(stream, format, status);
}
