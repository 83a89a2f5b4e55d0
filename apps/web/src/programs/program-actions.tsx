import { Button } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { Download, FolderInput, PackageCheck } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { ShareButton } from "../access/share-button.tsx";
import { syla } from "../app/api.ts";
import { CloneButton } from "../catalog/clone-button.tsx";
import { RunProgramButton } from "./run-program-dialog.tsx";
import { PublishDialog } from "./versions/publish-dialog.tsx";

/** What can be done with a program, as far as the person may. */
export function ProgramActions({ asset }: { readonly asset: Asset }) {
  const [publishing, setPublishing] = useState(false);
  const mayEdit = asset.deletedAt === null && (asset.yourLevel === "edit" || asset.yourLevel === "admin");
  const mayRun = asset.deletedAt === null && asset.yourLevel !== "view";
  const { entrypoint, args } = runFacts(asset);
  return (
    <>
      <Button size="xs" variant="outline" asChild>
        <a href={syla.assets.exportUrl([asset.id]) ?? undefined} download>
          <Download aria-hidden /> Export
        </a>
      </Button>
      {asset.deletedAt === null ? <CloneButton asset={asset} /> : null}
      {asset.deletedAt === null && asset.owner.type !== "system" ? (
        <ShareButton thing={{ resourceType: "asset", resourceId: asset.id }} />
      ) : null}
      {mayRun ? <RunProgramButton programId={asset.id} name={asset.name} entrypoint={entrypoint} args={args} /> : null}
      {mayEdit ? (
        <Button size="xs" variant="outline" asChild>
          <Link to={`/programs/new?into=${asset.id}`}>
            <FolderInput aria-hidden /> Import again
          </Link>
        </Button>
      ) : null}
      {mayEdit ? (
        <Button size="xs" variant="outline" onClick={() => setPublishing(true)}>
          <PackageCheck aria-hidden /> Publish
        </Button>
      ) : null}
      {publishing ? <PublishDialog asset={asset} onClose={() => setPublishing(false)} /> : null}
    </>
  );
}

/** What the form of a run begins with. */
function runFacts({ config }: Asset): { entrypoint: string; args: readonly string[] } {
  const { entrypoint, args } = config;
  return {
    entrypoint: typeof entrypoint === "string" ? entrypoint : "",
    args: Array.isArray(args) ? args.filter((word): word is string => typeof word === "string") : [],
  };
}
