import { Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { WorkspaceKind, WorkspaceSource } from "@syla/sdk";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { useTemplates } from "../imports/queries.ts";
import { CheckBox } from "../ui/check-box.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { kinds } from "./kinds.ts";
import { useCreateWorkspace } from "./queries.ts";

type From = "empty" | "template" | "git";

/** What kind of workspace, with which files. */
export function CreateDialog({ onClose }: { readonly onClose: () => void }) {
  const isGuest = useMe().data?.role === "end_user";
  const [name, setName] = useState("");
  const [chosen, setKind] = useState<WorkspaceKind>("persistent");
  const kind = isGuest ? "ephemeral" : chosen;
  const [keepOnExit, setKeepOnExit] = useState(false);
  const [from, setFrom] = useState<From>("empty");
  const [template, setTemplate] = useState("");
  const [url, setUrl] = useState("");
  const templates = useTemplates();
  const create = useCreateWorkspace();
  const navigate = useNavigate();
  const source = (): WorkspaceSource | undefined => {
    if (from === "git") return { kind: "git", url: url.trim() };
    const id = template === "" ? templates.data?.[0]?.id : template;
    return from === "template" && id !== undefined ? { kind: "template", template: id } : undefined;
  };
  const submit = () => {
    const wanted = source();
    create.mutate(
      { name: name.trim(), kind, ...(kind === "session" ? { keepOnExit } : {}), ...(wanted === undefined ? {} : { source: wanted }) },
      { onSuccess: (workspace) => void navigate(`/workspaces/${workspace.id}`) },
    );
  };
  return (
    <Modal label="New workspace" width="34rem" onClose={onClose}>
      <chakra.form
        display="flex"
        flexDirection="column"
        gap="4"
        p="4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextField label="Name" required autoFocus maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <chakra.fieldset display="flex" flexDirection="column" gap="1.5">
          <chakra.legend fontSize="sm" fontWeight="medium" mb="1.5">
            Kind
          </chakra.legend>
          {kinds
            .filter((one) => !isGuest || one.kind === "ephemeral")
            .map((one) => (
              <KindChoice key={one.kind} {...one} checked={kind === one.kind} onChoose={() => setKind(one.kind)} />
            ))}
        </chakra.fieldset>
        {kind === "session" ? (
          <chakra.label display="flex" alignItems="center" gap="1.5">
            <CheckBox checked={keepOnExit} onChange={(event) => setKeepOnExit(event.currentTarget.checked)} />
            Archive it when its time is over, instead of deleting it
          </chakra.label>
        ) : null}
        <Flex direction="column" gap="1">
          <Text fontSize="sm" fontWeight="medium">
            Files
          </Text>
          <Flex gap="2" wrap="wrap">
            <SelectField label="Where its files come from" value={from} onChoose={(value) => setFrom(value as From)}>
              <option value="empty">None yet</option>
              <option value="template">A template</option>
              <option value="git">A git repository</option>
            </SelectField>
            {from === "template" ? (
              <SelectField label="Template" value={template} onChoose={setTemplate}>
                {(templates.data ?? []).map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </SelectField>
            ) : null}
          </Flex>
          {from === "git" ? (
            <TextField
              label="Address"
              required
              placeholder="owner/name, or the URL of a repository"
              value={url}
              onChange={(event) => setUrl(event.currentTarget.value)}
            />
          ) : null}
        </Flex>
        {create.isError ? <ErrorPanel error={create.error} /> : null}
        <Button alignSelf="flex-end" type="submit" size="sm" colorPalette="accent" loading={create.isPending} loadingText="Creating">
          Create
        </Button>
      </chakra.form>
    </Modal>
  );
}

interface KindChoiceProps {
  readonly label: string;
  readonly help: string;
  readonly gets: string;
  readonly checked: boolean;
  readonly onChoose: () => void;
}

function KindChoice({ label, help, gets, checked, onChoose }: KindChoiceProps) {
  return (
    <chakra.label
      display="flex"
      gap="2.5"
      px="3"
      py="2"
      borderWidth="1px"
      borderColor={checked ? "accent.border" : "border"}
      bg={checked ? "accent.subtle" : undefined}
      rounded="md"
      cursor="pointer"
    >
      <chakra.input type="radio" name="kind" mt="1" accentColor="accent.solid" checked={checked} onChange={onChoose} />
      <chakra.span flex="1" minW="0">
        <chakra.span display="flex" columnGap="2" flexWrap="wrap" justifyContent="space-between">
          <chakra.span fontWeight="medium">{label}</chakra.span>
          <chakra.span fontSize="xs" color="fg.muted">
            {gets}
          </chakra.span>
        </chakra.span>
        <chakra.span display="block" fontSize="xs" color="fg.muted">
          {help}
        </chakra.span>
      </chakra.span>
    </chakra.label>
  );
}
