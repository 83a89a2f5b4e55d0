import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { errorCatalog, type ErrorEntry } from "@syla/contracts/errors";
import { SylaError } from "@syla/sdk";
import { useState } from "react";
import { Link, Navigate, useSearchParams } from "react-router";
import { Copyable } from "../ui/copyable.tsx";
import { errorCode } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { CodeField, EmailField, EntryForm, PasswordField } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { syla } from "../app/api.ts";
import { useMe, useProviderSecondFactor, useSetupStatus, useSignIn, useSignInProviders, useSignUpPolicy } from "./queries.ts";

/** Only a path of our own pages: a link must not lead away after signing in. */
function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

/** E-mail and password. */
export default function SignInPage() {
  const [search] = useSearchParams();
  const me = useMe();
  const setup = useSetupStatus();
  if (me.data) return <Navigate to={safeNext(search.get("next"))} replace />;
  if (setup.data?.needed) {
    return (
      <EntryFrame
        title="Not set up yet"
        lead="Nobody can sign in before the first administrator has been named. This command prints the set-up link; run it on the machine of the server."
      >
        <Copyable text="./syla up" label="command" />
      </EntryFrame>
    );
  }
  if (search.get("code") === "needed") return <ProviderSecondStep />;
  return <SignInForm refusal={search.get("error")} next={safeNext(search.get("next"))} />;
}

/** The code of the authenticator, after a provider has said who it is. */
function ProviderSecondStep() {
  const prove = useProviderSecondFactor();
  const [code, setCode] = useState("");
  return (
    <EntryFrame title="Second step" lead="The provider knows you. Now prove that it is you.">
      <EntryForm error={prove.error} pending={prove.isPending} submit="Sign in" onSubmit={() => prove.mutate(code)}>
        <CodeField value={code} onChange={setCode} />
      </EntryForm>
    </EntryFrame>
  );
}

function SignInForm({ refusal, next }: { readonly refusal: string | null; readonly next: string }) {
  const signIn = useSignIn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const onSubmit = () =>
    signIn.mutate(
      { email, password, ...(code !== null && { code }) },
      { onError: (error) => errorCode(error) === "two_factor_required" && setCode("") },
    );
  const policy = useSignUpPolicy();
  const error = errorCode(signIn.error) === "two_factor_required" ? null : signIn.error;
  if (code !== null) {
    return (
      <EntryFrame title="Second step" lead={`The password of ${email} is right. Now prove that it is you.`}>
        <EntryForm error={error} pending={signIn.isPending} submit="Sign in" onSubmit={onSubmit}>
          <CodeField value={code} onChange={setCode} />
        </EntryForm>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Sign in" lead="With the account of this Syla server.">
      {refusal === null ? null : <Refusal code={refusal} />}
      {policy.data?.passwords === false ? null : (
        <EntryForm error={error} pending={signIn.isPending} submit="Sign in" onSubmit={onSubmit}>
          <EmailField value={email} onChange={setEmail} />
          <PasswordField value={password} onChange={setPassword} />
        </EntryForm>
      )}
      <Providers next={next} isAlone={policy.data?.passwords === false} />
      {policy.data?.passwords === false ? null : <OtherWays />}
    </EntryFrame>
  );
}

/** Why a provider's sign-in came back without anybody. */
function Refusal({ code }: { readonly code: string }) {
  const entry = Object.entries<ErrorEntry>(errorCatalog).find(([name]) => name === code)?.[1];
  const { message, hint, status } = entry ?? { message: "Signing in did not work.", hint: "Try again.", status: 0 };
  return (
    <Box mb="4">
      <ErrorPanel error={new SylaError(message, { code, hint, status })} />
    </Box>
  );
}

function Providers({ next, isAlone }: { readonly next: string; readonly isAlone: boolean }) {
  const providers = useSignInProviders();
  if (!providers.data?.length) return null;
  return (
    <Flex direction="column" gap="2" mt="4">
      {isAlone ? null : (
        <Text fontSize="sm" color="fg.muted" textAlign="center">
          or
        </Text>
      )}
      {providers.data.map(({ id, name }) => (
        <Button key={id} size="sm" variant="outline" asChild>
          <a href={syla.signInProviders.startUrl(id, next)}>Sign in with {name}</a>
        </Button>
      ))}
    </Flex>
  );
}

function OtherWays() {
  const policy = useSignUpPolicy();
  const open = policy.data?.mode === "open" || policy.data?.mode === "domain";
  return (
    <Flex mt="4" gap="4" fontSize="sm" color="fg.muted" justify="space-between" wrap="wrap">
      <Link to="/forgot-password">Forgot the password?</Link>
      {open ? <Link to="/sign-up">Make an account</Link> : null}
    </Flex>
  );
}
