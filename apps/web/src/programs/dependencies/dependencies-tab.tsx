import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { AnalysisDocument, Asset, ProgramConfig } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "react-router";
import { syla } from "../../app/api.ts";
import { useUpdateAsset } from "../../catalog/queries.ts";
import { InteractiveEnvironment } from "../../environments/interactive-environment.tsx";
import { ProgramEnvironment } from "../../environments/program-environment.tsx";
import { fieldProblem } from "../../ui/describe-error.ts";
import { DefinitionList } from "../../ui/definition-list.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Section } from "../../ui/page.tsx";
import { changedSearch } from "../../editor/use-place.ts";
import { useLooking } from "../files/use-looking.ts";
import type { AssetTabProps } from "../../catalog/asset-page.tsx";
import { PublishDialog } from "../versions/publish-dialog.tsx";
import { VersionSelect } from "../versions/version-select.tsx";
import { EntrypointChoice, type EntrypointOption } from "./entrypoint-choice.tsx";
import { SourceChoice } from "./source-choice.tsx";
import { useVersion } from "./use-version.ts";

/** What a program needs, what runs it, and how its packages stand. */
export function DependenciesTab({ asset }: AssetTabProps) {
  const [search, setSearch] = useSearchParams();
  const version = search.get("version") ?? undefined;
  const published = useVersion(asset.id, version);
  const shown = version === undefined ? asset : published.data;
  const looking = useLooking(asset.id, version, shown?.tree?.sha256 ?? null, true);
  const analysis = looking.found?.analysis ?? null;
  const mayEdit = asset.deletedAt === null && (asset.yourLevel === "edit" || asset.yourLevel === "admin");
  const mayRun = asset.deletedAt === null && asset.yourLevel !== "view";
  const choose = (next: string | null) => setSearch((before) => changedSearch(before, { version: next }), { replace: true });
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="960px">
      <Box mb="3">
        <VersionSelect asset={asset} value={version} onChoose={choose} />
      </Box>
      {published.error ? <ErrorPanel error={published.error} /> : null}
      {looking.error ? <ErrorPanel error={looking.error} onRetry={looking.look} /> : null}
      {looking.isBusy ? (
        <Text role="status" fontSize="xs" color="fg.muted" mb="3">
          Reading the files …
        </Text>
      ) : null}
      {mayEdit && version === undefined && asset.owner.type !== "system" ? (
        <NeedsForm key={asset.id} asset={asset} analysis={analysis} />
      ) : shown ? (
        <Needs config={shown.config as ProgramConfig} />
      ) : null}
      {mayRun ? <InteractiveEnvironment programId={asset.id} version={version} /> : null}
      <ProgramEnvironment programId={asset.id} version={version} canEdit={mayEdit && asset.owner.type !== "system"} canRun={mayRun} />
    </Box>
  );
}

function Needs({ config: { runtime, runtimeVersion, entrypoint, dependencies } }: { readonly config: ProgramConfig }) {
  return (
    <Section heading="What it needs">
      <DefinitionList
        items={[
          ["Language", `${runtime}${runtimeVersion === null ? "" : ` ${runtimeVersion}`}`],
          ["Entrypoint", entrypoint],
          ["Read from", dependencies.file ?? (dependencies.source === "none" ? "nothing" : "named by hand")],
          [
            "Packages",
            dependencies.packages.length === 0 ? null : dependencies.packages.map((one) => `${one.name}${one.constraint}`).join(", "),
          ],
        ]}
      />
    </Section>
  );
}

function NeedsForm({ asset, analysis }: { readonly asset: Asset; readonly analysis: AnalysisDocument | null }) {
  const config = syla.programs.config(asset);
  // What was loaded when the form was begun: a change in the meantime is told, not overwritten.
  const [base, setBase] = useState(asset);
  const [edited, setEdited] = useState<Partial<ProgramConfig>>({});
  const [publishing, setPublishing] = useState(false);
  const update = useUpdateAsset(asset.id);
  const value = { ...config, ...edited };
  const isChanged = Object.keys(edited).length > 0;
  const change = (part: Partial<ProgramConfig>) => {
    if (!isChanged) setBase(asset);
    setEdited((before) => ({ ...before, ...part }));
  };
  const save = (then: () => void) =>
    update.mutate(
      { change: { config: { ...syla.programs.config(base), ...withoutEmpty(edited) } }, revision: base.revision },
      {
        onSuccess: () => {
          setEdited({});
          then();
        },
      },
    );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    save(() => {});
  };
  const { runtime, runtimeVersion, entrypoint } = value;
  return (
    <Box as="form" onSubmit={onSubmit} mb="6">
      <Section heading="What runs it">
        <Box p="4">
          <EntrypointChoice
            value={{ runtime, runtimeVersion, entrypoint }}
            onChange={change}
            options={entrypointsOf(analysis)}
            problem={fieldProblem(update.error, "config.entrypoint")}
          />
        </Box>
      </Section>
      <Section heading="Dependencies" note="what is installed before it runs" mb="3">
        <SourceChoice
          analysis={analysis}
          language={runtime}
          value={value.dependencies}
          onChange={(dependencies) => change({ dependencies })}
        />
      </Section>
      {update.error ? (
        <Box mb="3">
          <ErrorPanel error={update.error} />
        </Box>
      ) : null}
      {isChanged ? (
        <Flex gap="2" wrap="wrap" justify="flex-end">
          <Button
            size="sm"
            variant="ghost"
            onClick={() => {
              setEdited({});
              update.reset();
            }}
          >
            Discard
          </Button>
          <Button type="submit" size="sm" variant="outline" loading={update.isPending}>
            Save
          </Button>
          <Button size="sm" colorPalette="accent" disabled={update.isPending} onClick={() => save(() => setPublishing(true))}>
            Save and publish …
          </Button>
        </Flex>
      ) : null}
      {publishing ? <PublishDialog asset={asset} onClose={() => setPublishing(false)} /> : null}
    </Box>
  );
}

/** Rows that nobody filled in are none. */
function withoutEmpty(edited: Partial<ProgramConfig>): Partial<ProgramConfig> {
  const { dependencies } = edited;
  if (dependencies === undefined) return edited;
  const packages = dependencies.packages
    .filter(({ name }) => name !== "")
    .map((one) => ({ ...one, extras: one.extras.filter((extra) => extra !== "") }));
  return { ...edited, dependencies: { ...dependencies, packages } };
}

/** The files that an analysis would start, each once, the likeliest first. */
function entrypointsOf(analysis: AnalysisDocument | null): readonly EntrypointOption[] {
  const byPath = new Map<string, EntrypointOption>();
  // A manifest names what is started; itself it is no program. A notebook is opened, and no language runs it as one.
  const manifests = new Set((analysis?.manifests ?? []).flatMap(({ file, kind }) => (kind === "inline" ? [] : [file])));
  for (const { kind, file, reason, confidence } of analysis?.entrypoints ?? [])
    if (kind !== "notebook" && !byPath.has(file) && !manifests.has(file)) byPath.set(file, { path: file, reason, confidence });
  return [...byPath.values()];
}
