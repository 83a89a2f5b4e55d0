import { FlowGraph } from "@syla/contracts/flow";
import { z } from "zod";
import { formatJson, type GeneratedFile } from "./generated-file.ts";

/** `docs/composition.schema.gen.json`: what the file of a composition looks like. */
export function generateCompositionSchema(): GeneratedFile {
  return { path: "docs/composition.schema.gen.json", content: formatJson(z.toJSONSchema(FlowGraph, { io: "input" })) };
}
