import { Box, Button, Flex } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { useUpdateMe } from "./queries.ts";

/** Your name, to be changed. */
export function NameForm({ name }: { readonly name: string }) {
  const update = useUpdateMe();
  const [typed, setTyped] = useState<string | null>(null);
  const value = typed ?? name;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ name: value }, { onSuccess: () => setTyped(null) });
  };
  return (
    <Box p="4" borderBottomWidth="1px" borderColor="border.muted">
      <Flex as="form" onSubmit={onSubmit} gap="3" align="flex-end" wrap="wrap">
        <Box flex="1 1 200px">
          <TextField
            label="Name"
            required
            maxLength={100}
            autoComplete="name"
            value={value}
            onChange={(event) => setTyped(event.currentTarget.value)}
            problem={fieldProblem(update.error, "name")}
          />
        </Box>
        <Button type="submit" size="sm" variant="outline" disabled={value === name} loading={update.isPending} loadingText="Saving">
          Save
        </Button>
      </Flex>
      {update.error ? <ErrorPanel error={update.error} /> : null}
    </Box>
  );
}
