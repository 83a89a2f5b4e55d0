import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { ThingRef } from "@syla/sdk";
import { useInvite } from "../accounts/invitations/queries.ts";
import { useMe, useSignUpPolicy } from "../accounts/queries.ts";
import { useCopy } from "../ui/copyable.tsx";
import { errorCode } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { addressOf } from "./page-of.ts";

/** What becomes of sharing with a person, whether they have an account or not: nothing here tells which. */
export function ShareNotice({ thing, email }: { readonly thing: ThingRef; readonly email: string }) {
  const policy = useSignUpPolicy().data;
  if (policy === undefined) return null;
  return (
    <Box role="status" px="4" pb="4" mt="-1">
      <Text fontWeight="medium" overflowWrap="anywhere">
        Shared with {email}.
      </Text>
      <Text fontSize="xs" color="fg.muted">
        {policy.mail
          ? "Whoever has an account is notified. Whoever has none gets a mail, and access once they have an account with this address."
          : "Whoever has an account is notified. This server sends no mail: to somebody who has none, give the address of the page yourself. They have access once they have an account with this e-mail address."}
      </Text>
      {policy.mail ? null : <HandOver thing={thing} email={email} isByInvitation={policy.mode !== "open" && policy.mode !== "closed"} />}
    </Box>
  );
}

interface HandOverProps {
  readonly thing: ThingRef;
  readonly email: string;
  readonly isByInvitation: boolean;
}

function HandOver({ thing, email, isByInvitation }: HandOverProps) {
  const [copied, copy] = useCopy();
  const invite = useInvite();
  const isAdmin = useMe().data?.role === "admin";
  const isTaken = errorCode(invite.error) === "email_taken";
  return (
    <>
      <Flex gap="2" mt="2" wrap="wrap" align="center">
        <Button size="xs" variant="outline" onClick={() => copy(addressOf(thing))}>
          {copied ? "Copied" : "Copy the address of the page"}
        </Button>
        {isAdmin && isByInvitation ? (
          <Button size="xs" variant="outline" loading={invite.isPending} onClick={() => invite.mutate({ email, role: "end_user" })}>
            Make an invitation for {email}
          </Button>
        ) : null}
        {isTaken ? <Text fontSize="xs">They have an account already.</Text> : null}
      </Flex>
      {invite.error && !isTaken ? <ErrorPanel error={invite.error} /> : null}
      {invite.data ? (
        <Box mt="2" mx="-4">
          <ShownOnce text={invite.data.url}>Give them this link. It makes their account, works once, and is not shown again.</ShownOnce>
        </Box>
      ) : null}
    </>
  );
}
