import { Text } from "@chakra-ui/react";
import { Link } from "react-router";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useOverview } from "./queries.ts";

/** People, teams and what waits to be sent, in numbers. */
export function OverviewTab() {
  const overview = useOverview();
  if (overview.isError) return <ErrorPanel error={overview.error} onRetry={() => void overview.refetch()} />;
  if (!overview.data) return <SkeletonRows rows={8} />;
  const { users, teams, invitations, sessions, deliveries, mail } = overview.data;
  return (
    <>
      <Section heading="People">
        <DefinitionList
          items={[
            ["Accounts", <Link key="all" to="/admin/users">{`${users.total}`}</Link>],
            ["Administrators", `${users.admins}`],
            ["Developers", `${users.developers}`],
            ["End users", `${users.endUsers}`],
            ["Suspended", <Link key="suspended" to="/admin/users?status=suspended">{`${users.suspended}`}</Link>],
            ["Seen within a week", `${users.seenThisWeek}`],
            ["Signed in", `${sessions}`],
            ["Open invitations", `${invitations}`],
          ]}
        />
      </Section>
      <Section heading="Teams">
        <DefinitionList
          items={[
            ["Teams", <Link key="teams" to="/teams?owner=all">{`${teams.total}`}</Link>],
            ["People in one", `${teams.members}`],
          ]}
        />
      </Section>
      <Section heading="Deliveries">
        <DefinitionList
          items={[
            ["Waiting", <Link key="due" to="/admin/deliveries?state=due">{`${deliveries.due}`}</Link>],
            ["Failed", <Link key="failed" to="/admin/deliveries?state=failed">{`${deliveries.failed}`}</Link>],
            ["E-mail", mail ? "is sent" : "waits: no SMTP server is configured"],
          ]}
        />
        {mail ? null : (
          <Text px="4" pb="3" fontSize="xs" color="fg.muted">
            Set SYLA_SMTP_URL; until then the text of each mail can be copied under Deliveries.
          </Text>
        )}
      </Section>
    </>
  );
}
