import { Box, Code, Text } from "@chakra-ui/react";
import type { StorageFinding } from "@syla/sdk";
import { Link } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useStorageJob } from "./queries.ts";

/** What a job found that is not whole, and what needs it. */
export function FindingsDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const job = useStorageJob(id);
  const report = job.data?.report;
  return (
    <Modal label="Damaged or missing content" onClose={onClose} width="44rem">
      {job.isError ? <ErrorPanel error={job.error} onRetry={() => void job.refetch()} /> : null}
      {job.isPending ? <SkeletonRows rows={4} /> : null}
      {report === undefined ? null : (
        <Box as="ul" listStyleType="none" px="4" py="2">
          {report.findings.map((finding) => (
            <FindingRow key={finding.sha256} finding={finding} />
          ))}
        </Box>
      )}
      {report !== undefined && report.findingCount > report.findings.length ? (
        <Text fontSize="xs" color="fg.muted">
          and {formatCount(report.findingCount - report.findings.length)} more
        </Text>
      ) : null}
    </Modal>
  );
}

const outcomes: Readonly<Record<StorageFinding["outcome"], string>> = {
  found: "not repaired",
  restored: "restored",
  quarantined: "taken out of use: no store has it whole",
  lost: "no store has it",
};

function FindingRow({ finding }: { readonly finding: StorageFinding }) {
  const { sha256, problem, referrers, outcome, detail } = finding;
  return (
    <Box as="li" py="2" borderBottomWidth="1px" borderColor="border" _last={{ borderBottomWidth: "0" }}>
      <Code fontSize="xs" overflowWrap="anywhere">
        {sha256}
      </Code>
      <Text fontSize="sm">
        {problem}; {outcomes[outcome]}
        {detail === null ? "" : ` (${detail})`}
      </Text>
      {referrers.map((referrer) => (
        <Text key={referrer} fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          <Referrer text={referrer} />
        </Text>
      ))}
      {referrers.length === 0 ? (
        <Text fontSize="xs" color="fg.muted">
          nothing refers to it
        </Text>
      ) : null}
    </Box>
  );
}

const pages: readonly (readonly [RegExp, string])[] = [
  [/\brun_[0-9a-z]{26}\b/, "/runs/"],
  [/\bprog_[0-9a-z]{26}\b/, "/programs/"],
  [/\bcomp_[0-9a-z]{26}\b/, "/compositions/"],
];

/** What needs the content, with a link to it. */
function Referrer({ text }: { readonly text: string }) {
  for (const [pattern, path] of pages) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const [id] = found;
    return (
      <>
        {text.slice(0, found.index)}
        <Link to={`${path}${id}`}>{id}</Link>
        {text.slice(found.index + id.length)}
      </>
    );
  }
  return text;
}
