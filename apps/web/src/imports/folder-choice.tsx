import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Import } from "@syla/sdk";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useChooseFolder, useImportFolders } from "./queries.ts";

/** Which folder of what came in is the program. Another one is looked at anew. */
export function FolderChoice({ found }: { readonly found: Import }) {
  const folders = useImportFolders(found.id);
  const choose = useChooseFolder(found.id);
  const [wish, setWish] = useState(found.folder ?? "");
  const items = folders.data ?? [];
  if (items.length < 2) return null;
  const chosen = items.find(({ path }) => path === wish);
  return (
    <Section heading="Folder" note="the part of it that is the program">
      <Flex gap="2" p="3" wrap="wrap" align="center">
        <Box flex="1 1 220px" minW="0">
          <SelectField label="Folder" value={wish} onChoose={setWish} width="full">
            {items.map(({ path, files, marks }) => (
              <option key={path} value={path}>
                {path === "" ? "all of it" : path}
                {marks.length > 0 ? ` – ${marks.slice(0, 3).join(", ")}` : ` – ${formatPlural(files, "file")}`}
              </option>
            ))}
          </SelectField>
        </Box>
        <Text fontSize="xs" color="fg.muted">
          {chosen === undefined ? "" : `${formatPlural(chosen.files, "file")}, ${formatBytes(chosen.bytes)}`}
        </Text>
        <Button
          size="sm"
          variant="outline"
          disabled={wish === (found.folder ?? "")}
          loading={choose.isPending}
          onClick={() => choose.mutate(wish === "" ? null : wish)}
        >
          Take this folder
        </Button>
      </Flex>
      {choose.error ? <ErrorPanel error={choose.error} /> : null}
    </Section>
  );
}
