import { Button } from "@chakra-ui/react";
import { BrainCircuit, Plus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { ModelForm } from "./model-form.tsx";
import { ModelRow } from "./model-row.tsx";
import { useCreateModel, useModels } from "./queries.ts";

/** The language models that one may see. */
export default function ModelsPage() {
  const models = useModels();
  const me = useMe();
  const create = useCreateModel();
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const mayCreate = me.data != null && me.data.role !== "end_user";
  return (
    <ScrollPage>
      <PageHeader
        title="Models"
        actions={
          mayCreate && !adding ? (
            <Button size="sm" colorPalette="accent" onClick={() => setAdding(true)}>
              <Plus aria-hidden /> Add a model
            </Button>
          ) : null
        }
      />
      {adding && me.data ? (
        <Section heading="New model">
          <ModelForm
            model={null}
            ownerId={me.data.id}
            saving={create.isPending}
            error={create.error}
            saveLabel="Add model"
            onSave={(input) => create.mutate(input, { onSuccess: ({ id }) => void navigate(`/models/${id}`) })}
          />
        </Section>
      ) : null}
      <Section heading="Yours, shared and public">
        {models.isPending ? <SkeletonRows rows={3} /> : null}
        {models.isError ? <ErrorPanel error={models.error} onRetry={() => void models.refetch()} /> : null}
        {models.data?.length === 0 ? (
          <EmptyState icon={BrainCircuit} title="No models yet">
            {mayCreate ? "Add one, and let your programs call it without ever having its key." : "Ask somebody to share one with you."}
          </EmptyState>
        ) : null}
        {models.data?.map((model) => (
          <ModelRow key={model.id} model={model} />
        ))}
      </Section>
    </ScrollPage>
  );
}
