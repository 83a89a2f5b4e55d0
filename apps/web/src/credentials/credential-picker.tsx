import { Button, Field, Flex, NativeSelect } from "@chakra-ui/react";
import type { CredentialKind } from "@syla/sdk";
import { useState } from "react";
import { createPortal } from "react-dom";
import { Modal } from "../ui/modal.tsx";
import { CredentialForm } from "./credential-form.tsx";
import { kindLabels } from "./kinds.ts";
import { useCredentials } from "./queries.ts";

interface CredentialPickerProps {
  readonly kind: CredentialKind;
  readonly label: string;
  readonly value: string | null;
  readonly onChange: (id: string | null) => void;
  /** Whose credentials, where what uses one belongs to the same owner; yours and your teams' when left out. */
  readonly ownerId?: string | undefined;
  /** Where a new one is most likely sent. */
  readonly likelyHost?: string | undefined;
  readonly help?: string | undefined;
  readonly problem?: string | null | undefined;
}

/** A stored secret by its name, or a new one. No secret is in the page. */
export function CredentialPicker({ kind, label, value, onChange, ownerId, likelyHost, help, problem }: CredentialPickerProps) {
  const credentials = useCredentials(kind);
  const [creating, setCreating] = useState(false);
  const own = credentials.data?.filter(({ owner }) => ownerId === undefined || owner.id === ownerId) ?? [];
  return (
    <>
      <Field.Root invalid={Boolean(problem)} gap="1">
        <Field.Label fontSize="sm">{label}</Field.Label>
        <Flex gap="2" w="full">
          <NativeSelect.Root size="sm">
            <NativeSelect.Field value={value ?? ""} onChange={(event) => onChange(event.currentTarget.value || null)}>
              <option value="">none</option>
              {value !== null && !own.some(({ id }) => id === value) ? <option value={value}>the one that is set</option> : null}
              {own.map(({ id, name, host }) => (
                <option key={id} value={id}>
                  {host === null ? name : `${name} (${host})`}
                </option>
              ))}
            </NativeSelect.Field>
            <NativeSelect.Indicator />
          </NativeSelect.Root>
          <Button size="sm" variant="outline" onClick={() => setCreating(true)}>
            New
          </Button>
        </Flex>
        {problem ? <Field.ErrorText fontSize="xs">{problem}</Field.ErrorText> : null}
        {help === undefined || problem ? null : <Field.HelperText fontSize="xs">{help}</Field.HelperText>}
      </Field.Root>
      {/* Outside of the form around it: forms do not nest. */}
      {creating
        ? createPortal(
            <Modal label={`New secret: ${kindLabels[kind]}`} width="40rem" onClose={() => setCreating(false)}>
              <CredentialForm
                kind={kind}
                ownerId={ownerId}
                likelyHost={likelyHost}
                onCreated={({ id }) => {
                  onChange(id);
                  setCreating(false);
                }}
              />
            </Modal>,
            document.body,
          )
        : null}
    </>
  );
}
