import { Box, Flex, Text } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { Link } from "react-router";
import { CredentialPicker } from "../../credentials/credential-picker.tsx";
import { SelectField } from "../../ui/select-field.tsx";
import type { Audience, NeededVariable, ProgramSecrets } from "./needed.ts";

interface SecretRowProps {
  readonly asset: Asset;
  readonly needed: NeededVariable;
  readonly problem: string | null;
  readonly mayChange: boolean;
  /** Null: it gets none. */
  readonly onChange: (next: ProgramSecrets[number] | null) => void;
}

const audiences: readonly { readonly value: Audience; readonly label: (owner: string) => string }[] = [
  { value: "owner", label: (owner) => `only in runs of ${owner}` },
  { value: "editors", label: () => "also in runs of editors" },
  { value: "runners", label: () => "in everybody's runs" },
];

/** One variable: where it is read, which secret it holds, and who gets it. */
export function SecretRow({ asset, needed, problem, mayChange, onChange }: SecretRowProps) {
  const { variable, credentialId, givenTo, places, required, isOfModel } = needed;
  const owner = asset.owner.type === "user" && asset.isOwner ? "mine" : asset.owner.name;
  return (
    <Flex as="li" gap="3" px="4" py="3" wrap="wrap" borderBottomWidth="1px" borderColor="border" _last={{ borderBottomWidth: "0" }}>
      <Box flex="1 1 220px" minW="0">
        <Text fontFamily="mono" fontSize="sm" fontWeight="medium" overflowWrap="anywhere">
          {variable}
        </Text>
        <Text fontSize="xs" color={required && credentialId === null && !isOfModel ? "fg.warning" : "fg.muted"}>
          {isOfModel
            ? "Set by Syla when a model is bound."
            : places.length === 0
              ? "Named here."
              : required
                ? "The program ends without it."
                : "It may go on without it."}
        </Text>
        <Flex columnGap="2" wrap="wrap" fontSize="xs" fontFamily="mono">
          {places.slice(0, 3).map(({ file, line }) => (
            <Link
              key={`${file}:${line}`}
              to={`/programs/${asset.id}?tab=files&part=variables&file=${encodeURIComponent(file)}${line === null ? "" : `&line=${line}`}`}
              style={{ textDecoration: "underline", overflowWrap: "anywhere" }}
            >
              {line === null ? file : `${file}:${line}`}
            </Link>
          ))}
        </Flex>
      </Box>
      {mayChange ? (
        <Flex flex="1 1 300px" direction="column" gap="2" minW="0">
          <CredentialPicker
            kind="program"
            label={`Secret of ${variable}`}
            ownerId={asset.owner.id}
            value={credentialId}
            problem={problem}
            onChange={(id) => onChange(id === null ? null : { variable, credentialId: id, givenTo })}
          />
          {credentialId === null ? null : (
            <SelectField
              label={`Who gets ${variable}`}
              size="xs"
              width="full"
              value={givenTo}
              onChoose={(value) => onChange({ variable, credentialId, givenTo: value as Audience })}
            >
              {audiences.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label(owner)}
                </option>
              ))}
            </SelectField>
          )}
        </Flex>
      ) : (
        <Text flex="1 1 200px" color="fg.muted" fontSize="xs">
          {credentialId === null ? "not set" : (audiences.find(({ value }) => value === givenTo)?.label(owner) ?? "")}
        </Text>
      )}
    </Flex>
  );
}
