import { Box, Button, Flex, NativeSelect, Text } from "@chakra-ui/react";
import type { Role } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { Copyable } from "../../ui/copyable.tsx";
import { fieldProblem } from "../../ui/describe-error.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Section } from "../../ui/page.tsx";
import { useSignUpPolicy } from "../queries.ts";
import { EmailField } from "../entry-form.tsx";
import { useInvite } from "./queries.ts";

/** Invites somebody, and shows the link. */
export function InviteForm() {
  const invite = useInvite();
  const mail = useSignUpPolicy().data?.mail === true;
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("developer");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate({ email, role }, { onSuccess: () => setEmail("") });
  };
  return (
    <Section heading="Invite somebody">
      <Flex as="form" onSubmit={onSubmit} gap="3" p="4" align="flex-end" wrap="wrap">
        <Box flex="1 1 220px">
          <EmailField value={email} onChange={setEmail} problem={fieldProblem(invite.error, "email")} />
        </Box>
        <NativeSelect.Root size="sm" w="40">
          <NativeSelect.Field aria-label="Role" value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            <option value="end_user">as end user</option>
            <option value="developer">as developer</option>
            <option value="admin">as administrator</option>
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
        <Button type="submit" size="sm" colorPalette="accent" loading={invite.isPending} loadingText="Inviting">
          Invite
        </Button>
      </Flex>
      {invite.error ? (
        <Box px="4" pb="4">
          <ErrorPanel error={invite.error} />
        </Box>
      ) : null}
      {invite.data ? (
        <Box px="4" py="3" bg="accent.subtle" borderTopWidth="1px" borderColor="border" role="status">
          <Text fontWeight="medium">
            {invite.data.email} is invited.{" "}
            {mail
              ? "A mail with the link is on its way; you can hand it over yourself, too."
              : "This server sends no mail: hand the link over yourself."}
          </Text>
          <Copyable text={invite.data.url} label="link" />
        </Box>
      ) : null}
    </Section>
  );
}
