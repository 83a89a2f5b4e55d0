import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { syla } from "../app/api.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { Section } from "../ui/page.tsx";
import { useMe } from "./queries.ts";
import { saveExport } from "./save-export.ts";

/** Takes out everything about a person, or deletes it. */
export function OwnDataSection() {
  const download = useMutation({ mutationFn: async () => await saveExport(await syla.account.export()) });
  const [deleting, setDeleting] = useState(false);
  return (
    <Section heading="Your data">
      <Flex gap="2" p="4" wrap="wrap">
        <Button size="sm" variant="outline" loading={download.isPending} onClick={() => download.mutate()}>
          Download everything about you
        </Button>
        <Button size="sm" variant="ghost" colorPalette="red" onClick={() => setDeleting(true)}>
          Delete your account …
        </Button>
      </Flex>
      {download.error ? <ErrorPanel error={download.error} /> : null}
      {deleting ? <DeleteDialog onClose={() => setDeleting(false)} /> : null}
    </Section>
  );
}

function DeleteDialog({ onClose }: { readonly onClose: () => void }) {
  const me = useMe();
  const [confirm, setConfirm] = useState("");
  const [password, setPassword] = useState("");
  const remove = useMutation({
    mutationFn: () => syla.account.delete({ confirm, ...(password === "" ? {} : { password }) }),
    onSuccess: () => window.location.assign(document.baseURI),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    remove.mutate();
  };
  return (
    <Modal label="Delete your account?" onClose={onClose}>
      <Box as="form" p="4" onSubmit={submit}>
        <Text mb="3">
          Your runs with their logs and artifacts, your API keys and everything else of yours are deleted for good. The audit trail keeps
          what it has recorded.
        </Text>
        <Flex direction="column" gap="3">
          <TextField
            label={`Write ${me.data?.email ?? me.data?.id ?? ""} to confirm`}
            required
            autoComplete="off"
            value={confirm}
            onChange={(event) => setConfirm(event.currentTarget.value)}
          />
          <TextField
            label="Password"
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </Flex>
        {remove.error ? (
          <Box mt="3">
            <ErrorPanel error={remove.error} />
          </Box>
        ) : null}
        <Flex gap="2" justify="flex-end" mt="4">
          <Button size="sm" variant="outline" onClick={onClose}>
            Keep it
          </Button>
          <Button size="sm" type="submit" colorPalette="red" loading={remove.isPending}>
            Delete it
          </Button>
        </Flex>
      </Box>
    </Modal>
  );
}
