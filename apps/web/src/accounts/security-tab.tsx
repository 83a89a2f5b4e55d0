import { Box, Flex, Text } from "@chakra-ui/react";
import { useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { Section } from "../ui/page.tsx";
import { EmailField, EntryForm, NewPasswordField, PasswordField } from "./entry-form.tsx";
import { useChangePassword, useMe, useVerifyEmail } from "./queries.ts";
import { IdentitiesSection } from "./identities-section.tsx";
import { StateLabel } from "./state-label.tsx";
import { TwoFactorSection } from "./two-factor/two-factor-section.tsx";

/** What lets you in: address, password, second factor. */
export function SecurityTab() {
  return (
    <>
      <TwoFactorSection />
      <PasswordSection />
      <EmailSection />
      <IdentitiesSection />
    </>
  );
}

function PasswordSection() {
  const change = useChangePassword();
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const onSubmit = () => {
    const onSuccess = () => {
      setCurrent("");
      setNew("");
    };
    change.mutate({ currentPassword, newPassword }, { onSuccess });
  };
  return (
    <Section heading="Password" note="Your other sessions end; API keys stay.">
      <Box p="4" maxW="380px">
        <EntryForm error={change.error} pending={change.isPending} submit="Change password" onSubmit={onSubmit}>
          <PasswordField label="Current password" value={currentPassword} onChange={setCurrent} />
          <NewPasswordField
            label="New password"
            value={newPassword}
            onChange={setNew}
            problem={fieldProblem(change.error, "newPassword")}
          />
        </EntryForm>
        {change.isSuccess ? (
          <Text role="status" color="fg.success" mt="3">
            The password is changed.
          </Text>
        ) : null}
      </Box>
    </Section>
  );
}

function EmailSection() {
  const me = useMe();
  const verify = useVerifyEmail();
  const [typed, setTyped] = useState<string | null>(null);
  const [password, setPassword] = useState("");
  const current = me.data?.email ?? "";
  const email = typed ?? current;
  const changed = email !== current;
  const confirmed = me.data?.emailVerified === true;
  if (!me.data) return null;
  return (
    <Section heading="E-mail address" note="A new one counts once the link that is sent to it was opened.">
      <Box p="4" maxW="380px">
        <Flex mb="3">
          <StateLabel good={confirmed}>{confirmed ? "Confirmed" : "Not confirmed"}</StateLabel>
        </Flex>
        <EntryForm
          error={verify.error}
          pending={verify.isPending}
          submit={changed ? "Send a link to the new address" : "Send a link to confirm it"}
          onSubmit={() => verify.mutate(changed ? { email, password } : {})}
        >
          <EmailField value={email} onChange={setTyped} problem={fieldProblem(verify.error, "email")} />
          {changed ? <PasswordField value={password} onChange={setPassword} /> : null}
        </EntryForm>
        {verify.isSuccess ? (
          <Text role="status" color="fg.success" mt="3">
            A link is on its way to {email}.
          </Text>
        ) : null}
      </Box>
    </Section>
  );
}
