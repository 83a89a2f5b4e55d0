import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { useDeleteAsset, useTransferAsset } from "../catalog/queries.ts";
import { UsesNote } from "../catalog/uses-note.tsx";
import { useTeams } from "../teams/queries.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import type { AssetTabProps } from "../catalog/asset-page.tsx";

/** Gives it to somebody else, or to a team. */
export function TransferSection({ asset }: AssetTabProps) {
  const teams = useTeams();
  const transfer = useTransferAsset(asset.id);
  const navigate = useNavigate();
  const [to, setTo] = useState("person");
  const [email, setEmail] = useState("");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const onSuccess = () => void (to === "person" ? navigate("/catalog") : undefined);
    transfer.mutate(to === "person" ? { email } : { ownerId: to }, { onSuccess });
  };
  const problem = fieldProblem(transfer.error, "email");
  return (
    <Section heading="Give away">
      <Flex as="form" onSubmit={onSubmit} gap="2" p="4" wrap="wrap" align="flex-end">
        <SelectField label="To whom" value={to} onChoose={setTo} width="44">
          <option value="person">a person</option>
          {asset.owner.type === "team" ? <option value="me">me</option> : null}
          {teams.data
            ?.filter((team) => team.id !== asset.owner.id)
            .map((team) => (
              <option key={team.id} value={team.id}>
                {team.name}
              </option>
            ))}
        </SelectField>
        {to === "person" ? (
          <Box flex="1 1 200px">
            <TextField
              label="E-mail address"
              type="email"
              required
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
              problem={problem}
            />
          </Box>
        ) : null}
        <Button type="submit" size="sm" variant="outline" loading={transfer.isPending}>
          Give away
        </Button>
      </Flex>
      <Text px="4" pb="3" fontSize="xs" color="fg.muted">
        The new owner decides who has it from then on. What is shared stays shared.
      </Text>
      {transfer.error && problem === null ? <ErrorPanel error={transfer.error} /> : null}
    </Section>
  );
}

/** Deletes it; it can be restored for a while. */
export function DeleteSection({ asset }: AssetTabProps) {
  const remove = useDeleteAsset();
  const navigate = useNavigate();
  if (asset.deletedAt !== null) return null;
  return (
    <Section heading="Delete">
      <Flex align="center" gap="3" p="4" wrap="wrap">
        <Box flex="1 1 240px">
          <Text>It can be restored for 30 days. Whoever uses it loses it at once.</Text>
          <UsesNote id={asset.id} />
        </Box>
        <Button
          size="sm"
          variant="outline"
          colorPalette="red"
          loading={remove.isPending}
          onClick={() => remove.mutate(asset.id, { onSuccess: () => void navigate("/catalog?view=deleted") })}
        >
          Delete {asset.name.length > 30 ? "it" : asset.name}
        </Button>
      </Flex>
      {remove.error ? <ErrorPanel error={remove.error} /> : null}
    </Section>
  );
}
