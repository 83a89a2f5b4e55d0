import { LastRun, PackagesState } from "../catalog/asset-parts.tsx";
import { AddressedAsset, AssetPage, type AssetTabProps } from "../catalog/asset-page.tsx";
import { ProgramActions } from "./program-actions.tsx";
import { programTabs } from "./tabs.ts";

/** One program: what it is, its files, its versions, and who has it. */
export default function ProgramPage() {
  return <AddressedAsset type="program" content={Program} />;
}

function Program({ asset }: AssetTabProps) {
  return (
    <AssetPage
      asset={asset}
      tabs={programTabs}
      counts={{ files: asset.tree?.files ?? 0 }}
      facts={
        <>
          <LastRun asset={asset} />
          <PackagesState asset={asset} all />
        </>
      }
      actions={<ProgramActions asset={asset} />}
    />
  );
}
