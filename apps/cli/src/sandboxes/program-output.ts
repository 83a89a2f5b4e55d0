import { StringDecoder } from "node:string_decoder";
import { createTerminalFilter } from "../output/terminal-text.ts";

/** Writes a program's bytes to a stream of ours: as they are into a pipe, harmless on a terminal. Resolves when the stream has taken them. */
export function createProgramOutput(stream: NodeJS.WriteStream): (bytes: Uint8Array) => Promise<void> {
  const filter = createTerminalFilter();
  const decoder = new StringDecoder("utf8");
  return (bytes) =>
    new Promise((resolve, reject) => {
      const data = stream.isTTY ? filter.push(decoder.write(Buffer.from(bytes))) : bytes;
      stream.write(data, (error) => (error ? reject(error) : resolve()));
    });
}
