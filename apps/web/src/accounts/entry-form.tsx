import { Button, Flex } from "@chakra-ui/react";
import type { FormEvent, ReactNode } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { useSignUpPolicy } from "./queries.ts";

interface EntryFormProps {
  readonly children: ReactNode;
  readonly error: unknown;
  readonly pending: boolean;
  readonly submit: string;
  readonly onSubmit: () => void;
}

/** The form of a page before one is signed in: fields, what went wrong, and one button. */
export function EntryForm({ children, error, pending, submit, onSubmit }: EntryFormProps) {
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Flex as="form" direction="column" gap="4" onSubmit={send}>
      {children}
      {error ? <ErrorPanel error={error} /> : null}
      <Button type="submit" size="sm" colorPalette="accent" loading={pending} loadingText={submit}>
        {submit}
      </Button>
    </Flex>
  );
}

interface ValueFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly problem?: string | null;
}

/** The address that one signs in with. */
export function EmailField({ value, onChange, problem }: ValueFieldProps) {
  return (
    <TextField
      label="E-mail address"
      type="email"
      autoComplete="username"
      required
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      problem={problem}
    />
  );
}

/** A password that is chosen here. */
export function NewPasswordField({ value, onChange, problem, label = "Password" }: ValueFieldProps & { readonly label?: string }) {
  const least = useSignUpPolicy().data?.passwordLength ?? 10;
  return (
    <TextField
      label={label}
      type="password"
      autoComplete="new-password"
      required
      minLength={least}
      maxLength={256}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      problem={problem}
      help={`At least ${least} characters.`}
    />
  );
}

/** The password that one has. */
export function PasswordField({ value, onChange, problem, label = "Password" }: ValueFieldProps & { readonly label?: string }) {
  return (
    <TextField
      label={label}
      type="password"
      autoComplete="current-password"
      required
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      problem={problem}
    />
  );
}

/** A code of the authenticator, or a recovery code. */
export function CodeField({ value, onChange, problem }: ValueFieldProps) {
  return (
    <TextField
      label="Code"
      autoComplete="one-time-code"
      autoFocus
      required
      minLength={6}
      maxLength={32}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      problem={problem}
      help="The six digits that your authenticator shows, or a recovery code."
    />
  );
}
