import { Box, chakra, Flex, Link as PlainLink, Table, Text } from "@chakra-ui/react";
import type { Environment, EnvironmentPackage } from "@syla/sdk";
import { syla } from "../app/api.ts";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes, formatDuration, formatPlural } from "../ui/format.ts";
import { LogViewer } from "../ui/log/log-viewer.tsx";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { EnvironmentFailure } from "./environment-failure.tsx";
import { EnvironmentStateBadge } from "./environment-state.tsx";
import { useBuildLog } from "./use-build-log.ts";
import { describeWarmth } from "./warm-switch.tsx";

/** Everything about one environment: state, why it failed, packages with licences, the log. */
export function EnvironmentDetail({ environment }: { readonly environment: Environment }) {
  const { error } = environment;
  return (
    <>
      {error ? <EnvironmentFailure error={error} /> : null}
      <Section heading="Environment">
        <DefinitionList
          items={[
            ["State", <EnvironmentStateBadge key="state" state={environment.state} phase={environment.phase} />],
            ["Id", environment.id === "" ? null : <Copyable key="id" text={environment.id} label="environment id" />],
            ["Language", `${environment.language} ${environment.runtimeVersion}, ${environment.platform}`],
            ["Dependencies", <Dependencies key="wishes" environment={environment} />],
            ["Size", environment.size === null ? null : formatBytes(environment.size)],
            ["Built", environment.builtAt === null ? null : <Built key="built" environment={environment} />],
            [
              "On this server",
              environment.isHere ? "yes" : environment.isLocked ? "no; its next use installs the same versions again" : null,
            ],
            ["Warmth", environment.id === "" ? null : describeWarmth(environment.warmth)],
            ["Used by", environment.programCount === 0 ? null : formatPlural(environment.programCount, "program")],
          ]}
        />
      </Section>
      {environment.packages.length > 0 ? (
        <Packages packages={environment.packages} lockHref={syla.environments.lockUrl(environment.id)} />
      ) : null}
      {environment.hasLog || environment.state === "building" ? <BuildLog environment={environment} /> : null}
    </>
  );
}

function Dependencies({ environment: { dependencies, source } }: { readonly environment: Environment }) {
  return (
    <Box>
      {dependencies.slice(0, 50).map((line) => (
        <Text key={line} as="div" fontFamily="mono" fontSize="xs" lineHeight="20px" overflowWrap="anywhere">
          {line}
        </Text>
      ))}
      {dependencies.length > 50 ? <Text fontSize="xs">and {dependencies.length - 50} more</Text> : null}
      <Text fontSize="xs" color="fg.muted">
        from {source === "manual" ? "the program's settings" : source}
      </Text>
    </Box>
  );
}

function Built({ environment: { builtAt, buildMs } }: { readonly environment: Environment }) {
  return (
    <Flex gap="2">
      {builtAt === null ? null : <TimeAgo time={builtAt} />}
      <Text as="span" color="fg.muted">
        in {formatDuration(buildMs)}
      </Text>
    </Flex>
  );
}

function Packages({ packages, lockHref }: { readonly packages: readonly EnvironmentPackage[]; readonly lockHref: string }) {
  return (
    <Section
      heading="Packages"
      note={
        <>
          {formatPlural(packages.length, "package")} ·{" "}
          <PlainLink href={lockHref} download textDecoration="underline">
            download the lock
          </PlainLink>
        </>
      }
    >
      {/* Scrolled with the arrow keys: nothing in it takes the focus. */}
      <Box maxH="420px" overflow="auto" role="region" aria-label="Packages" tabIndex={0} outlineOffset="-2px">
        <Table.Root size="sm">
          <Table.Header>
            <Table.Row bg="bg.panel">
              <Table.ColumnHeader px="4" py="1.5" textAlign="left">
                Package
              </Table.ColumnHeader>
              <Table.ColumnHeader px="4" py="1.5" textAlign="left">
                Version
              </Table.ColumnHeader>
              <Table.ColumnHeader px="4" py="1.5" textAlign="left">
                Licence
              </Table.ColumnHeader>
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {packages.map(({ name, version, license }) => (
              <Table.Row key={`${name} ${version}`} bg="bg.panel">
                <Table.Cell px="4" py="1" overflowWrap="anywhere">
                  {name}
                </Table.Cell>
                <Table.Cell px="4" py="1" fontFamily="mono" fontSize="xs">
                  {version}
                </Table.Cell>
                <Table.Cell px="4" py="1" color={license === null ? "fg.muted" : undefined} overflowWrap="anywhere">
                  {license ?? "not said"}
                </Table.Cell>
              </Table.Row>
            ))}
          </Table.Body>
        </Table.Root>
      </Box>
    </Section>
  );
}

function BuildLog({ environment }: { readonly environment: Environment }) {
  const live = environment.state === "building";
  const log = useBuildLog(environment.id, live ? "building" : String(environment.buildCount));
  if (log.error) return <ErrorPanel error={log.error} />;
  return (
    <Section heading="Log of the build">
      <chakra.div h="360px">
        <LogViewer
          buffer={log.buffer}
          live={live}
          download={environment.hasLog ? { href: syla.environments.logUrl(environment.id), name: `${environment.id}.log` } : null}
          empty={live ? "Nothing was said yet." : "The build said nothing."}
          reconnecting={log.reconnecting && live}
        />
      </chakra.div>
    </Section>
  );
}
