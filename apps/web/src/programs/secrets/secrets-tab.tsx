import { Box, Button, Flex, Input, Text } from "@chakra-ui/react";
import { SylaError } from "@syla/sdk";
import { KeySquare, Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { syla } from "../../app/api.ts";
import { useUpdateAsset } from "../../catalog/queries.ts";
import { describeError } from "../../ui/describe-error.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Section } from "../../ui/page.tsx";
import { useLooking } from "../files/use-looking.ts";
import type { AssetTabProps } from "../../catalog/asset-page.tsx";
import { neededVariables, type ProgramSecrets } from "./needed.ts";
import { SecretRow } from "./secret-row.tsx";

/** Which of the owner's secrets enter the program's sandbox, as which variable, and in whose runs. */
export function SecretsTab({ asset }: AssetTabProps) {
  const config = syla.programs.config(asset);
  const looking = useLooking(asset.id, undefined, asset.tree?.sha256 ?? null, true);
  const [base, setBase] = useState(asset);
  const [edited, setEdited] = useState<ProgramSecrets | null>(null);
  const [added, setAdded] = useState<readonly string[]>([]);
  const update = useUpdateAsset(asset.id);
  const secrets = edited ?? config.secrets;
  const variables = neededVariables(looking.found?.analysis ?? null, secrets, added);
  const change = (variable: string, next: ProgramSecrets[number] | null) => {
    if (edited === null) setBase(asset);
    setEdited([...secrets.filter((other) => other.variable !== variable), ...(next === null ? [] : [next])]);
  };
  const discard = () => {
    setEdited(null);
    setAdded([]);
    update.reset();
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const next = { ...syla.programs.config(base), secrets: edited ?? [] };
    update.mutate({ change: { config: next }, revision: base.revision }, { onSuccess: () => setEdited(null) });
  };
  const problemOf = (variable: string) => {
    const index = (edited ?? []).findIndex((secret) => secret.variable === variable);
    const found = describeError(update.error).fields.find(({ path }) => index >= 0 && path.startsWith(`config.secrets.${index}.`));
    return found?.message ?? null;
  };
  const isLocated = variables.some(({ variable }) => problemOf(variable) !== null);
  const isOwners = asset.isOwner || asset.owner.type === "team";
  return (
    <Box maxW="960px" px={{ base: "4", md: "6" }} py="4">
      <Text mb="3" color="fg.muted">
        A variable here holds a secret of {asset.isOwner && asset.owner.type === "user" ? "yours" : asset.owner.name} while the program
        runs. It is shown nowhere, taken out of logs and files that runs leave, and each use is in the audit trail. Keys of models are not
        among them: those never enter a sandbox.
      </Text>
      {isOwners ? null : (
        <Text mb="3" role="note">
          Only {asset.owner.name} can give secrets to this program.
        </Text>
      )}
      {looking.error ? <ErrorPanel error={looking.error} onRetry={looking.look} /> : null}
      <Box as="form" onSubmit={onSubmit}>
        <Section heading="Variables" note={looking.isBusy ? "reading the files …" : "that the files read, or that you name"} mb="3">
          {variables.length === 0 ? (
            <EmptyState icon={KeySquare} title="No variables">
              {looking.isBusy ? "The files are being read." : "The program's source reads no environment variables, as far as it tells."}
            </EmptyState>
          ) : (
            <Box as="ul" listStyleType="none">
              {variables.map((needed) => (
                <SecretRow
                  key={needed.variable}
                  asset={asset}
                  needed={needed}
                  problem={problemOf(needed.variable)}
                  mayChange={isOwners}
                  onChange={(next) => change(needed.variable, next)}
                />
              ))}
            </Box>
          )}
        </Section>
        {isOwners ? <AddVariable known={variables.map(({ variable }) => variable)} onAdd={(name) => setAdded([...added, name])} /> : null}
        {update.error && !isLocated ? (
          <Box mb="3">
            <ErrorPanel error={update.error} {...(isConflict(update.error) ? { onRetry: discard } : {})} />
          </Box>
        ) : null}
        {edited === null ? null : (
          <Flex gap="2" justify="flex-end">
            <Button size="sm" variant="ghost" onClick={discard}>
              Discard
            </Button>
            <Button type="submit" size="sm" colorPalette="accent" loading={update.isPending}>
              Save
            </Button>
          </Flex>
        )}
      </Box>
    </Box>
  );
}

function isConflict(error: unknown): boolean {
  return error instanceof SylaError && error.code === "revision_conflict";
}

/** Names a variable that the source does not show. */
function AddVariable({ known, onAdd }: { readonly known: readonly string[]; readonly onAdd: (name: string) => void }) {
  const [name, setName] = useState("");
  const isName = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  const problem = name === "" || isName ? (known.includes(name) ? "is in the list" : null) : "letters, digits and _, no digit first";
  const add = () => {
    if (!isName || problem !== null) return;
    onAdd(name);
    setName("");
  };
  return (
    <Flex gap="2" align="center" mb="3" wrap="wrap">
      <Input
        size="xs"
        w="48"
        fontFamily="mono"
        bg="bg.panel"
        aria-label="Another variable"
        placeholder="ANOTHER_VARIABLE"
        maxLength={256}
        value={name}
        aria-invalid={problem !== null}
        onChange={(event) => setName(event.currentTarget.value.trim())}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          add();
        }}
      />
      <Button size="xs" variant="outline" disabled={!isName || problem !== null} onClick={add}>
        <Plus aria-hidden /> Add
      </Button>
      {problem === null ? null : (
        <Text fontSize="xs" color="fg.error" role="alert">
          {problem}
        </Text>
      )}
    </Flex>
  );
}
