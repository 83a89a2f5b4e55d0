import { Box, Button, Flex } from "@chakra-ui/react";
import type { Me, PackageIndex, PackageIndexTest, PackageLanguage } from "@syla/sdk";
import { CircleCheck, CircleX } from "lucide-react";
import { type FormEvent, useState } from "react";
import { CredentialPicker } from "../credentials/credential-picker.tsx";
import { useTeams } from "../teams/queries.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { SaveProblem } from "../ui/save-problem.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useCreatePackageIndex, useTestPackageIndex, useUpdatePackageIndex } from "./queries.ts";

export const languages: Readonly<Record<PackageLanguage, string>> = { python: "Python", node: "Node.js", go: "Go" };
const examples: Readonly<Record<PackageLanguage, string>> = { python: "acme-*", node: "@acme/*", go: "git.example.org/*" };

interface IndexFormProps {
  /** Null: a new one. */
  readonly index: PackageIndex | null;
  readonly me: Pick<Me, "id" | "role">;
  readonly onDone: () => void;
}

/** Where some packages come from. Whose it is, and for which language, stays as it was made. */
export function IndexForm({ index: given, me, onDone }: IndexFormProps) {
  const [index] = useState(given);
  const create = useCreatePackageIndex();
  const test = useTestPackageIndex();
  const update = useUpdatePackageIndex();
  const [language, setLanguage] = useState<PackageLanguage>(index?.language ?? "python");
  const [name, setName] = useState(index?.name ?? "");
  const [url, setUrl] = useState(index?.url ?? "");
  const [packages, setPackages] = useState(index?.packages.join(" ") ?? "");
  const [credentialId, setCredentialId] = useState(index?.credentialId ?? null);
  const [ownerId, setOwnerId] = useState(index?.owner.id ?? me.id);
  const error = create.error ?? update.error ?? test.error;
  const [tried, setTried] = useState("");
  const tryIt = () =>
    test.mutate({
      language,
      url,
      packages: wordsOf(packages),
      credentialId,
      ownerId,
      ...(tried.trim() === "" ? {} : { package: tried.trim() }),
    });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const wish = { name, url, packages: wordsOf(packages), credentialId };
    if (index === null) create.mutate({ ...wish, language, ownerId }, { onSuccess: onDone });
    else update.mutate({ id: index.id, revision: index.revision, change: wish }, { onSuccess: onDone });
  };
  return (
    <Flex
      as="form"
      onSubmit={onSubmit}
      gap="3"
      p="4"
      align="flex-end"
      wrap="wrap"
      aria-label={index === null ? "New index" : `Change ${index.name}`}
    >
      {index === null ? (
        <SelectField label="Language" value={language} onChoose={(chosen) => setLanguage(chosen as PackageLanguage)}>
          {Object.entries(languages).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </SelectField>
      ) : null}
      <Box flex="1 1 140px">
        <TextField
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={fieldProblem(error, "name")}
        />
      </Box>
      <Box flex="2 1 240px">
        <TextField
          label="Address"
          type="url"
          required
          maxLength={2000}
          placeholder="https://packages.example.org/simple"
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
          problem={fieldProblem(error, "url")}
        />
      </Box>
      <Box flex="1 1 160px">
        <TextField
          label="Packages from it"
          required
          placeholder={examples[language]}
          value={packages}
          onChange={(event) => setPackages(event.currentTarget.value)}
          problem={fieldProblem(error, "packages") ?? packagesProblem(error, packages)}
        />
      </Box>
      {index === null ? <OwnerChoice me={me} value={ownerId} onChoose={(id) => (setOwnerId(id), setCredentialId(null))} /> : null}
      <Box flex="1 1 220px">
        <CredentialPicker
          kind="index"
          label="Credential"
          value={credentialId}
          onChange={setCredentialId}
          ownerId={ownerId}
          likelyHost={hostOf(url)}
          problem={fieldProblem(error, "credentialId")}
        />
      </Box>
      <Button
        type="submit"
        size="sm"
        colorPalette="accent"
        loading={create.isPending || update.isPending}
        loadingText={index === null ? "Adding" : "Saving"}
      >
        {index === null ? "Add index" : "Save index"}
      </Button>
      <Button size="sm" variant="outline" onClick={onDone}>
        Cancel
      </Button>
      <Flex w="full" gap="2" align="flex-end" wrap="wrap">
        <Box flex="0 1 220px">
          <TextField
            label="Package to ask for"
            placeholder="any"
            maxLength={200}
            value={tried}
            onChange={(event) => setTried(event.currentTarget.value)}
            problem={fieldProblem(error, "package")}
          />
        </Box>
        <Button size="sm" variant="outline" disabled={!URL.canParse(url)} loading={test.isPending} loadingText="Asking" onClick={tryIt}>
          Test
        </Button>
        {test.data ? <IndexTestResult test={test.data} /> : null}
      </Flex>
      {error ? (
        <Box w="full">
          <SaveProblem error={error} loaded={index ?? {}} />
        </Box>
      ) : null}
    </Flex>
  );
}

const advice: Readonly<Record<NonNullable<PackageIndexTest["code"]>, string>> = {
  index_refused: "It does not take the credential.",
  index_unreachable: "It cannot be reached from here.",
  package_missing: "It answers, and has no such package.",
  not_an_index: "What answers is no index of this language.",
};

function IndexTestResult({ test }: { readonly test: PackageIndexTest }) {
  const { code, message, package: name } = test;
  return (
    <Flex role="status" gap="2" align="center" minH="9" fontSize="sm" color={test.ok ? "fg.success" : "fg.error"}>
      {test.ok ? <CircleCheck size={16} aria-hidden /> : <CircleX size={16} aria-hidden />}
      {code === null ? (name === null ? "It answers." : `It has ${name}.`) : `${advice[code]}${message === null ? "" : ` (${message})`}`}
    </Flex>
  );
}

interface OwnerChoiceProps {
  readonly me: IndexFormProps["me"];
  readonly value: string;
  readonly onChoose: (id: string) => void;
}

function OwnerChoice({ me, value, onChoose }: OwnerChoiceProps) {
  const owned = useTeams().data?.filter(({ yourRole }) => yourRole === "owner") ?? [];
  if (owned.length === 0 && me.role !== "admin") return null;
  return (
    <SelectField label="For the programs of" value={value} onChoose={onChoose}>
      <option value={me.id}>yourself</option>
      {owned.map((team) => (
        <option key={team.id} value={team.id}>
          {team.name}
        </option>
      ))}
      {me.role === "admin" ? <option value="system">everybody</option> : null}
    </SelectField>
  );
}

function wordsOf(packages: string): string[] {
  return packages.split(/[\s,]+/).filter((word) => word !== "");
}

/** What is wrong with one of the patterns, and with which. */
function packagesProblem(error: unknown, packages: string): string | null {
  for (const [place, pattern] of wordsOf(packages).entries()) {
    const problem = fieldProblem(error, `packages.${place}`);
    if (problem !== null) return `${pattern} ${problem}`;
  }
  return null;
}

/** As a credential names it. */
function hostOf(url: string): string {
  if (!URL.canParse(url)) return "";
  const { protocol, host } = new URL(url);
  return protocol === "https:" ? host : `${protocol}//${host}`;
}
