import { Button, Text } from "@chakra-ui/react";
import { Users } from "lucide-react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { useJoinTeam } from "./queries.ts";

/** Where an invitation leads. */
export default function JoinTeamPage() {
  const token = useLocation().hash.slice(1);
  const [search] = useSearchParams();
  const invitationId = search.get("invitation") ?? "";
  const isComplete = token !== "" || invitationId !== "";
  const navigate = useNavigate();
  const join = useJoinTeam();
  return (
    <ScrollPage>
      <PageHeader title="Join a team" />
      {join.error ? <ErrorPanel error={join.error} /> : null}
      <EmptyState
        icon={Users}
        title="You are invited to a team"
        action={
          <Button
            size="sm"
            colorPalette="accent"
            loading={join.isPending}
            disabled={!isComplete}
            onClick={() =>
              join.mutate({ token, invitationId }, { onSuccess: (team) => void navigate(`/teams/${team.id}`, { replace: true }) })
            }
          >
            Join
          </Button>
        }
      >
        Its members see your name and your e-mail address, and you see what is shared with the team.
      </EmptyState>
      {isComplete ? null : (
        <Text color="fg.error" textAlign="center">
          The link is not complete: what comes after the # is missing.
        </Text>
      )}
    </ScrollPage>
  );
}
