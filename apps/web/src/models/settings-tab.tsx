import type { Model } from "@syla/sdk";
import { useState } from "react";
import type { AssetTabProps } from "../catalog/asset-page.tsx";
import { DetailsForm } from "../catalog/details-form.tsx";
import { DeleteSection, TransferSection } from "../programs/ownership-sections.tsx";
import { Section } from "../ui/page.tsx";
import { ModelForm } from "./model-form.tsx";
import { ModelTab } from "./model-tab.tsx";
import { useUpdateModel } from "./queries.ts";

/** What a model is called, how it is reached, and whose it is. */
export function SettingsTab({ asset }: AssetTabProps) {
  return (
    <ModelTab asset={asset}>
      {(model) => (
        <>
          <DetailsForm key={asset.id} asset={asset} />
          <Settings model={model} />
          {asset.isOwner ? <TransferSection asset={asset} /> : null}
          {asset.yourLevel === "admin" ? <DeleteSection asset={asset} /> : null}
        </>
      )}
    </ModelTab>
  );
}

function Settings({ model }: { readonly model: Model }) {
  const update = useUpdateModel(model.id);
  const [base, setBase] = useState(model);
  // What was changed besides the configuration is in nobody's way; what somebody else changed of it is.
  const isSame = JSON.stringify(model.config) === JSON.stringify(base.config);
  return (
    <Section heading="Settings" note={update.isSuccess ? "Saved." : null}>
      <ModelForm
        model={base}
        ownerId={model.owner.id}
        saving={update.isPending}
        error={update.error}
        saveLabel="Save"
        onSave={({ config }) => update.mutate({ config, revision: isSame ? model.revision : base.revision }, { onSuccess: setBase })}
      />
    </Section>
  );
}
