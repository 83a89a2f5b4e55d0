import { Box, Button, Flex, Heading, Text } from "@chakra-ui/react";
import type { Access, ThingRef } from "@syla/sdk";
import type { ReactNode } from "react";
import { useCopy } from "../ui/copyable.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { GrantList } from "./grant-list.tsx";
import { levelWords } from "./levels.tsx";
import { addressOf } from "./page-of.ts";
import { PeopleList } from "./people-list.tsx";
import { useSharing } from "./queries.ts";
import { ShareForm } from "./share-form.tsx";

interface ShareDialogProps {
  readonly thing: ThingRef;
  readonly access: Access;
  readonly onClose: () => void;
}

/** Shares a thing, and shows who has it. */
export function ShareDialog({ thing, access, onClose }: ShareDialogProps) {
  return (
    <Modal label={`Share “${access.name}”`} onClose={onClose} width="40rem">
      <SharePanel thing={thing} access={access} />
    </Modal>
  );
}

/** The same without a frame around it. */
export function SharePanel({ thing, access }: Omit<ShareDialogProps, "onClose">) {
  return (
    <>
      <ShareForm thing={thing} anonymousLinks={access.anonymousLinks} />
      <Part heading="Shared with">
        <PageAddress thing={thing} access={access} />
        {thing.resourceType === "sandbox" || thing.resourceType === "workspace" ? null : <VisibilityRow thing={thing} access={access} />}
        <GrantList thing={thing} />
      </Part>
      <Part heading="Who has access, and why">
        <PeopleList thing={thing} access={access} />
      </Part>
    </>
  );
}

function Part({ heading, children }: { readonly heading: string; readonly children: ReactNode }) {
  return (
    <Box as="section" borderTopWidth="1px" borderColor="border">
      <Heading as="h3" fontSize="sm" fontWeight="semibold" px="4" pt="3" pb="2">
        {heading}
      </Heading>
      {children}
    </Box>
  );
}

/** The way to its page, for those who have access already. */
function PageAddress({ thing, access }: { readonly thing: ThingRef; readonly access: Access }) {
  const [copied, copy] = useCopy();
  return (
    <Flex align="center" gap="2" px="4" py="2" wrap="wrap" borderTopWidth="1px" borderColor="border.muted">
      <Box flex="1 1 160px">
        <Text>The address of its page</Text>
        <Text fontSize="xs" color="fg.muted">
          {access.visibility === "public"
            ? "It opens for everybody who is signed in."
            : "It opens for those who have access, and gives none."}
        </Text>
      </Box>
      <Button size="xs" variant="outline" onClick={() => copy(addressOf(thing))}>
        {copied ? "Copied" : "Copy address"}
      </Button>
    </Flex>
  );
}

function VisibilityRow({ thing, access }: { readonly thing: ThingRef; readonly access: Access }) {
  const { setVisibility } = useSharing(thing);
  return (
    <>
      <Flex align="center" gap="2" px="4" py="2" wrap="wrap" borderTopWidth="1px" borderColor="border.muted">
        <Text flex="1 1 160px">Everybody who is signed in</Text>
        <SelectField
          label="Visibility"
          size="xs"
          width="40"
          value={setVisibility.isPending ? setVisibility.variables : access.visibility}
          onChoose={(value) => setVisibility.mutate(value === "public" ? "public" : "private")}
        >
          <option value="private">no access</option>
          <option value="public">{levelWords[thing.resourceType].run}</option>
        </SelectField>
      </Flex>
      {setVisibility.error ? <ErrorPanel error={setVisibility.error} /> : null}
    </>
  );
}
