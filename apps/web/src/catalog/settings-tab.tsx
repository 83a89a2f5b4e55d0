import { Box } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { DetailsForm } from "./details-form.tsx";
import { DeleteSection, TransferSection } from "../programs/ownership-sections.tsx";

/** What an asset is called, and whose it is. */
export function SettingsTab({ asset }: { readonly asset: Asset }) {
  return (
    <Box maxW="760px" px={{ base: "4", md: "6" }} py="4">
      <DetailsForm key={asset.id} asset={asset} />
      {asset.isOwner ? <TransferSection asset={asset} /> : null}
      {asset.yourLevel === "admin" ? <DeleteSection asset={asset} /> : null}
    </Box>
  );
}
