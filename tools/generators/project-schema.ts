import { ProjectFile } from "@syla/contracts/project-file";
import { z } from "zod";
import { formatJson, type GeneratedFile } from "./generated-file.ts";

/** `docs/project-file.schema.gen.json`: what editors check a `.syla.yml` against. */
export function generateProjectSchema(): GeneratedFile {
  return { path: "docs/project-file.schema.gen.json", content: formatJson(z.toJSONSchema(ProjectFile, { io: "input" })) };
}
