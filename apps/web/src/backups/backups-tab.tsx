import { Box, Button, Code, Flex, Input, Text } from "@chakra-ui/react";
import type { Backup, BackupStatus } from "@syla/sdk";
import { Archive } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { DefinitionList } from "../ui/definition-list.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes, formatCount, formatPlural } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { BackupJobList } from "./backup-job-list.tsx";
import { useBackups, useChangeBackups } from "./queries.ts";

/** The backups of the installation: which there are, when the next one is made, and how one is restored. */
export function BackupsTab() {
  const backups = useBackups();
  const change = useChangeBackups();
  const [note, setNote] = useState("");
  const [deleting, setDeleting] = useState<Backup | null>(null);
  if (backups.isError) return <ErrorPanel error={backups.error} onRetry={() => void backups.refetch()} />;
  if (!backups.data) return <SkeletonRows rows={8} />;
  const status = backups.data;
  if (status.place === null) return <NotConfigured />;
  const isBusy = change.isPending || status.jobs.some((job) => job.state === "running");
  const create = () => change.mutate({ kind: "create", note: note.trim() }, { onSuccess: () => setNote("") });
  return (
    <>
      {change.error ? (
        <Box mb="4">
          <ErrorPanel error={change.error} />
        </Box>
      ) : null}
      {status.problem === null ? null : <Problem {...status.problem} />}
      <Section heading="Automatic backups" note={<Link to="/admin/settings">Change</Link>}>
        <Plan status={status} />
      </Section>
      <Section heading="Backups">
        <Flex as="form" gap="2" px="4" py="3" wrap="wrap" onSubmit={(event) => (event.preventDefault(), create())}>
          <Input
            size="xs"
            flex="1 1 180px"
            maxW="320px"
            aria-label="What the backup is for"
            placeholder="What it is for, e.g. before the upgrade"
            maxLength={200}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
          <Button type="submit" size="xs" disabled={isBusy}>
            Back up now
          </Button>
        </Flex>
        {status.items.length === 0 ? (
          <EmptyState icon={Archive} title="No backup yet">
            The first one takes longest; those after it only write what is new.
          </EmptyState>
        ) : (
          <Box as="ul" listStyleType="none" aria-label="Backups" borderTopWidth="1px" borderColor="border">
            {status.items.map((backup) => (
              <BackupRow
                key={backup.id}
                backup={backup}
                isBusy={isBusy}
                onVerify={() => change.mutate({ kind: "verify", id: backup.id, deep: true })}
                onDelete={() => setDeleting(backup)}
              />
            ))}
          </Box>
        )}
      </Section>
      <Section heading="Restoring">
        <HowToRestore status={status} />
      </Section>
      <BackupJobList jobs={status.jobs} isStopping={change.isPending} onStop={(id) => change.mutate({ kind: "stop", id })} />
      {deleting === null ? null : (
        <Modal label="Delete this backup?" onClose={() => setDeleting(null)} width="28rem">
          <Box px="4" py="3">
            <Text>It cannot be restored any more. What other backups need stays.</Text>
            <Text mt="1" fontSize="xs" color="fg.muted">
              {deleting.id}, made <TimeAgo time={deleting.startedAt} />
            </Text>
            <Flex mt="4" gap="2" justify="flex-end">
              <Button size="sm" variant="outline" onClick={() => setDeleting(null)}>
                Cancel
              </Button>
              <Button
                size="sm"
                colorPalette="red"
                onClick={() => {
                  change.mutate({ kind: "delete", id: deleting.id });
                  setDeleting(null);
                }}
              >
                Delete
              </Button>
            </Flex>
          </Box>
        </Modal>
      )}
    </>
  );
}

function NotConfigured() {
  return (
    <EmptyState icon={Archive} title="Nothing is backed up">
      Set SYLA_BACKUP_TO to a folder on another disk, or to s3://bucket/prefix, and SYLA_BACKUP_PASSPHRASE to what backups are sealed with;
      then start the server again. Keep the passphrase elsewhere too: without it no backup opens.
    </EmptyState>
  );
}

