import { Box, Button, Flex, NativeSelect } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../../ui/describe-error.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { TextField } from "../../ui/form-field.tsx";
import { Section } from "../../ui/page.tsx";
import { ShownOnce } from "../../ui/shown-once.tsx";
import { useCreateApiKey } from "../queries.ts";
import { ScopesPicker } from "./scopes-picker.tsx";

/** Makes a key, and shows it this once. */
export function NewKeyForm() {
  const create = useCreateApiKey();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [perMinute, setPerMinute] = useState("");
  const [scopes, setScopes] = useState<readonly string[]>(["*"]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      {
        name,
        scopes: [...scopes],
        ...(days && { expiresInDays: Number(days) }),
        ...(perMinute && { requestsPerMinute: Number(perMinute) }),
      },
      { onSuccess: () => setName("") },
    );
  };
  return (
    <Section heading="New key">
      <Flex as="form" onSubmit={onSubmit} gap="3" p="4" align="flex-end" wrap="wrap">
        <Box flex="1 1 200px">
          <TextField
            label="Name"
            required
            maxLength={100}
            placeholder="what will use it"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            problem={fieldProblem(create.error, "name")}
          />
        </Box>
        <NativeSelect.Root size="sm" w="36">
          <NativeSelect.Field aria-label="Expires" value={days} onChange={(event) => setDays(event.currentTarget.value)}>
            <option value="7">for 7 days</option>
            <option value="90">for 90 days</option>
            <option value="365">for a year</option>
            <option value="">without end</option>
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
        <Box w="36">
          <TextField
            label="Requests a minute"
            type="number"
            min={1}
            max={1_000_000}
            placeholder="no limit"
            value={perMinute}
            onChange={(event) => setPerMinute(event.currentTarget.value)}
            problem={fieldProblem(create.error, "requestsPerMinute")}
          />
        </Box>
        <ScopesPicker scopes={scopes} onChange={setScopes} />
        <Button
          type="submit"
          size="sm"
          colorPalette="accent"
          disabled={scopes.length === 0}
          loading={create.isPending}
          loadingText="Creating"
        >
          Create key
        </Button>
      </Flex>
      {create.error ? (
        <Box px="4" pb="4">
          <ErrorPanel error={create.error} />
        </Box>
      ) : null}
      {create.data ? <ShownOnce text={create.data.key}>Copy the key “{create.data.name}” now. It is not shown again.</ShownOnce> : null}
    </Section>
  );
}
