import { Button, Flex } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { Navigate, useSearchParams } from "react-router";
import { Copyable } from "../ui/copyable.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useMe, useSetupStatus, useSignIn } from "./queries.ts";

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
  return <SignInForm />;
}

function SignInForm() {
  const signIn = useSignIn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ email, password });
  };
  return (
    <EntryFrame title="Sign in" lead="With the account of this Syla server.">
      <Flex as="form" direction="column" gap="4" onSubmit={onSubmit}>
        <TextField
          label="E-mail address"
          type="email"
          autoComplete="username"
          autoFocus
          required
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <TextField
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {signIn.error ? <ErrorPanel error={signIn.error} /> : null}
        <Button type="submit" size="sm" colorPalette="accent" loading={signIn.isPending} loadingText="Signing in">
          Sign in
        </Button>
      </Flex>
    </EntryFrame>
  );
}
