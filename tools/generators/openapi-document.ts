import { routes } from "@syla/contracts/routes";
import { buildOpenApi } from "../../apps/server/src/platform/openapi.ts";
import { readVersion } from "../../apps/server/src/system/version.ts";
import { formatJson, type GeneratedFile } from "./generated-file.ts";

/** `docs/openapi.gen.json`: what a server answers at `/api/openapi.json`. */
export function generateOpenApi(): GeneratedFile {
  return { path: "docs/openapi.gen.json", content: formatJson(buildOpenApi(routes, readVersion())) };
}
