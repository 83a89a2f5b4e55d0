import { Box, Button, Flex } from "@chakra-ui/react";
import type { Credential, CredentialKind } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { useMe } from "../accounts/queries.ts";
import { useTeams } from "../teams/queries.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { hasHost, kindLabels, kindNames } from "./kinds.ts";
import { useCreateCredential } from "./queries.ts";

interface CredentialFormProps {
  /** The only kind that is wanted; any when left out. */
  readonly kind?: CredentialKind;
  /** Whose it is to be; asked for when left out. */
  readonly ownerId?: string | undefined;
  /** Where it is most likely sent. */
  readonly likelyHost?: string | undefined;
  readonly onCreated: (credential: Credential) => void;
}

const dayMs = 86_400_000;

/** Stores a secret. What is typed goes out once and is nowhere after. */
export function CredentialForm({ kind: wanted, ownerId, likelyHost = "", onCreated }: CredentialFormProps) {
  const create = useCreateCredential();
  const teams = useTeams();
  const isAdmin = useMe().data?.role === "admin";
  const [kind, setKind] = useState<CredentialKind>(wanted ?? "model");
  const [name, setName] = useState("");
  const [username, setUsername] = useState("");
  const [host, setHost] = useState(likelyHost);
  const [value, setValue] = useState("");
  const [days, setDays] = useState("");
  const [owner, setOwner] = useState("");
  const owned = teams.data?.filter(({ yourRole }) => yourRole === "owner") ?? [];
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const whose = ownerId ?? (owner === "" ? undefined : owner);
    create.mutate(
      {
        kind,
        name,
        value,
        ...(username === "" ? {} : { username }),
        ...(hasHost(kind) ? { host } : {}),
        ...(whose === undefined ? {} : { ownerId: whose }),
        ...(days === "" ? {} : { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }),
      },
      {
        onSuccess: (credential) => {
          setName("");
          setUsername("");
          onCreated(credential);
        },
        onSettled: () => setValue(""),
      },
    );
  };
  const needsUsername = kind === "git" || kind === "index" || kind === "registry";
  return (
    <Flex as="form" onSubmit={onSubmit} gap="3" p="4" align="flex-end" wrap="wrap">
      {wanted === undefined ? (
        <SelectField label="Kind" value={kind} onChoose={(chosen) => setKind(chosen as CredentialKind)}>
          {kindNames.map((known) => (
            <option key={known} value={known}>
              {kindLabels[known]}
            </option>
          ))}
        </SelectField>
      ) : null}
      <Box flex="1 1 160px">
        <TextField
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={fieldProblem(create.error, "name")}
        />
      </Box>
      {hasHost(kind) ? (
        <Box flex="1 1 180px">
          <TextField
            label="Host, the only one it is sent to"
            required
            maxLength={255}
            placeholder={kind === "git" ? "github.com" : "packages.example.org"}
            value={host}
            onChange={(event) => setHost(event.currentTarget.value)}
            problem={fieldProblem(create.error, "host")}
          />
        </Box>
      ) : null}
      {needsUsername ? (
        <Box flex="1 1 140px">
          <TextField label="User name" maxLength={200} value={username} onChange={(event) => setUsername(event.currentTarget.value)} />
        </Box>
      ) : null}
      <Box flex="1 1 200px">
        <TextField
          label="Secret"
          type="password"
          required
          autoComplete="off"
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          problem={fieldProblem(create.error, "value")}
        />
      </Box>
      <SelectField label="Expires" value={days} onChoose={setDays}>
        <option value="">without end</option>
        <option value="30">in 30 days</option>
        <option value="90">in 90 days</option>
        <option value="365">in a year</option>
      </SelectField>
      {ownerId === undefined && (owned.length > 0 || isAdmin) ? (
        <SelectField label="Owner" value={owner} onChoose={setOwner}>
          <option value="">yours</option>
          {owned.map((team) => (
            <option key={team.id} value={team.id}>
              {team.name}
            </option>
          ))}
          {isAdmin ? <option value="system">the system’s</option> : null}
        </SelectField>
      ) : null}
      <Button type="submit" size="sm" colorPalette="accent" loading={create.isPending} loadingText="Storing">
        Store secret
      </Button>
      {create.error ? (
        <Box w="full">
          <ErrorPanel error={create.error} />
        </Box>
      ) : null}
    </Flex>
  );
}