function Problem({ message, hint }: { readonly message: string; readonly hint: string }) {
  return (
    <Box
      role="alert"
      mb="4"
      p="3"
      borderWidth="1px"
      borderColor="border"
      rounded="md"
      boxShadow="inset 3px 0 0 var(--chakra-colors-border-error)"
    >
      <Text fontWeight="medium">{message}</Text>
      <Text fontSize="xs" color="fg.muted">
        {hint}
      </Text>
    </Box>
  );
}

function Plan({ status }: { readonly status: BackupStatus }) {
  const last = status.jobs.find((job) => job.isAutomatic && job.kind === "create" && job.state !== "running");
  const isOff = status.everyHours === 0;
  return (
    <DefinitionList
      items={[
        [
          "Made",
          isOff ? "never by itself" : `every ${formatPlural(status.everyHours, "hour")}; the last ${formatCount(status.keep)} are kept`,
        ],
        ["Next", status.nextAt === null ? null : <TimeAgo key="next" time={status.nextAt} />],
        [
          "Last",
          last === undefined ? (
            "not yet"
          ) : (
            <Text key="last" as="span" color={last.state === "failed" ? "fg.error" : "fg"}>
              {last.state === "failed" ? `failed: ${last.report.error ?? ""} ` : null}
              <TimeAgo time={last.startedAt} />
            </Text>
          ),
        ],
        ["Repository", status.place],
        [
          "Any moment",
          status.logHours === 0
            ? "no: only the moments of backups (SYLA_BACKUP_LOG_HOURS)"
            : `the database can be taken to any moment of the last ${formatPlural(status.logHours, "hour")}`,
        ],
      ]}
    />
  );
}

interface BackupRowProps {
  readonly backup: Backup;
  readonly isBusy: boolean;
  readonly onVerify: () => void;
  readonly onDelete: () => void;
}

function BackupRow({ backup, isBusy, onVerify, onDelete }: BackupRowProps) {
  const { id, workspace, startedAt, isAutomatic, note, rows, blobs, bytes, newBytes, missing } = backup;
  const words = note !== "" ? note : isAutomatic ? "by itself" : "by hand";
  return (
    <Flex
      as="li"
      align="center"
      columnGap="4"
      rowGap="1"
      wrap="wrap"
      px="4"
      py="2.5"
      borderBottomWidth="1px"
      borderColor="border"
      _last={{ borderBottomWidth: "0" }}
    >
      <Box minW="0" flex="1 1 240px">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {workspace === null ? "Installation" : workspace.name}, {words}
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {id} · {rows > 0 ? `${formatPlural(rows, "row")}, ` : ""}
          {formatPlural(blobs, "blob")}, {formatBytes(bytes)}; {formatBytes(newBytes)} new
        </Text>
        {missing > 0 ? (
          <Text fontSize="xs" color="fg.error">
            {formatPlural(missing, "blob")} had been lost before: look at Storage
          </Text>
        ) : null}
      </Box>
      <Flex gap="2">
        <Button size="xs" variant="outline" disabled={isBusy} aria-label={`Verify ${id}`} onClick={onVerify}>
          Verify
        </Button>
        <Button size="xs" variant="outline" disabled={isBusy} aria-label={`Delete ${id}`} onClick={onDelete}>
          Delete
        </Button>
      </Flex>
      <Box ml="auto" fontSize="xs" color="fg.muted" minW="80px" textAlign="right">
        <TimeAgo time={startedAt} />
      </Box>
    </Flex>
  );
}

function HowToRestore({ status }: { readonly status: BackupStatus }) {
  return (
    <Box px="4" py="3" fontSize="sm">
      <Text>On any machine with this version of Syla or a later one, with SYLA_BACKUP_PASSPHRASE set and no server running:</Text>
      <Code display="block" my="2" p="2" overflowWrap="anywhere" whiteSpace="pre-wrap">
        syla backup restore --from {status.place} --into FOLDER
      </Code>
      {status.logHours > 0 ? (
        <>
          <Text>
            After a mistake, on this machine: stop the server, and take the database to a moment before it. What was there is set aside.
          </Text>
          <Code display="block" mt="2" p="2" overflowWrap="anywhere" whiteSpace="pre-wrap">
            syla backup restore --to-time 2026-03-01T14:05:00Z --replace
          </Code>
        </>
      ) : null}
      <Text mt="2" fontSize="xs" color="fg.muted">
        A workspace alone is backed up and restored while the server runs: syla backup create --workspace NAME.
      </Text>
    </Box>
  );
}
