import { Box, Button, Field, Flex, Text } from "@chakra-ui/react";
import { SylaError, type Asset, type AssetChange, type LeastTier } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { syla } from "../app/api.ts";
import { useUpdateAsset } from "../catalog/queries.ts";
import { ModelPicker } from "../models/model-picker.tsx";
import { describeError, fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { LeastTierField } from "../runs/least-tier-field.tsx";
import { DeleteSection, TransferSection } from "./ownership-sections.tsx";
import { type Profile, useProfiles } from "./profiles.ts";
import type { AssetTabProps } from "../catalog/asset-page.tsx";

interface Form {
  readonly name: string;
  readonly slug: string;
  readonly description: string;
  readonly tags: string;
  readonly runtime: string;
  readonly runtimeVersion: string;
  readonly entrypoint: string;
  readonly args: string;
  /** Empty for none. */
  readonly modelId: string;
  /** Empty where it has limits of its own. */
  readonly profile: Profile | "";
  readonly leastTier: LeastTier;
}

function formOf(asset: Asset): Form {
  const { runtime, runtimeVersion, entrypoint, args, modelId, profile, leastTier = "namespace" } = syla.programs.config(asset);
  const { name, slug, description, tags } = asset;
  return {
    name,
    slug,
    description,
    tags: tags.join(", "),
    runtime,
    runtimeVersion: runtimeVersion ?? "",
    entrypoint,
    args: args.join("\n"),
    modelId: modelId ?? "",
    profile: typeof profile === "string" ? profile : "",
    leastTier,
  };
}

/** What differs from the asset, in its own shape. */
function changeOf(asset: Asset, form: Form): AssetChange {
  const before = formOf(asset);
  const changed = (Object.keys(form) as (keyof Form)[]).filter((key) => form[key] !== before[key]);
  const config = syla.programs.config(asset);
  return {
    ...(changed.includes("name") ? { name: form.name } : {}),
    ...(changed.includes("slug") ? { slug: form.slug } : {}),
    ...(changed.includes("description") ? { description: form.description } : {}),
    ...(changed.includes("tags") ? { tags: form.tags.split(/[\s,]+/).filter((tag) => tag !== "") } : {}),
    ...(changed.some((key) => ["runtime", "runtimeVersion", "entrypoint", "args", "modelId", "profile", "leastTier"].includes(key))
      ? {
          config: {
            ...config,
            runtime: form.runtime,
            runtimeVersion: form.runtimeVersion === "" ? null : form.runtimeVersion,
            entrypoint: form.entrypoint,
            args: form.args === "" ? [] : form.args.split("\n"),
            modelId: form.modelId === "" ? null : form.modelId,
            profile: form.profile === "" ? config.profile : form.profile,
            leastTier: form.leastTier,
          },
        }
      : {}),
  };
}

/** What a program is called, how it is run, and whose it is. */
export function SettingsTab({ asset }: AssetTabProps) {
  return (
    <Box maxW="760px" px={{ base: "4", md: "6" }} py="4">
      <DetailsForm key={asset.id} asset={asset} />
      {asset.isOwner ? <TransferSection asset={asset} /> : null}
      {asset.yourLevel === "admin" ? <DeleteSection asset={asset} /> : null}
    </Box>
  );
}

function DetailsForm({ asset }: AssetTabProps) {
  const profiles = useProfiles();
  // What was loaded when the form was opened: a change in the meantime is told, not overwritten.
  const [base, setBase] = useState(asset);
  const [form, setForm] = useState(() => formOf(asset));
  const update = useUpdateAsset(asset.id);
  const change = changeOf(base, form);
  const isChanged = Object.keys(change).length > 0;
  const conflict = update.error instanceof SylaError && update.error.code === "revision_conflict";
  const reload = () => {
    setBase(asset);
    setForm(formOf(asset));
    update.reset();
  };
  const save = (revision: number) =>
    update.mutate(
      { change, revision },
      {
        onSuccess: (saved) => {
          setBase(saved);
          setForm(formOf(saved));
        },
      },
    );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (isChanged) save(base.revision);
  };
  const field = (key: keyof Form, path: string) => ({
    value: form[key],
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => {
      const { value } = event.currentTarget;
      setForm((before) => ({ ...before, [key]: value }));
    },
    problem: fieldProblem(update.error, path),
  });
  const located = describeError(update.error).fields.length > 0;
  return (
    <Section heading="Details">
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField label="Name" required maxLength={100} {...field("name", "name")} />
        <TextField
          label="Slug"
          help="The part of its address that people read, and its name on the command line."
          {...field("slug", "slug")}
        />
        <TextAreaField label="Description" rows={3} maxLength={1000} {...field("description", "description")} />
        <TextField label="Tags" help="Ten at most, separated by commas." {...field("tags", "tags")} />
        <Flex gap="3" wrap="wrap">
          <Box flex="1 1 160px">
            <TextField label="Language" required {...field("runtime", "config.runtime")} />
          </Box>
          <Box flex="1 1 160px">
            <TextField label="Its version" placeholder="the default one" {...field("runtimeVersion", "config.runtimeVersion")} />
          </Box>
        </Flex>
        <TextField label="Entrypoint" required fontFamily="mono" {...field("entrypoint", "config.entrypoint")} />
        <TextAreaField label="Arguments" rows={2} help="One on each line." {...field("args", "config.args")} />
        <Flex gap="3" wrap="wrap">
          <Field.Root gap="1" flex="1 1 260px" invalid={fieldProblem(update.error, "config.modelId") !== null}>
            <Field.Label fontSize="sm">Model</Field.Label>
            <ModelPicker value={form.modelId} onChange={(modelId) => setForm((before) => ({ ...before, modelId }))} />
            <Field.ErrorText fontSize="xs">{fieldProblem(update.error, "config.modelId")}</Field.ErrorText>
          </Field.Root>
          <Field.Root gap="1" flex="1 1 260px">
            <Field.Label fontSize="sm">Resources</Field.Label>
            <SelectField
              label="Resources"
              width="full"
              value={form.profile}
              onChoose={(profile) => setForm((before) => ({ ...before, profile: profile as Profile | "" }))}
            >
              {formOf(base).profile === "" ? <option value="">limits of its own</option> : null}
              {profiles.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </SelectField>
          </Field.Root>
          <Field.Root gap="1" flex="1 1 260px">
            <Field.Label fontSize="sm">Isolation</Field.Label>
            <LeastTierField value={form.leastTier} onChoose={(leastTier) => setForm((before) => ({ ...before, leastTier }))} />
          </Field.Root>
        </Flex>
        {conflict ? (
          <Box role="alert" borderWidth="1px" borderColor="border" rounded="md" p="3">
            <Text mb="2">
              Somebody else has changed this since you opened it. What you have typed would replace only these fields:{" "}
              {Object.keys(change).join(", ")}.
            </Text>
            <Flex gap="2">
              <Button size="xs" variant="outline" onClick={reload}>
                Show theirs
              </Button>
              <Button size="xs" colorPalette="accent" onClick={() => save(asset.revision)}>
                Save mine all the same
              </Button>
            </Flex>
          </Box>
        ) : update.error && !located ? (
          <ErrorPanel error={update.error} />
        ) : null}
        <Flex justify="flex-end" gap="2">
          {isChanged ? (
            <Button size="sm" variant="outline" onClick={reload}>
              Discard
            </Button>
          ) : null}
          <Button type="submit" size="sm" colorPalette="accent" disabled={!isChanged} loading={update.isPending}>
            Save
          </Button>
        </Flex>
      </Flex>
    </Section>
  );
}
