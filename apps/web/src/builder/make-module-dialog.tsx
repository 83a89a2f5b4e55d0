import { Box, Button, chakra, Field, Flex, Text } from "@chakra-ui/react";
import type { FlowBody } from "@syla/contracts/flow";
import { interfaceOf, type FlowPort } from "@syla/flow/ports";
import { printType } from "@syla/flow/types";
import { isSound, validateFlow } from "@syla/flow/validate";
import type { Asset } from "@syla/sdk";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { syla } from "../app/api.ts";
import { refreshAssets } from "../catalog/queries.ts";
import { useTeams } from "../teams/queries.ts";
import { CheckBox } from "../ui/check-box.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { shownBody, useBuilder, useBuilderStore } from "./builder-store.ts";
import { adoptModule, draftModule, draftOfModule, type ModuleDraft } from "./edits/own-composition.ts";
import { kindLooks, titleOf } from "./kinds.ts";

interface MakeModuleDialogProps {
  /** Nodes; or one module that is part of this composition alone. */
  readonly ids: ReadonlySet<string>;
  readonly onMade: (text: string) => void;
  readonly onClose: () => void;
}

const firstVersion = "1.0.0";

function draftFor(body: FlowBody, ids: ReadonlySet<string>, name: string): ModuleDraft {
  const [id] = ids;
  return (ids.size === 1 && id !== undefined ? draftOfModule(body, id, name) : undefined) ?? draftModule(body, ids, name);
}

/** Makes a composition of its own of some nodes, and puts a module that is from there in their place: one step, which can be undone. */
export function MakeModuleDialog({ ids, onMade, onClose }: MakeModuleDialogProps) {
  const store = useBuilderStore();
  const body = useBuilder(shownBody);
  const client = useQueryClient();
  const teams = useTeams();
  const only = ids.size === 1 ? body.nodes.find(({ id }) => ids.has(id)) : undefined;
  const [name, setName] = useState(only?.kind === "module" && only.label !== "" ? only.label : "");
  const [ownerId, setOwnerId] = useState("");
  const [publishes, setPublishes] = useState(true);
  const draft = useMemo(() => draftFor(body, ids, name === "" ? "Module" : name), [body, ids, name]);
  const { problems } = useMemo(() => validateFlow(draft.graph), [draft]);
  const errors = problems.filter(({ severity }) => severity === "error");
  const ports = useMemo(() => interfaceOf(draft.graph), [draft]);
  const willPublish = publishes && errors.length === 0;
  const make = useMutation({
    mutationFn: async (sent: ModuleDraft) => {
      const { asset, missing } = await syla.compositions.create({ name, document: sent.graph, ...(ownerId === "" ? {} : { ownerId }) });
      // Without a version it is there all the same, as its draft.
      const published = willPublish ? await publish(asset) : { version: null, problem: null };
      return { asset, missing, ...published, graph: (await syla.compositions.graph(asset.id, published.version ?? undefined)).graph };
    },
    onSuccess: ({ asset, missing, version, problem, graph }, sent) => {
      const now = draftFor(shownBody(store.get()), ids, name);
      if (missing.length > 0 || JSON.stringify(now.graph) !== JSON.stringify(sent.graph))
        return onMade(
          missing.length > 0
            ? `“${asset.name}” is in the catalog, without what of it you may not see. The nodes stay as they are.`
            : `“${asset.name}” is in the catalog. The nodes have changed meanwhile: they stay as they are.`,
        );
      store.edit(() => adoptModule(now, { id: asset.id, version, graph }), { select: [now.id] });
      const what = `“${asset.name}” is a composition of its own now${version === null ? "" : `, version ${version}`}.`;
      onMade(problem === null ? `${what} To undo it here leaves it in the catalog.` : `${what} It was not published: ${problem}`);
    },
    onSettled: () => refreshAssets(client, null),
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate(draft, { onSuccess: onClose });
  };
  const nameProblem = fieldProblem(make.error, "name");
  return (
    <Modal label="Make a module" width="32rem" onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <Text color="fg.muted">
          {only?.kind === "module" ? "The module becomes a composition of its own" : "The nodes become a composition of their own"} in the
          catalog, which others can use as well. Whoever runs this composition then has to be allowed to run that one, too.
        </Text>
        <TextField
          label="Name"
          required
          autoFocus
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={nameProblem}
        />
        {teams.data === undefined || teams.data.length === 0 ? null : (
          <Field.Root gap="1">
            <Field.Label fontSize="sm">Owner</Field.Label>
            <SelectField label="Owner" value={ownerId} onChoose={setOwnerId} width="full">
              <option value="">you</option>
              {teams.data.map((team) => (
                <option key={team.id} value={team.id}>
                  {team.name}
                </option>
              ))}
            </SelectField>
          </Field.Root>
        )}
        <Flex gap="4" fontSize="xs">
          <PortList title="Goes in" ports={ports.inputs} />
          <PortList title="Comes out" ports={ports.outputs} />
        </Flex>
        {draft.copied.length === 0 ? null : (
          <Text fontSize="xs" color="fg.muted">
            Copied into it, because others ask it too:{" "}
            {draft.copied.map((node) => `${titleOf(node)} (${kindLooks[node.kind].label.toLowerCase()})`).join(", ")}.
          </Text>
        )}
        {isSound(problems) ? null : (
          <Box fontSize="xs">
            <Text color="fg.error">
              By itself it has {formatPlural(errors.length, "problem")}; until they are mended it is not published:
            </Text>
            <Box as="ul" pl="4" listStyleType="disc" maxH="28" overflowY="auto">
              {errors.slice(0, 20).map((problem) => (
                <li key={`${problem.path.join("/")} ${problem.node ?? ""} ${problem.code} ${problem.message}`}>{problem.message}</li>
              ))}
            </Box>
          </Box>
        )}
        <chakra.label display="flex" alignItems="center" gap="1" fontSize="sm" color={isSound(problems) ? "fg" : "fg.subtle"}>
          <CheckBox checked={willPublish} disabled={!isSound(problems)} onChange={(event) => setPublishes(event.currentTarget.checked)} />
          Publish it as {firstVersion}
        </chakra.label>
        {make.error === null || nameProblem !== null ? null : <ErrorPanel error={make.error} />}
        <Button alignSelf="flex-end" type="submit" size="sm" colorPalette="accent" loading={make.isPending}>
          Make it
        </Button>
      </Flex>
    </Modal>
  );
}

async function publish(asset: Asset): Promise<{ readonly version: string | null; readonly problem: string | null }> {
  try {
    const { version } = await syla.assets.versions.publish(asset.id, { version: firstVersion, message: "" }, asset.revision);
    return { version, problem: null };
  } catch (error) {
    return { version: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

function PortList({ title, ports }: { readonly title: string; readonly ports: readonly FlowPort[] }) {
  return (
    <Box flex="1" minW="0">
      <Text fontWeight="medium" color="fg.muted">
        {title}
      </Text>
      {ports.length === 0 ? <Text>nothing</Text> : null}
      <Box as="ul" listStyleType="none" aria-label={title} maxH="28" overflowY="auto">
        {ports.map(({ name, type }) => (
          <chakra.li key={name} overflowWrap="anywhere">
            {name}: <chakra.code>{printType(type)}</chakra.code>
          </chakra.li>
        ))}
      </Box>
    </Box>
  );
}
