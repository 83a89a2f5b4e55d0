import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { levelCovers } from "@syla/contracts/access";
import type { Artifact, Run } from "@syla/sdk";
import { useMutation } from "@tanstack/react-query";
import { Link as LinkIcon } from "lucide-react";
import { useState } from "react";
import { useAccess } from "../../access/queries.ts";
import { useClient } from "../../app/client.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatExact } from "../../ui/format.ts";
import { Modal } from "../../ui/modal.tsx";
import { SelectField } from "../../ui/select-field.tsx";
import { ShownOnce } from "../../ui/shown-once.tsx";

interface ArtifactLinksProps {
  readonly run: Run;
  /** The one that is looked at. */
  readonly artifact: Artifact | undefined;
}

/** Makes links with which anybody can download, for whoever may share the run. */
export function ArtifactLinks({ run, artifact }: ArtifactLinksProps) {
  const [open, setOpen] = useState(false);
  const level = useAccess({ resourceType: "run", resourceId: run.id }).data?.level ?? "view";
  if (!levelCovers(level, "admin")) return null;
  return (
    <>
      <Button size="xs" variant="outline" onClick={() => setOpen(true)}>
        <LinkIcon aria-hidden /> Link
      </Button>
      {open ? <LinkDialog run={run} artifact={artifact} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

const lifetimes = [
  [3600, "1 hour"],
  [86_400, "1 day"],
  [7 * 86_400, "7 days"],
] as const;

function LinkDialog({ run, artifact, onClose }: ArtifactLinksProps & { readonly onClose: () => void }) {
  const { syla } = useClient();
  const [what, setWhat] = useState(artifact === undefined ? "all" : "one");
  const [seconds, setSeconds] = useState(3600);
  const make = useMutation({
    mutationFn: () =>
      syla.runs.createArtifactLink(run.id, {
        expiresInSeconds: seconds,
        ...(what === "one" && artifact !== undefined && { artifactId: artifact.id }),
      }),
  });
  const revoke = useMutation({ mutationFn: () => syla.runs.revokeArtifactLinks(run.id), onSuccess: () => make.reset() });
  const error = make.error ?? revoke.error;
  return (
    <Modal label="A link to download" onClose={onClose} width="38rem">
      <Box px="4" py="3">
        <Text fontSize="sm" color="fg.muted" mb="3">
          Anybody who has the link can download, without signing in, until it expires or is revoked, as long as you may read the run.
        </Text>
        <Flex gap="2" wrap="wrap" align="center">
          <SelectField label="What" size="xs" value={what} onChoose={setWhat} width="52">
            {artifact === undefined ? null : <option value="one">{artifact.path.slice(0, 60)}</option>}
            <option value="all">everything, as a zip archive</option>
          </SelectField>
          <SelectField label="Expires after" size="xs" width="24" value={String(seconds)} onChoose={(value) => setSeconds(Number(value))}>
            {lifetimes.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </SelectField>
          <Button size="xs" colorPalette="accent" loading={make.isPending} onClick={() => make.mutate()}>
            Make a link
          </Button>
          <Button size="xs" variant="ghost" loading={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke all links
          </Button>
        </Flex>
        {revoke.isSuccess && !make.isSuccess ? (
          <Text role="status" fontSize="xs" color="fg.muted" mt="2">
            The links that were made so far lead nowhere any more.
          </Text>
        ) : null}
        {error ? (
          <Box mt="3">
            <ErrorPanel error={error} />
          </Box>
        ) : null}
      </Box>
      {make.data ? <ShownOnce text={make.data.url}>Until {formatExact(make.data.expiresAt)}</ShownOnce> : null}
    </Modal>
  );
}
