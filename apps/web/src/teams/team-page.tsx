import { Button, Flex, Text } from "@chakra-ui/react";
import type { Team } from "@syla/sdk";
import { LogOut, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { DeleteTeamDialog } from "./delete-team-dialog.tsx";
import { InvitationsSection } from "./invitations-section.tsx";
import { MembersSection } from "./members-section.tsx";
import { useLeaveTeam, useTeam } from "./queries.ts";
import { RenameTeamDialog } from "./rename-team-dialog.tsx";

/** One team: its members and, for its owners, its invitations. */
export default function TeamPage() {
  const { id = "" } = useParams();
  const team = useTeam(id);
  if (team.data) return <TeamDetail key={id} team={team.data} />;
  return (
    <ScrollPage>
      {team.isError ? (
        <ErrorPanel error={team.error} onRetry={() => void team.refetch()}>
          <Text mt="1">
            <Link to="/teams">All teams</Link>
          </Text>
        </ErrorPanel>
      ) : (
        <SkeletonRows rows={4} />
      )}
    </ScrollPage>
  );
}

function TeamDetail({ team }: { readonly team: Team }) {
  const manages = team.yourRole !== "member";
  return (
    <ScrollPage>
      <PageHeader title={team.name} actions={<TeamActions team={team} manages={manages} />} />
      {team.description === "" ? null : (
        <Text mb="4" color="fg.muted">
          {team.description}
        </Text>
      )}
      {team.concurrentRuns === null ? null : (
        <Text mb="4" fontSize="xs" color="fg.muted">
          Its members may have {formatPlural(team.concurrentRuns, "run")} at once, all of them together; more wait in the queue.
        </Text>
      )}
      {team.leastTier === "namespace" ? null : (
        <Text mb="4" fontSize="xs" color="fg.muted">
          What its members run is run only in virtual machines with kernels of their own.
        </Text>
      )}
      <MembersSection team={team} manages={manages} />
      {manages ? <InvitationsSection team={team} /> : null}
    </ScrollPage>
  );
}

function TeamActions({ team, manages }: { readonly team: Team; readonly manages: boolean }) {
  const leave = useLeaveTeam();
  const navigate = useNavigate();
  const [open, setOpen] = useState<"rename" | "delete" | null>(null);
  return (
    <Flex gap="2" wrap="wrap" align="center">
      {leave.error ? (
        <Text fontSize="xs" color="fg.error" role="alert">
          {leave.error.message}
        </Text>
      ) : null}
      {team.yourRole === null ? null : (
        <Button
          size="xs"
          variant="outline"
          loading={leave.isPending}
          onClick={() => leave.mutate({ id: team.id }, { onSuccess: () => void navigate("/teams") })}
        >
          <LogOut aria-hidden /> Leave
        </Button>
      )}
      {manages ? (
        <>
          <Button size="xs" variant="outline" onClick={() => setOpen("rename")}>
            <Pencil aria-hidden /> Change
          </Button>
          <Button size="xs" variant="outline" onClick={() => setOpen("delete")}>
            <Trash2 aria-hidden /> Delete
          </Button>
        </>
      ) : null}
      {open === "rename" ? <RenameTeamDialog team={team} onClose={() => setOpen(null)} /> : null}
      {open === "delete" ? <DeleteTeamDialog team={team} onClose={() => setOpen(null)} /> : null}
    </Flex>
  );
}
