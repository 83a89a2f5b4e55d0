import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { WorkspaceMirror } from "@syla/sdk";
import { GitCompareArrows, type LucideIcon, OctagonX, RefreshCw, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { formatEvery, MirrorForm } from "./mirror-form.tsx";
import { useMirror, useMirrorChange } from "./queries.ts";
import type { WorkspaceTabProps } from "./workspace-tab.ts";

const shownPaths = 10;

interface StateLook {
  readonly label: string;
  readonly color: string;
  readonly icon: LucideIcon;
  readonly help: string;
}

const looks: Readonly<Record<WorkspaceMirror["state"], StateLook>> = {
  following: { label: "Following", color: "fg.success", icon: RefreshCw, help: "" },
  diverged: {
    label: "Diverged",
    color: "fg.warning",
    icon: GitCompareArrows,
    help: "Change one of the two so that they agree, or say whose files stay.",
  },
  failing: { label: "Failing", color: "fg.warning", icon: TriangleAlert, help: "The files are as they were. It is tried again." },
  stopped: {
    label: "Stopped",
    color: "fg.error",
    icon: OctagonX,
    help: "The files are as they were. Set it anew to go on with your rights.",
  },
};

/** The repository that the workspace follows, how that goes, and its end. */
export function MirrorSection({ workspace }: WorkspaceTabProps) {
  const { id, state } = workspace;
  const mirror = useMirror(id);
  const change = useMirrorChange(id);
  const [isChanging, setIsChanging] = useState(false);
  const isAsleep = state === "archived";
  return (
    <Section heading="Mirror of a git repository">
      {mirror.isPending ? <SkeletonRows rows={2} /> : null}
      {mirror.isError ? <ErrorPanel error={mirror.error} onRetry={() => void mirror.refetch()} /> : null}
      {mirror.data == null || isChanging ? null : <MirrorState mirror={mirror.data} />}
      <Flex direction="column" gap="3" p="4" pt={mirror.data == null || isChanging ? "4" : "0"}>
        {change.isError ? <ErrorPanel error={change.error} /> : null}
        {isAsleep ? <Text color="fg.muted">Nothing is fetched while the workspace is archived.</Text> : null}
        {mirror.data === undefined || isAsleep ? null : mirror.data === null || isChanging ? (
          <MirrorForm
            key={isChanging ? "change" : "new"}
            mirror={mirror.data}
            error={change.error}
            isPending={change.isPending}
            onSet={(input) => change.mutate((mirrors) => mirrors.set(id, input), { onSuccess: () => setIsChanging(false) })}
            {...(isChanging ? { onCancel: () => setIsChanging(false) } : {})}
          />
        ) : (
          <MirrorActions id={id} mirror={mirror.data} change={change} onChange={() => setIsChanging(true)} />
        )}
      </Flex>
    </Section>
  );
}

function MirrorState({ mirror }: { readonly mirror: WorkspaceMirror }) {
  const { url, ref, path, everyMinutes, createdBy, state, commit, changedAt, checkedAt, nextAt, problem } = mirror;
  const { label, color, icon: Icon, help } = looks[state];
  return (
    <>
      <DefinitionList
        items={[
          [
            "State",
            <Flex key="state" as="span" align="center" gap="1.5" color={color} data-mirror-state={state}>
              <Icon size={14} aria-hidden />
              <Text as="span" fontWeight="medium">
                {label}
              </Text>
            </Flex>,
          ],
          ["Repository", url],
          ["Branch", ref ?? "its default one"],
          ["Folder", path],
          ["Looked at", checkedAt === null ? "not yet" : <TimeAgo key="looked" time={checkedAt} />],
          ["Next", nextAt === null ? "when you ask for it" : <TimeAgo key="next" time={nextAt} />],
          ["Every", formatEvery(everyMinutes)],
          [
            "Came in last",
            commit === null || changedAt === null ? (
              "nothing yet"
            ) : (
              <span key="came">
                commit <code>{commit.slice(0, 12)}</code>, <TimeAgo time={changedAt} />
              </span>
            ),
          ],
          ["With the rights of", createdBy?.name ?? "nobody"],
        ]}
      />
      {problem === null ? null : (
        <Box role="status" px="4" pb="3">
          <Text fontWeight="medium" overflowWrap="anywhere">
            {problem.message}
          </Text>
          <Text color="fg.muted">{help}</Text>
          {problem.paths.length === 0 ? null : (
            <Box as="ul" ps="5" aria-label="Files that both have changed">
              {problem.paths.slice(0, shownPaths).map((changed) => (
                <Box as="li" key={changed} fontFamily="mono" fontSize="xs" overflowWrap="anywhere">
                  {changed}
                </Box>
              ))}
            </Box>
          )}
          <Text mt="1" fontFamily="mono" fontSize="xs" color="fg.subtle">
            {problem.code}
          </Text>
        </Box>
      )}
    </>
  );
}

interface MirrorActionsProps {
  readonly id: string;
  readonly mirror: WorkspaceMirror;
  readonly change: ReturnType<typeof useMirrorChange>;
  readonly onChange: () => void;
}

function MirrorActions({ id, mirror, change, onChange }: MirrorActionsProps) {
  const fetch = (onConflict?: "mine" | "theirs") => change.mutate((mirrors) => mirrors.fetch(id, onConflict));
  const end = () =>
    change.mutate(async (mirrors) => {
      await mirrors.delete(id);
      return null;
    });
  return (
    <Flex gap="2" wrap="wrap">
      <Button size="sm" colorPalette="accent" loading={change.isPending} loadingText="Mirroring" onClick={() => fetch()}>
        Mirror now
      </Button>
      {mirror.state === "diverged" ? (
        <>
          <Button size="sm" variant="outline" disabled={change.isPending} onClick={() => fetch("mine")}>
            Keep the workspace’s
          </Button>
          <Button size="sm" variant="outline" disabled={change.isPending} onClick={() => fetch("theirs")}>
            Take the repository’s
          </Button>
        </>
      ) : null}
      <Button size="sm" variant="outline" disabled={change.isPending} onClick={onChange}>
        Change
      </Button>
      <Button size="sm" variant="outline" colorPalette="red" disabled={change.isPending} onClick={end}>
        Stop mirroring
      </Button>
    </Flex>
  );
}
