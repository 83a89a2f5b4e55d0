import { textOf, type NotebookCell } from "./notebook.ts";
import type { SandboxContextEvent } from "./sandboxes/contexts.ts";

/** What cells have printed and shown: from an interpreter's events to the outputs of nbformat 4, and back to what is drawn. */

type Output = NotebookCell["outputs"][number];

/** So much of what a cell prints is kept, in characters, and of what it shows in all. */
const mostPrinted = 1_000_000;
const mostShown = 16_000_000;
const cutNote = "[what came after this was left out: a cell keeps a million characters]\n";
const shownNote = "[more was shown than a cell keeps, and left out]\n";

/** The outputs of a cell as it runs. */
export interface OutputCollector {
  /** Those so far. */
  readonly outputs: readonly Output[];
  add(event: SandboxContextEvent): void;
}

/** `executionCount`: of the cell that runs. */
export function collectOutputs(executionCount: number): OutputCollector {
  const outputs: Output[] = [];
  let [printed, shown, isCut] = [0, 0, false];
  const cut = (note: string) => {
    if (!isCut) print("stderr", note);
    isCut = true;
  };
  const print = (name: "stdout" | "stderr", text: string) => {
    const last = outputs.at(-1);
    if (last?.["output_type"] === "stream" && last["name"] === name)
      outputs[outputs.length - 1] = { ...last, text: textOf(last["text"]) + text };
    else outputs.push({ name, output_type: "stream", text });
  };
  return {
    get outputs() {
      return [...outputs];
    },
    add(event) {
      if (event.type === "done") return;
      if (event.type === "output") {
        const room = mostPrinted - printed;
        printed += event.text.length;
        if (room > 0) print(event.stream, event.text.slice(0, room));
        if (printed > mostPrinted) cut(cutNote);
      } else if (event.type === "error") {
        const { name: ename, value: evalue, traceback } = event;
        outputs.push({ ename, evalue, output_type: "error", traceback: traceback.split("\n") });
      } else {
        shown += JSON.stringify(event.data).length;
        if (shown > mostShown) return cut(shownNote);
        const metadata = event.omitted.length === 0 ? {} : { omitted: event.omitted };
        const { data } = event;
        outputs.push(
          event.type === "result"
            ? { data, execution_count: executionCount, metadata, output_type: "execute_result" }
            : { data, metadata, output_type: "display_data" },
        );
      }
    },
  };
}

/** An output as it is drawn. */
export type ShownOutput =
  | { readonly type: "text"; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "rich"; readonly data: Readonly<Record<string, unknown>>; readonly omitted: readonly string[] }
  | { readonly type: "error"; readonly text: string };

/** Null for a kind that is not known: it stays in the file. */
export function shownOutput(output: Output): ShownOutput | null {
  switch (output["output_type"]) {
    case "stream":
      return { type: "text", stream: output["name"] === "stderr" ? "stderr" : "stdout", text: textOf(output["text"]) };
    case "error": {
      const traceback: unknown = output["traceback"];
      const lines = Array.isArray(traceback) ? traceback.filter((line) => typeof line === "string").join("\n") : "";
      return { type: "error", text: lines === "" ? `${String(output["ename"])}: ${String(output["evalue"])}` : lines };
    }
    case "execute_result":
    case "display_data": {
      const { data, metadata } = output;
      if (!isRecord(data)) return null;
      const omitted: unknown = isRecord(metadata) ? metadata["omitted"] : [];
      const names = Array.isArray(omitted) ? omitted.filter((name) => typeof name === "string") : [];
      return {
        type: "rich",
        omitted: names,
        data: Object.fromEntries(Object.entries(data).map(([type, value]) => [type, formOf(type, value)])),
      };
    }
    default:
      return null;
  }
}

/** Text may be written as its lines; documents are what they are. */
function formOf(type: string, value: unknown): unknown {
  const isDocument = /^application\/(?:.*\+)?json$/.test(type);
  if (isDocument || !Array.isArray(value))
    return typeof value === "string" && type.startsWith("image/") && type !== "image/svg+xml" ? value.replaceAll(/\s/g, "") : value;
  return formOf(type, textOf(value));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
