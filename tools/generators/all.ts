import { renderRouteTable } from "../generate-sdk-routes.ts";
import { repositoryRoot } from "../source-files.ts";
import { generateAccessTable } from "./access-table.ts";
import { generateCompositionSchema } from "./composition-schema.ts";
import { generateConfigurationReference } from "./configuration-reference.ts";
import { generateErrorReference } from "./error-reference.ts";
import type { GeneratedFile } from "./generated-file.ts";
import { generateManPage } from "./man-page.ts";
import { generateNotices } from "./notices.ts";
import { generateOpenApi } from "./openapi-document.ts";
import { generateProjectSchema } from "./project-schema.ts";
import { generateWireHashes } from "./wire-shapes.ts";

/** Every generated file as it should be now. */
export function generateAll(): GeneratedFile[] {
  return [
    generateAccessTable(),
    generateCompositionSchema(),
    generateConfigurationReference(),
    generateErrorReference(),
    generateOpenApi(),
    generateManPage(),
    generateProjectSchema(),
    generateWireHashes(),
    { path: "packages/sdk/src/routes.gen.ts", content: renderRouteTable() },
    generateNotices(repositoryRoot),
  ];
}
