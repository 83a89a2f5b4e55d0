import { Button, Flex } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { NewPasswordField } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useCompleteSetup, useSetupStatus } from "./queries.ts";

/** Where the one-time link leads: the first admin chooses a name, an e-mail address and a password. */
export default function SetupPage() {
  const [search] = useSearchParams();
  const token = search.get("token") ?? "";
  const status = useSetupStatus(token);
  if (status.isPending) return <SkeletonRows rows={2} />;
  if (status.isError) {
    return (
      <EntryFrame title="Set up Syla" lead="The server did not say whether this link is good.">
        <ErrorPanel error={status.error} onRetry={() => void status.refetch()} />
      </EntryFrame>
    );
  }
  if (!status.data.needed) return <AlreadySetUp />;
  return status.data.tokenValid ? <SetupForm token={token} /> : <StaleLink />;
}

function AlreadySetUp() {
  return (
    <EntryFrame title="This server is set up" lead="The set-up link works once. Sign in with the account that was made with it.">
      <Button asChild size="sm" w="full" colorPalette="accent">
        <Link to="/sign-in">Sign in</Link>
      </Button>
    </EntryFrame>
  );
}

function StaleLink() {
  return (
    <EntryFrame
      title="This link is no longer good"
      lead="It was mistyped, or a newer one has replaced it. The command below prints a fresh one; run it on the machine of the server."
    >
      <Copyable text="./syla up" label="command" />
    </EntryFrame>
  );
}

function SetupForm({ token }: { readonly token: string }) {
  const complete = useCompleteSetup();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    complete.mutate({ token, name, email, password }, { onSuccess: () => void navigate("/", { replace: true }) });
  };
  const { error } = complete;
  return (
    <EntryFrame title="Set up Syla" lead="You are the first here, and so the administrator. Choose how you sign in from now on.">
      <Flex as="form" direction="column" gap="4" onSubmit={onSubmit}>
        <TextField
          label="Name"
          autoComplete="name"
          autoFocus
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={fieldProblem(error, "name")}
        />
        <TextField
          label="E-mail address"
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          problem={fieldProblem(error, "email")}
          help="Nothing is sent there; it is your sign-in name."
        />
        <NewPasswordField value={password} onChange={setPassword} problem={fieldProblem(error, "password")} />
        {error ? <ErrorPanel error={error} /> : null}
        <Button type="submit" size="sm" colorPalette="accent" loading={complete.isPending} loadingText="Setting up">
          Create account and sign in
        </Button>
      </Flex>
    </EntryFrame>
  );
}
