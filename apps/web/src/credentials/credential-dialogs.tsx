import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Credential } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { Link } from "react-router";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SaveProblem } from "../ui/save-problem.tsx";
import { TextField } from "../ui/form-field.tsx";
import { formatPlural } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { hasHost } from "./kinds.ts";
import { useCredential, useDeleteCredential, useUpdateCredential } from "./queries.ts";

interface DialogProps {
  readonly credential: Credential;
  readonly onClose: () => void;
}

/** Puts another secret in the place of the one that is stored. */
export function ReplaceDialog({ credential: given, onClose }: DialogProps) {
  const [credential] = useState(given);
  const update = useUpdateCredential(credential);
  const [value, setValue] = useState("");
  const [host, setHost] = useState(credential.host ?? "");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const expiry = credential.expiresAt === null ? {} : { expiresAt: null };
    const newHost = hasHost(credential.kind) && host !== credential.host ? { host } : {};
    update.mutate({ value, ...expiry, ...newHost }, { onSuccess: onClose, onSettled: () => setValue("") });
  };
  return (
    <Modal label={`Replace the secret of “${credential.name}”`} onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <Text color="fg.muted">
          Whatever uses it takes the new one from now on. {credential.expiresAt === null ? null : "It has no end then."}
        </Text>
        <TextField
          label="New secret"
          type="password"
          required
          autoFocus
          autoComplete="off"
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        {hasHost(credential.kind) ? (
          <TextField
            label="Host, the only one it is sent to"
            required
            placeholder={credential.kind === "git" ? "github.com" : "packages.example.org"}
            value={host}
            problem={fieldProblem(update.error, "host")}
            onChange={(event) => setHost(event.currentTarget.value)}
          />
        ) : null}
        {update.error ? <SaveProblem error={update.error} loaded={credential} /> : null}
        <Flex gap="2" justify="flex-end">
          <Button size="sm" variant="outline" onClick={onClose}>
            Keep the old one
          </Button>
          <Button size="sm" type="submit" colorPalette="accent" loading={update.isPending}>
            Replace
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

/** Deletes it; says first what uses it. */
export function DeleteDialog({ credential, onClose }: DialogProps) {
  const detail = useCredential(credential.id);
  const remove = useDeleteCredential();
  const uses = detail.data?.uses ?? [];
  return (
    <Modal label={`Delete “${credential.name}”?`} onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        {detail.isPending ? <SkeletonRows rows={1} /> : null}
        {detail.data ? (
          <Text>
            {uses.length === 0
              ? "Nothing uses it. This cannot be undone."
              : `${formatPlural(uses.length, "thing")} ${uses.length === 1 ? "uses" : "use"} it, and will fail from then on:`}
          </Text>
        ) : null}
        {uses.map(({ id, type, name }) => (
          <Box key={id}>
            <Text as="span" textDecoration="underline">
              <Link to={`/${type}s/${id}`}>{name}</Link>
            </Text>{" "}
            <Text as="span" color="fg.muted" fontSize="xs">
              {type}
            </Text>
          </Box>
        ))}
        {(remove.error ?? detail.error) ? <ErrorPanel error={remove.error ?? detail.error} /> : null}
        <Flex gap="2" justify="flex-end">
          <Button size="sm" variant="outline" onClick={onClose}>
            Keep it
          </Button>
          <Button
            size="sm"
            colorPalette="red"
            disabled={!detail.data}
            loading={remove.isPending}
            onClick={() => remove.mutate({ id: credential.id, force: uses.length > 0 }, { onSuccess: onClose })}
          >
            {uses.length === 0 ? "Delete" : "Delete all the same"}
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
