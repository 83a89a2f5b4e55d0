import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { LinkedAsset as Asset, LinkedThing } from "@syla/sdk";
import { useLocation, useSearchParams } from "react-router";
import { AssetIcon, assetLooks } from "../../catalog/asset-looks.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { TabLinks } from "../../ui/tab-links.tsx";
import { TimeAgo } from "../../ui/time-ago.tsx";
import { LinkedCode } from "./linked-code.tsx";
import { LinkedFiles } from "./linked-files.tsx";
import { LinkedFrame } from "./linked-frame.tsx";
import { LinkedReadme } from "./linked-readme.tsx";
import { LinkedRows } from "./linked-rows.tsx";

interface LinkedAssetProps {
  readonly link: LinkedThing;
  readonly asset: Asset;
}

const tabsOf = {
  program: ["about", "files"],
  composition: ["about", "code"],
  dataset: ["about", "rows"],
  model: ["about"],
} as const;
const tabLabels = { about: "About", files: "Files", code: "Code", rows: "Rows" } as const;

/** A program, a composition, a dataset or a model to look at. */
export function LinkedAsset({ link, asset }: LinkedAssetProps) {
  const [search] = useSearchParams();
  const { pathname, hash } = useLocation();
  const tabs = tabsOf[asset.type];
  const tab = tabs.find((known) => known === search.get("tab")) ?? "about";
  return (
    <LinkedFrame
      icon={<AssetIcon type={asset.type} size={20} />}
      name={link.name}
      facts={
        <>
          <span>{assetLooks[asset.type].label}</span>
          {asset.runtime === null ? null : <span>{asset.runtime}</span>}
          {asset.rowCount === null ? null : <span>{formatPlural(asset.rowCount, "row")}</span>}
          {asset.versions[0] === undefined ? null : <span>version {asset.versions[0].version}</span>}
          <span>
            changed <TimeAgo time={asset.updatedAt} />
          </span>
        </>
      }
    >
      {tabs.length === 1 ? null : (
        <Box px={{ base: "4", md: "6" }}>
          {/* The link itself is behind the `#`: it stays there. */}
          <TabLinks
            label={assetLooks[asset.type].label}
            tabs={tabs.map((name) => ({ to: `${pathname}?tab=${name}${hash}`, label: tabLabels[name], current: name === tab }))}
          />
        </Box>
      )}
      {tab === "about" ? <About link={link} asset={asset} /> : null}
      {tab === "files" ? <LinkedFiles id={link.resourceId} /> : null}
      {tab === "code" ? <LinkedCode id={link.resourceId} /> : null}
      {tab === "rows" && asset.columns !== null ? <LinkedRows id={link.resourceId} columns={asset.columns} /> : null}
    </LinkedFrame>
  );
}

function About({ link, asset }: LinkedAssetProps) {
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="960px" w="full">
      <Text mb="4" whiteSpace="pre-wrap" overflowWrap="anywhere" color={asset.description === "" ? "fg.muted" : "fg"}>
        {asset.description === "" ? "Nothing is said about it." : asset.description}
      </Text>
      {asset.tags.length === 0 ? null : (
        <Flex gap="1" wrap="wrap" mb="4">
          {asset.tags.map((tag) => (
            <chakra.span key={tag} px="1.5" rounded="sm" fontSize="xs" color="fg.muted" bg="bg.muted">
              {tag}
            </chakra.span>
          ))}
        </Flex>
      )}
      {asset.type === "program" ? <LinkedReadme id={link.resourceId} /> : null}
      {asset.type === "model" ? null : <Versions asset={asset} />}
    </Box>
  );
}

function Versions({ asset }: { readonly asset: Asset }) {
  return (
    <Section heading="Versions">
      {asset.versions.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          Nothing is published yet.
        </Text>
      ) : null}
      <Box as="ul" listStyleType="none">
        {asset.versions.map(({ version, message, createdAt }) => (
          <Flex
            as="li"
            key={version}
            gap="3"
            px="4"
            py="2"
            wrap="wrap"
            align="baseline"
            borderTopWidth="1px"
            borderColor="border.muted"
            _first={{ borderTopWidth: 0 }}
          >
            <chakra.span fontFamily="mono" fontWeight="medium" minW="20">
              {version}
            </chakra.span>
            <Text flex="1 1 200px" color="fg.muted" whiteSpace="pre-wrap" overflowWrap="anywhere">
              {message}
            </Text>
            <Text as="div" fontSize="xs" color="fg.subtle">
              <TimeAgo time={createdAt} />
            </Text>
          </Flex>
        ))}
      </Box>
    </Section>
  );
}
