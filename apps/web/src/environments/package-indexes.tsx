import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { PackageIndex } from "@syla/sdk";
import { useState } from "react";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { IndexForm, languages } from "./package-index-form.tsx";
import { useDeletePackageIndex, usePackageIndexes } from "./queries.ts";

/** Indexes beside the server's own, and a form for a new one. */
export function PackageIndexesSection() {
  const indexes = usePackageIndexes();
  const remove = useDeletePackageIndex();
  const me = useMe().data;
  // The id of the one that is changed, or `new`.
  const [edited, setEdited] = useState<string | null>(null);
  const items = indexes.data ?? [];
  return (
    <Section heading="Package indexes" note="What a pattern names comes from that index and from nowhere else." mt="8">
      {indexes.isError ? <ErrorPanel error={indexes.error} onRetry={() => void indexes.refetch()} /> : null}
      {remove.isError ? <ErrorPanel error={remove.error} /> : null}
      {indexes.isSuccess && items.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          All packages come from the index of this server.
        </Text>
      ) : null}
      {items.map((index) =>
        me != null && edited === index.id ? (
          <IndexForm key={index.id} index={index} me={me} onDone={() => setEdited(null)} />
        ) : (
          <IndexRow
            key={index.id}
            index={index}
            isBusy={remove.isPending}
            onEdit={() => setEdited(index.id)}
            onDelete={() => remove.mutate(index.id)}
          />
        ),
      )}
      {me == null || me.role === "end_user" ? null : edited === "new" ? (
        <IndexForm index={null} me={me} onDone={() => setEdited(null)} />
      ) : (
        <Box px="4" py="3">
          <Button size="xs" variant="outline" onClick={() => setEdited("new")}>
            Add an index
          </Button>
        </Box>
      )}
    </Section>
  );
}

interface IndexRowProps {
  readonly index: PackageIndex;
  readonly isBusy: boolean;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
}

function IndexRow({ index, isBusy, onEdit, onDelete }: IndexRowProps) {
  const { name, language, packages, url, owner, credentialId, mayManage } = index;
  return (
    <Flex align="center" gap="3" px="4" py="2.5" wrap="wrap" borderBottomWidth="1px" borderColor="border.muted">
      <Box minW="0" flex="1 1 240px">
        <Flex gap="2" align="baseline" wrap="wrap">
          <Text fontWeight="medium" overflowWrap="anywhere">
            {name}
          </Text>
          <Text fontFamily="mono" fontSize="xs" overflowWrap="anywhere">
            {packages.join(" ")}
          </Text>
        </Flex>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {languages[language]} · {owner.name} · {url} · {credentialId === null ? "no credential" : "with a credential"}
        </Text>
      </Box>
      {mayManage ? (
        <Flex gap="2">
          <Button size="xs" variant="outline" aria-label={`Change ${name}`} onClick={onEdit}>
            Change
          </Button>
          <Button size="xs" variant="outline" aria-label={`Forget ${name}`} disabled={isBusy} onClick={onDelete}>
            Forget
          </Button>
        </Flex>
      ) : null}
    </Flex>
  );
}
