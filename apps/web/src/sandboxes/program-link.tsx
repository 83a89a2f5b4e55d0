import { Text } from "@chakra-ui/react";
import type { Sandbox } from "@syla/sdk";
import { Link } from "react-router";

/** The program that a sandbox is the interactive environment of. */
export function ProgramLink({ program }: { readonly program: NonNullable<Sandbox["program"]> }) {
  const { id, name, version } = program;
  const place = new URLSearchParams({ tab: "environment", ...(version === null ? {} : { version }) });
  return (
    <Text as="span" position="relative" zIndex="1" overflowWrap="anywhere">
      environment of{" "}
      <Text as="span" textDecoration="underline">
        <Link to={`/programs/${id}?${place}`}>
          {name}
          {version === null ? "" : ` ${version}`}
        </Link>
      </Text>
    </Text>
  );
}
