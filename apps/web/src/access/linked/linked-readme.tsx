import { Text } from "@chakra-ui/react";
import { Section } from "../../ui/page.tsx";
import { useLinkedFiles, useLinkedText } from "./queries.ts";

/** What a program says of itself, as the text that it is: somebody else wrote it. */
export function LinkedReadme({ id }: { readonly id: string }) {
  const files = useLinkedFiles(id);
  const path = files.data?.items.find((file) => /^readme(\.(md|txt|rst))?$/i.test(file.path))?.path;
  const { data } = useLinkedText(id, path);
  if (path === undefined || data === undefined || data.text === null) return null;
  return (
    <Section heading={path}>
      <Text p="4" whiteSpace="pre-wrap" overflowWrap="anywhere">
        {data.text}
      </Text>
    </Section>
  );
}
