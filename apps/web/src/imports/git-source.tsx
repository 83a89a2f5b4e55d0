import { Button, Flex } from "@chakra-ui/react";
import type { ImportSource } from "@syla/contracts/assets";
import { type FormEvent, useState } from "react";
import { CredentialPicker } from "../credentials/credential-picker.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { useGitRefs } from "./queries.ts";
import type { SourceProps } from "./source-step.tsx";

interface GitSourceProps extends SourceProps {
  /** Where the program came from that is to be replaced. */
  readonly before: ImportSource | null;
}

/** A repository: its address and what lets us in, then the branch or tag and the folder. */
export function GitSource({ before, onSource, isPending }: GitSourceProps) {
  const [url, setUrl] = useState(before?.url ?? "");
  const [credentialId, setCredentialId] = useState(before?.credentialId ?? null);
  const [token, setToken] = useState("");
  const [ref, setRef] = useState("");
  const [path, setPath] = useState("");
  const refs = useGitRefs();
  // Null is said too: without a word the credential from before is taken.
  const login = credentialId === null && token !== "" ? { token } : { credentialId };
  const look = () =>
    refs.mutate(
      { url, ...login },
      {
        onSuccess: (found) => {
          const isSame = before?.url === found.url;
          setRef(found.ref ?? (isSame ? before.ref : null) ?? found.default ?? "");
          setPath(found.path ?? (isSame && typeof before["path"] === "string" ? before["path"] : ""));
        },
      },
    );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (refs.data === undefined) return look();
    onSource({ kind: "git", url: refs.data.url, ...login, ...(ref === "" ? {} : { ref }), ...(path === "" ? {} : { path }) });
  };
  const change = (set: () => void) => {
    set();
    refs.reset();
  };
  const names = [...(refs.data?.branches ?? []), ...(refs.data?.tags ?? [])];
  return (
    <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" maxW="640px">
      <TextField
        label="Address"
        required
        autoFocus
        placeholder="https://github.com/owner/name, or owner/name"
        value={url}
        onChange={({ currentTarget: { value } }) => change(() => setUrl(value))}
      />
      <CredentialPicker
        kind="git"
        label="Credential"
        help="For a private repository. It is sent to its host alone, and used again when you import again."
        value={credentialId}
        problem={fieldProblem(refs.error, "credentialId")}
        onChange={(id) => change(() => setCredentialId(id))}
      />
      {credentialId === null ? (
        <TextField
          label="Token"
          type="password"
          autoComplete="off"
          help="Instead of a credential: used for this import alone and not stored."
          value={token}
          onChange={({ currentTarget: { value } }) => change(() => setToken(value))}
        />
      ) : null}
      {refs.data === undefined ? null : (
        <>
          <TextField label="Branch, tag or commit" list="git-refs" value={ref} onChange={(event) => setRef(event.currentTarget.value)} />
          <datalist id="git-refs">
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </datalist>
          <TextField
            label="Folder"
            help="All of it when left empty."
            value={path}
            onChange={(event) => setPath(event.currentTarget.value)}
          />
        </>
      )}
      {refs.error ? <ErrorPanel error={refs.error} /> : null}
      <Button alignSelf="flex-start" type="submit" size="sm" colorPalette="accent" loading={refs.isPending || isPending}>
        {refs.data === undefined ? "Find branches" : "Fetch"}
      </Button>
    </Flex>
  );
}
