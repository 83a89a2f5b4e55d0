import { Flex, Link as PlainLink, Text } from "@chakra-ui/react";
import { Link } from "react-router";
import { basePath } from "../app/api.ts";
import { Copyable } from "../ui/copyable.tsx";
import { Section } from "../ui/page.tsx";
import { mayEdit, type WorkspaceTabProps } from "./workspace-tab.ts";

/** How git gets at the workspace. */
export function GitSection({ workspace }: WorkspaceTabProps) {
  const address = `${window.location.origin}${basePath}/git/${workspace.id}.git`;
  return (
    <Section heading="Clone with git">
      <Flex direction="column" gap="2" p="4" minW="0">
        <Copyable text={`git clone ${address}`} label="command" />
        <Text color="fg.muted" fontSize="sm">
          Git asks for a password: an{" "}
          <PlainLink asChild textDecoration="underline">
            <Link to="/settings/api-keys">API key</Link>
          </PlainLink>{" "}
          with the scope <code>workspaces:read</code>
          {mayEdit(workspace) ? (
            <>
              , to push also <code>workspaces:write</code>. Each commit that is pushed becomes a version.
            </>
          ) : (
            "."
          )}
        </Text>
      </Flex>
    </Section>
  );
}
