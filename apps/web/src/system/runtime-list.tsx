import { Flex, Text } from "@chakra-ui/react";
import { explainStart } from "../runs/runtime-choice.ts";
import { useRuntimes } from "../runs/queries.ts";
import { Copyable } from "../ui/copyable.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";

/** The languages of this server, also those that are known but not installed. */
export function RuntimeList() {
  const runtimes = useRuntimes();
  return (
    <Section heading="Languages">
      {runtimes.isPending ? <SkeletonRows rows={3} /> : null}
      {runtimes.isError ? <ErrorPanel error={runtimes.error} onRetry={() => void runtimes.refetch()} /> : null}
      {runtimes.data?.map((runtime) => (
        <Flex
          key={runtime.name}
          columnGap="3"
          px="4"
          py="2"
          wrap="wrap"
          align="baseline"
          borderBottomWidth="1px"
          borderColor="border.muted"
          _last={{ borderBottomWidth: "0" }}
        >
          <Text fontWeight="medium" w="56">
            {runtime.title}
          </Text>
          <Text fontFamily="mono" fontSize="xs" color="fg.muted" w="48">
            {[runtime.name, ...runtime.aliases].join(", ")}
          </Text>
          {runtime.available ? (
            <>
              <Text w={{ base: "auto", md: "48" }} overflowWrap="anywhere">
                {runtime.versions.join(", ")}
              </Text>
              <Text color="fg.muted">{explainStart(runtime)}</Text>
            </>
          ) : (
            <Text color="fg.warning">not installed</Text>
          )}
          {!runtime.available && runtime.install ? <Copyable text={runtime.install} label="command" /> : null}
        </Flex>
      ))}
    </Section>
  );
}
