import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Team } from "@syla/sdk";
import { Users } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { useCreateTeam, useTeams } from "./queries.ts";

/** The teams one is in. */
export default function TeamsPage() {
  const [search] = useSearchParams();
  const role = useMe().data?.role;
  const everybodys = role === "admin" && search.get("owner") === "all";
  const teams = useTeams(everybodys);
  const mayCreate = role !== "end_user";
  return (
    <ScrollPage>
      <PageHeader title="Teams" />
      {mayCreate ? <NewTeamForm /> : null}
      {role === "admin" ? (
        <TabLinks
          label="Whose teams"
          tabs={[
            { to: "/teams", label: "Yours", current: !everybodys },
            { to: "/teams?owner=all", label: "Everybody's", current: everybodys },
          ]}
        />
      ) : null}
      <Section heading={everybodys ? "All teams" : "Your teams"} mt={role === "admin" ? "5" : undefined}>
        {teams.isPending ? <SkeletonRows rows={2} /> : null}
        {teams.isError ? <ErrorPanel error={teams.error} onRetry={() => void teams.refetch()} /> : null}
        {teams.data?.length === 0 ? (
          <EmptyState icon={Users} title={everybodys ? "There is no team yet" : "You are in no team yet"}>
            Share runs and sandboxes with a team instead of one person after another.
          </EmptyState>
        ) : null}
        {teams.data?.map((team) => (
          <TeamRow key={team.id} team={team} />
        ))}
      </Section>
    </ScrollPage>
  );
}

function TeamRow({ team }: { readonly team: Team }) {
  return (
    <Flex align="center" gap="3" px="4" py="2.5" borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
      <Box minW="0" flex="1">
        <Text fontWeight="medium" truncate _hover={{ textDecoration: "underline" }}>
          <Link to={`/teams/${team.id}`}>{team.name}</Link>
        </Text>
        {team.description === "" ? null : (
          <Text fontSize="xs" color="fg.muted" truncate>
            {team.description}
          </Text>
        )}
      </Box>
      <Text fontSize="xs" color="fg.muted" flexShrink="0">
        {formatPlural(team.memberCount, "member")}
        {team.yourRole === null ? null : ` · you are ${team.yourRole === "owner" ? "an owner" : "a member"}`}
      </Text>
    </Flex>
  );
}

function NewTeamForm() {
  const create = useCreateTeam();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name }, { onSuccess: (team) => void navigate(`/teams/${team.id}`) });
  };
  return (
    <Section heading="New team">
      <Flex as="form" onSubmit={onSubmit} gap="3" p="4" align="flex-end" wrap="wrap">
        <Box flex="1 1 200px">
          <TextField
            label="Name"
            required
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            problem={fieldProblem(create.error, "name")}
          />
        </Box>
        <Button type="submit" size="sm" colorPalette="accent" loading={create.isPending} loadingText="Creating">
          Create team
        </Button>
      </Flex>
      {create.error ? (
        <Box px="4" pb="4">
          <ErrorPanel error={create.error} />
        </Box>
      ) : null}
    </Section>
  );
}
