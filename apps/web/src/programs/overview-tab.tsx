import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import { Link, useNavigate } from "react-router";
import { syla } from "../app/api.ts";
import { TagList } from "../catalog/asset-parts.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { formatBytes, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import type { AssetTabProps } from "../catalog/asset-page.tsx";

/** What a program is, at a glance. */
export function OverviewTab({ asset }: AssetTabProps) {
  const config = syla.programs.config(asset);
  const navigate = useNavigate();
  const { profile, network } = config;
  return (
    <Box maxW="1120px" px={{ base: "4", md: "6" }} py="4">
      {asset.description === "" ? null : (
        <Text mb="4" whiteSpace="pre-wrap" overflowWrap="anywhere">
          {asset.description}
        </Text>
      )}
      <Section heading="Program">
        <DefinitionList
          items={[
            [
              "Tags",
              asset.tags.length === 0 ? null : (
                <TagList key="tags" tags={asset.tags} onTag={(tag) => void navigate(`/catalog?view=all&tags=${tag}`)} />
              ),
            ],
            ["Language", `${config.runtime}${config.runtimeVersion === null ? "" : ` ${config.runtimeVersion}`}`],
            ["Entrypoint", <Code key="entrypoint">{config.entrypoint}</Code>],
            ["Arguments", config.args.length === 0 ? null : <Code key="args">{config.args.join(" ")}</Code>],
            [
              "Dependencies",
              config.dependencies.packages.length === 0
                ? "none"
                : config.dependencies.packages.map((one) => `${one.name}${one.constraint}`).join(", "),
            ],
            ["Resources", typeof profile === "string" ? profile : "limits of its own"],
            ["Network", typeof network === "string" ? network : network.allow.join(", ")],
            ["Slots", asset.slots.length === 0 ? null : <SlotLinks key="slots" asset={asset} />],
            ["Files", asset.tree === null ? "none" : `${formatPlural(asset.tree.files, "file")}, ${formatBytes(asset.tree.bytes)}`],
          ]}
        />
      </Section>
      <Section heading="Record">
        <DefinitionList
          items={[
            ["Owner", asset.owner.name],
            ["Slug", <Code key="slug">{asset.slug}</Code>],
            ["Newest version", asset.version ?? "nothing is published"],
            ["Created", <By key="created" time={asset.createdAt} name={asset.createdBy?.name} />],
            ["Changed", <By key="changed" time={asset.updatedAt} name={asset.updatedBy?.name} />],
            [
              "Cloned from",
              asset.clonedFrom === null ? null : (
                <Text key="cloned" as="span" textDecoration="underline">
                  <Link to={`/programs/${asset.clonedFrom.id}`}>{asset.clonedFrom.id}</Link>
                </Text>
              ),
            ],
            ["Imported from", asset.importSource === null ? null : (asset.importSource.url ?? asset.importSource.kind)],
          ]}
        />
      </Section>
    </Box>
  );
}

/** The slots by name, as a way to their code. */
function SlotLinks({ asset }: AssetTabProps) {
  const shown = asset.slots.slice(0, 30);
  return (
    <Flex as="span" columnGap="3" wrap="wrap" fontFamily="mono" fontSize="xs">
      {shown.map((name) => (
        <Link key={name} to={`/programs/${asset.id}?tab=files&part=slots`} style={{ textDecoration: "underline" }}>
          {name}
        </Link>
      ))}
      {asset.slots.length > shown.length ? <span>and {asset.slots.length - shown.length} more</span> : null}
    </Flex>
  );
}

function Code({ children }: { readonly children: string }) {
  return (
    <chakra.code fontSize="xs" overflowWrap="anywhere">
      {children}
    </chakra.code>
  );
}

function By({ time, name }: { readonly time: string; readonly name: string | undefined }) {
  return (
    <Flex as="span" gap="1">
      <TimeAgo time={time} />
      {name === undefined || name === "" ? null : <span>by {name}</span>}
    </Flex>
  );
}
