import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { AccessLevel, ThingRef } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { CapFields, toCap, usualCap } from "./cap-fields.tsx";
import { LevelSelect } from "./levels.tsx";
import { useTeams } from "../teams/queries.ts";
import { useSharing } from "./queries.ts";

interface ShareFormProps {
  readonly thing: ThingRef;
  /** Whether links are opened without signing in. */
  readonly anonymousLinks: boolean;
}

type Way = "person" | "team" | "link";
const hourMs = 3_600_000;

/** Shares with one more: a person, a team, or whoever has a link. */
export function ShareForm({ thing, anonymousLinks }: ShareFormProps) {
  const teams = useTeams();
  const { share, createLink } = useSharing(thing);
  const [way, setWay] = useState<Way>("person");
  const [email, setEmail] = useState("");
  const [teamId, setTeamId] = useState("");
  const [level, setLevel] = useState<AccessLevel>("view");
  const [hours, setHours] = useState("");
  const [cap, setCap] = useState(usualCap);
  const costs = thing.resourceId.startsWith("model_") && level !== "view";
  const team = teamId || (teams.data?.[0]?.id ?? "");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const expiresAt = hours === "" ? null : new Date(Date.now() + Number(hours) * hourMs).toISOString();
    const wish = { level, expiresAt, ...(costs && { cap: toCap(cap) }) };
    if (way === "link") createLink.mutate(wish);
    else if (way === "team") share.mutate({ ...wish, teamId: team });
    else share.mutate({ ...wish, email }, { onSuccess: () => setEmail("") });
  };
  const error = way === "link" ? createLink.error : share.error;
  return (
    <>
      <Flex as="form" onSubmit={onSubmit} gap="2" p="4" align="flex-end" wrap="wrap">
        <SelectField label="Share with" value={way} onChoose={(value) => setWay(value as Way)}>
          <option value="person">A person</option>
          <option value="team">A team</option>
          <option value="link">Whoever has a link</option>
        </SelectField>
        {way === "person" ? (
          <Box flex="1 1 180px">
            <TextField
              label="E-mail address"
              type="email"
              required
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
              problem={fieldProblem(share.error, "email")}
            />
          </Box>
        ) : null}
        {way === "team" ? (
          <SelectField label="Team" value={team} onChoose={setTeamId} width="44">
            {teams.data?.length === 0 ? <option value="">you are in no team</option> : null}
            {teams.data?.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </SelectField>
        ) : null}
        <LevelSelect type={thing.resourceType} label="Level" value={level} onChoose={setLevel} />
        {costs ? <CapFields value={cap} onChange={setCap} /> : null}
        <SelectField label="Expires" value={hours} onChoose={setHours}>
          <option value="">without end</option>
          <option value="1">for an hour</option>
          <option value="24">for a day</option>
          <option value="168">for a week</option>
          <option value="720">for 30 days</option>
        </SelectField>
        <Button
          type="submit"
          size="sm"
          colorPalette="accent"
          loading={share.isPending || createLink.isPending}
          disabled={way === "team" && team === ""}
        >
          {way === "link" ? "Make link" : "Share"}
        </Button>
      </Flex>
      {way === "link" ? (
        <Text px="4" pb="4" mt="-1" fontSize="xs" color={anonymousLinks ? "fg.warning" : "fg.muted"}>
          {anonymousLinks
            ? "Whoever has the link can view it without signing in. With an account they get the level that you choose."
            : "It opens for people who have an account here and sign in. An administrator can allow links without signing in."}
        </Text>
      ) : null}
      {error ? (
        <Box px="4" pb="4">
          <ErrorPanel error={error} />
        </Box>
      ) : null}
      {createLink.data && way === "link" ? (
        <ShownOnce text={createLink.data.url}>Copy the link now. It is not shown again.</ShownOnce>
      ) : null}
    </>
  );
}
