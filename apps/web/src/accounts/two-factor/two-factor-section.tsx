import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useState } from "react";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { StateLabel } from "../state-label.tsx";
import { DisableDialog } from "./disable-dialog.tsx";
import { EnrolDialog } from "./enrol-dialog.tsx";
import { useTwoFactor } from "./queries.ts";
import { RenewDialog } from "./renew-dialog.tsx";

/** Whether sign-in asks for a code besides the password. */
export function TwoFactorSection() {
  const state = useTwoFactor();
  const [open, setOpen] = useState<"on" | "off" | "codes" | null>(null);
  const enabled = state.data?.enabled === true;
  return (
    <Section heading="Second factor" note="Codes of an authenticator besides the password.">
      {state.isPending ? <SkeletonRows rows={1} /> : null}
      {state.isError ? <ErrorPanel error={state.error} onRetry={() => void state.refetch()} /> : null}
      {state.data ? (
        <Flex p="4" gap="3" align="center" wrap="wrap">
          <StateLabel good={enabled}>{enabled ? "On" : "Off"}</StateLabel>
          <Box flex="1 1 180px" color="fg.muted">
            {enabled ? (
              <Text>{state.data.recoveryCodesLeft} recovery codes are left.</Text>
            ) : state.data.needed ? (
              <Text>This server asks you for one: turn it on, and everything else is open.</Text>
            ) : (
              <Text>Sign-in asks for your password only.</Text>
            )}
          </Box>
          {enabled ? (
            <Button size="sm" variant="outline" onClick={() => setOpen("codes")}>
              New recovery codes
            </Button>
          ) : null}
          <Button size="sm" variant="outline" onClick={() => setOpen(enabled ? "off" : "on")}>
            {enabled ? "Turn off" : "Turn on"}
          </Button>
        </Flex>
      ) : null}
      {open === "on" ? <EnrolDialog onClose={() => setOpen(null)} /> : null}
      {open === "codes" ? <RenewDialog onClose={() => setOpen(null)} /> : null}
      {open === "off" ? <DisableDialog onClose={() => setOpen(null)} /> : null}
    </Section>
  );
}
