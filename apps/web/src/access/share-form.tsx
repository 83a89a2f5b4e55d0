import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { AccessLevel, ThingRef } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { CheckBox } from "../ui/check-box.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { CapFields, toCap, usualCap } from "./cap-fields.tsx";
import { ExpiryField, noEnding, toExpiry } from "./expiry-field.tsx";
import { LevelSelect } from "./levels.tsx";
import { useTeams } from "../teams/queries.ts";
import { ShareNotice } from "./share-notice.tsx";
import { useGrants, useSharing } from "./queries.ts";

interface ShareFormProps {
  readonly thing: ThingRef;
  /** Whether links are opened without signing in. */
  readonly anonymousLinks: boolean;
}

type Way = "person" | "team" | "link";

/** Shares with one more: a person, a team, or whoever has a link. */
export function ShareForm({ thing, anonymousLinks }: ShareFormProps) {
  const teams = useTeams();
  const grants = useGrants(thing);
  const { share, createLink } = useSharing(thing);
  const [way, setWay] = useState<Way>("person");
  const [email, setEmail] = useState("");
  const [teamId, setTeamId] = useState("");
  const [level, setLevel] = useState<AccessLevel>("view");
  const [ending, setEnding] = useState(noEnding);
  const [needsAccount, setNeedsAccount] = useState(false);
  const [cap, setCap] = useState(usualCap);
  const costs = thing.resourceId.startsWith("model_") && level !== "view";
  const team = teamId || (teams.data?.[0]?.id ?? "");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const wish = { level, expiresAt: toExpiry(ending), ...(costs && { cap: toCap(cap) }) };
    if (way === "link") createLink.mutate({ ...wish, needsAccount });
    else if (way === "team") share.mutate({ ...wish, teamId: team });
    else share.mutate({ ...wish, email }, { onSuccess: () => setEmail("") });
  };
  const made = createLink.data;
  // A link that was revoked or made anew since is none to be copied.
  const isThere = made !== undefined && grants.data?.some(({ subject }) => subject.name === made.grant.subject.name) !== false;
  const isOpen = anonymousLinks && !needsAccount;
  const error = way === "link" ? createLink.error : share.error;
  return (
    <>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="2" p="4">
        <Flex gap="2" align="flex-end" wrap="wrap">
          <SelectField label="Share with" value={way} onChoose={(value) => setWay(value as Way)} width="44">
            <option value="person">A person</option>
            <option value="team">A team</option>
            <option value="link">Whoever has a link</option>
          </SelectField>
          {way === "person" ? (
            <Box flex="1 1 220px">
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
            <SelectField label="Team" value={team} onChoose={setTeamId} width="64">
              {teams.data?.length === 0 ? <option value="">you are in no team</option> : null}
              {teams.data?.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </SelectField>
          ) : null}
        </Flex>
        <Flex gap="2" align="flex-start" wrap="wrap">
          <LevelSelect type={thing.resourceType} label="Level" value={level} onChoose={setLevel} />
          <ExpiryField label="Expires" value={ending} onChange={setEnding} />
          {costs ? <CapFields value={cap} onChange={setCap} /> : null}
          <Button
            type="submit"
            size="sm"
            ml="auto"
            colorPalette="accent"
            loading={share.isPending || createLink.isPending}
            disabled={way === "team" && team === ""}
          >
            {way === "link" ? "Make link" : "Share"}
          </Button>
        </Flex>
      </Flex>
      {way === "link" ? (
        <Box px="4" pb="4" mt="-1">
          <Text fontSize="xs" color={isOpen ? "fg.warning" : "fg.muted"}>
            {isOpen
              ? `Whoever has the link can ${anonymousWords(thing)} without signing in. With an account they get the level that you choose.`
              : anonymousLinks
                ? "It opens for people who have an account here and sign in."
                : "It opens for people who have an account here and sign in. An administrator can allow links without signing in."}
          </Text>
          {anonymousLinks ? (
            <chakra.label display="inline-flex" alignItems="center" gap="2" mt="2" fontSize="xs">
              <CheckBox checked={needsAccount} onChange={(event) => setNeedsAccount(event.currentTarget.checked)} />
              Only for people who sign in
            </chakra.label>
          ) : null}
        </Box>
      ) : null}
      {way === "person" && share.isSuccess && share.variables.email !== undefined ? (
        <ShareNotice thing={thing} email={share.variables.email} />
      ) : null}
      {error ? (
        <Box px="4" pb="4">
          <ErrorPanel error={error} />
        </Box>
      ) : null}
      {isThere && way === "link" ? <ShownOnce text={made.url}>Copy the link now. It is not shown again.</ShownOnce> : null}
    </>
  );
}

/** What somebody sees who has nothing but a link. */
function anonymousWords({ resourceType, resourceId }: ThingRef): string {
  if (resourceType === "sandbox") return "see how it stands, and nothing in it,";
  if (resourceId.startsWith("model_")) return "read its name and description";
  return "view it";
}
