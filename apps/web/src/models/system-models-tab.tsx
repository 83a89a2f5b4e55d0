import { Box, Button } from "@chakra-ui/react";
import { BrainCircuit, Plus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { ModelForm } from "./model-form.tsx";
import { ModelRow } from "./model-row.tsx";
import { useCreateModel, useModels } from "./queries.ts";

type Audience = "private" | "public";

/** The models that administrators keep for everybody. Each has its page, where it is changed, shared and capped. */
export function SystemModelsTab() {
  const models = useModels("system");
  const create = useCreateModel();
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const [visibility, setVisibility] = useState<Audience>("public");
  return (
    <>
      <Section
        heading="System models"
        note="Everybody calls them with the system’s credential, which nobody sees; administrators alone change them."
      >
        {models.isPending ? <SkeletonRows rows={2} /> : null}
        {models.isError ? <ErrorPanel error={models.error} onRetry={() => void models.refetch()} /> : null}
        {models.data?.length === 0 ? (
          <EmptyState icon={BrainCircuit} title="No system models yet">
            Add one, and nobody here needs a key of their own.
          </EmptyState>
        ) : null}
        {models.data?.map((model) => (
          <ModelRow key={model.id} model={model} />
        ))}
        {adding ? null : (
          <Box px="4" py="3">
            <Button size="sm" variant="outline" onClick={() => setAdding(true)}>
              <Plus aria-hidden /> Add a system model
            </Button>
          </Box>
        )}
      </Section>
      {adding ? (
        <Section heading="New system model">
          <Box px="4" pt="4">
            <SelectField label="Who may select it" value={visibility} onChoose={(chosen) => setVisibility(chosen as Audience)}>
              <option value="public">everybody may select it</option>
              <option value="private">those with whom it is shared may select it</option>
            </SelectField>
          </Box>
          <ModelForm
            model={null}
            ownerId="system"
            saving={create.isPending}
            error={create.error}
            saveLabel="Add model"
            onSave={(input) =>
              create.mutate({ ...input, ownerId: "system", visibility }, { onSuccess: ({ id }) => void navigate(`/models/${id}`) })
            }
          />
        </Section>
      ) : null}
    </>
  );
}
