import { chakra, Flex, Text } from "@chakra-ui/react";
import type { AssetSummary } from "@syla/sdk";
import { Globe, Lock, Users } from "lucide-react";
import { EnvironmentStateBadge } from "../environments/environment-state.tsx";
import { StatusIcon } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

/** Tags, each of which narrows the list. */
export function TagList({ tags, onTag }: { readonly tags: readonly string[]; readonly onTag: (tag: string) => void }) {
  return (
    <Flex gap="1" wrap="wrap">
      {tags.map((tag) => (
        <chakra.button
          key={tag}
          type="button"
          aria-label={`Only with the tag ${tag}`}
          onClick={() => onTag(tag)}
          position="relative"
          zIndex="1"
          minH="6"
          px="1.5"
          rounded="sm"
          fontSize="xs"
          color="fg.muted"
          bg="bg.muted"
          cursor="pointer"
          _hover={{ color: "fg" }}
        >
          {tag}
        </chakra.button>
      ))}
    </Flex>
  );
}

/** Who can see it, in a word. */
export function SharingState({ asset }: { readonly asset: AssetSummary }) {
  const [Icon, word] =
    asset.visibility === "public"
      ? [Globe, "Public"]
      : asset.isShared || asset.owner.type === "team"
        ? [Users, "Shared"]
        : [Lock, "Private"];
  return (
    <Flex as="span" align="center" gap="1" whiteSpace="nowrap">
      <Icon size={12} aria-hidden /> {word}
    </Flex>
  );
}

/** How its packages stand; in lists only when they are not simply there. */
export function PackagesState({ asset, all = false }: { readonly asset: AssetSummary; readonly all?: boolean }) {
  const { environmentState: state } = asset;
  if (state === null || (!all && state !== "building" && state !== "failed")) return null;
  return (
    <Flex as="span" align="center" gap="1" whiteSpace="nowrap">
      Packages: <EnvironmentStateBadge state={state} phase={null} />
    </Flex>
  );
}

/** How its last run went. */
export function LastRun({ asset }: { readonly asset: AssetSummary }) {
  if (asset.type !== "program") return null;
  if (asset.lastRun === null) return <Text as="span">never run</Text>;
  return (
    <Flex as="span" align="center" gap="1" whiteSpace="nowrap">
      <StatusIcon status={asset.lastRun.status} /> <TimeAgo time={asset.lastRun.at} />
    </Flex>
  );
}
