import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { FlowNodeOf } from "@syla/contracts/flow";
import { ArrowUpCircle, Boxes, ExternalLink, PackageCheck } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { assetPath } from "../catalog/asset-looks.tsx";
import { useAsset } from "../catalog/queries.ts";
import { PublishDialog } from "../programs/versions/publish-dialog.tsx";
import { useBuilder } from "./builder-store.ts";
import type { ModuleUpdate } from "./module-update-dialog.tsx";

interface ModuleSectionProps {
  readonly node: FlowNodeOf<"module">;
  readonly onUpdate: (update: ModuleUpdate) => void;
  readonly onMakeModule: () => void;
}

/** Where a module is from, whether there is a newer one, and how it gets into the catalog. */
export function ModuleSection({ node, onUpdate, onMakeModule }: ModuleSectionProps) {
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const origin = node.config.composition;
  if (origin !== undefined) return <Origin node={node.id} id={origin.id} version={origin.version ?? null} onUpdate={onUpdate} />;
  return (
    <Box as="section" aria-label="The module" fontSize="xs">
      <Text color="fg.muted">It is part of this composition alone.</Text>
      {isReadOnly ? null : (
        <Button mt="1.5" size="xs" variant="outline" onClick={onMakeModule}>
          <Boxes aria-hidden /> Put it in the catalog
        </Button>
      )}
    </Box>
  );
}

interface OriginProps {
  readonly node: string;
  readonly id: string;
  readonly version: string | null;
  readonly onUpdate: (update: ModuleUpdate) => void;
}

function Origin({ node, id, version, onUpdate }: OriginProps) {
  const { data: asset, isError } = useAsset(id);
  const path = useBuilder((state) => state.path);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const [publishing, setPublishing] = useState(false);
  if (asset === undefined)
    return isError ? (
      <Text fontSize="xs" color="fg.muted">
        The composition that it is from is not here, or not for you to see.
      </Text>
    ) : null;
  const newest = asset.version;
  const hasNewer = newest !== null && newest !== version && asset.deletedAt === null;
  const mayEdit = (asset.yourLevel === "edit" || asset.yourLevel === "admin") && asset.deletedAt === null;
  return (
    <Box as="section" aria-label="The module" fontSize="xs">
      <Text overflowWrap="anywhere">
        From <b>{asset.name}</b>, {version === null ? "a draft" : `version ${version}`}
        {hasNewer || newest === null ? "" : ", the newest"}
        {asset.deletedAt === null ? "." : ". It has been deleted."}
      </Text>
      {hasNewer ? (
        <Flex
          mt="1.5"
          p="2"
          gap="2"
          align="center"
          justify="space-between"
          wrap="wrap"
          borderWidth="1px"
          borderColor="border.emphasized"
          rounded="md"
          bg="bg.subtle"
        >
          <Flex as="span" align="center" gap="1.5" fontWeight="medium">
            <ArrowUpCircle size={14} aria-hidden /> Version {newest} is there
          </Flex>
          <Button size="xs" colorPalette="accent" onClick={() => onUpdate({ path, node, composition: id, version: newest })}>
            {isReadOnly ? "What changes" : "Update"}
          </Button>
        </Flex>
      ) : null}
      <Flex mt="1.5" gap="1.5" wrap="wrap">
        <Button size="xs" variant="outline" asChild>
          <Link to={mayEdit || version === null ? assetPath(asset) : `${assetPath(asset)}?version=${encodeURIComponent(version)}`}>
            <ExternalLink aria-hidden /> Open the module
          </Link>
        </Button>
        {mayEdit && !isReadOnly ? (
          <Button size="xs" variant="outline" onClick={() => setPublishing(true)}>
            <PackageCheck aria-hidden /> Publish
          </Button>
        ) : null}
      </Flex>
      {mayEdit ? (
        <chakra.p mt="1" color="fg.muted">
          What is changed by “Open its graph” stays in this copy; what is changed in the module reaches it by an update.
        </chakra.p>
      ) : null}
      {publishing ? <PublishDialog asset={asset} onClose={() => setPublishing(false)} /> : null}
    </Box>
  );
}
