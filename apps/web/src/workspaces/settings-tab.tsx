import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { type DraftNetwork, networkFields, networkInput, networkProblem } from "../runs/new/draft-network.ts";
import { NetworkPicker } from "../runs/new/network-picker.tsx";
import { CheckBox } from "../ui/check-box.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { formatBytes } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { kinds } from "./kinds.ts";
import { MirrorSection } from "./mirror-section.tsx";
import { useBulkWorkspaces, useWorkspaceChange } from "./queries.ts";
import type { WorkspaceTabProps } from "./workspace-tab.ts";

/** What a workspace is called, what runs in it may reach, and its end. */
export function SettingsTab({ workspace }: WorkspaceTabProps) {
  const { id, kind, profile, state, yourLevel, revision } = workspace;
  const [name, setName] = useState(workspace.name);
  const [description, setDescription] = useState(workspace.description);
  const [network, setNetwork] = useState<DraftNetwork>(networkFields(workspace.network));
  const [keepOnExit, setKeepOnExit] = useState(workspace.keepOnExit);
  const change = useWorkspaceChange(id);
  const problem = networkProblem(network);
  const save = () =>
    change.mutate((workspaces) =>
      workspaces.update(
        id,
        {
          name: name.trim(),
          description: description.trim(),
          network: networkInput(network),
          ...(kind === "session" ? { keepOnExit } : {}),
        },
        revision,
      ),
    );
  return (
    <Box maxW="760px" px={{ base: "4", md: "6" }} py="4">
      <Section heading="What it is">
        <chakra.form
          display="flex"
          flexDirection="column"
          gap="3"
          p="4"
          onSubmit={(event) => {
            event.preventDefault();
            if (problem === null) save();
          }}
        >
          <TextField label="Name" required maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextField
            label="Description"
            maxLength={1000}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <Flex direction="column" gap="1">
            <Text fontSize="sm" fontWeight="medium">
              Network of runs in it
            </Text>
            <NetworkPicker draft={network} problem={problem ?? undefined} onChange={setNetwork} />
          </Flex>
          {kind === "session" ? (
            <chakra.label display="flex" alignItems="center" gap="1.5">
              <CheckBox checked={keepOnExit} onChange={(event) => setKeepOnExit(event.currentTarget.checked)} />
              Archive it when its time is over, instead of deleting it
            </chakra.label>
          ) : null}
          {change.isError ? <ErrorPanel error={change.error} /> : null}
          <Button alignSelf="flex-end" type="submit" size="sm" colorPalette="accent" loading={change.isPending}>
            Save
          </Button>
        </chakra.form>
      </Section>
      <MirrorSection workspace={workspace} />
      <Section heading="What it gets">
        <DefinitionList
          items={[
            ["Kind", kinds.find((one) => one.kind === kind)?.help ?? kind],
            ["Cores", profile.cpus],
            ["Memory", formatBytes(profile.memoryBytes)],
            ["Disk", formatBytes(profile.diskBytes)],
            ["Made", <TimeAgo key="made" time={workspace.createdAt} />],
          ]}
        />
      </Section>
      {yourLevel === "admin" && state !== "deleted" ? <EndSection workspace={workspace} /> : null}
    </Box>
  );
}

function EndSection({ workspace: { id, state, kind } }: WorkspaceTabProps) {
  const change = useWorkspaceChange(id);
  const bulk = useBulkWorkspaces();
  const navigate = useNavigate();
  const refused = bulk.data?.[0]?.error;
  const remove = () =>
    bulk.mutate({ action: "delete", ids: [id] }, { onSuccess: ([result]) => (result?.ok === true ? void navigate("/workspaces") : null) });
  return (
    <Section heading="Its end">
      <Flex direction="column" gap="3" p="4">
        <Text color="fg.muted">
          {kind === "ephemeral" ? "" : "Archived it is kept and not changed until somebody resumes it. "}Deleted it can be restored for 30
          days.
        </Text>
        <Flex gap="2" wrap="wrap">
          {state === "archived" || kind === "ephemeral" ? null : (
            <Button size="sm" variant="outline" loading={change.isPending} onClick={() => change.mutate((all) => all.archive(id))}>
              Archive
            </Button>
          )}
          <Button size="sm" variant="outline" colorPalette="red" loading={bulk.isPending} onClick={remove}>
            Delete
          </Button>
        </Flex>
        {change.isError ? <ErrorPanel error={change.error} /> : null}
        {refused == null ? null : <Text color="fg.error">{refused.message}</Text>}
      </Flex>
    </Section>
  );
}
