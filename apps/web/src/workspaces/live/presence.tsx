import { Box, chakra, Flex } from "@chakra-ui/react";
import { EyeOff } from "lucide-react";
import { useEffect } from "react";
import { useSearchParams } from "react-router";
import type { Other } from "./live-session.ts";
import { useLiveSession } from "./use-live-session.ts";

const shownAtOnce = 5;

/** Who else has the workspace open. A click on somebody goes where they go, until the next one. */
export function Presence() {
  const { live } = useLiveSession();
  const [search, setSearch] = useSearchParams();
  const followed = live.others.find(({ key }) => key === search.get("follow"));
  const target = followed?.path ?? null;
  useEffect(() => {
    if (target === null || target === search.get("file")) return;
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        next.set("file", target);
        next.delete("tab");
        return next;
      },
      { replace: true },
    );
  }, [target, search, setSearch]);
  if (live.others.length === 0) return null;
  const follow = (key: string | null) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (key === null) next.delete("follow");
        else next.set("follow", key);
        return next;
      },
      { replace: true },
    );
  const more = live.others.length - shownAtOnce;
  return (
    <Flex as="ul" aria-label="Also here" align="center" gap="1" listStyleType="none">
      {live.others.slice(0, shownAtOnce).map((other) => (
        <li key={other.key}>
          <Face other={other} isFollowed={other.key === followed?.key} onFollow={follow} />
        </li>
      ))}
      {more > 0 ? (
        <Box as="li" fontSize="xs" color="fg.muted" px="1">
          and {more} more
        </Box>
      ) : null}
    </Flex>
  );
}

interface FaceProps {
  readonly other: Other;
  readonly isFollowed: boolean;
  readonly onFollow: (key: string | null) => void;
}

function Face({ other, isFollowed, onFollow }: FaceProps) {
  const where = other.path === null ? "" : `, in ${other.path}`;
  const label = isFollowed ? `Stop following ${other.name}` : `Follow ${other.name}${where}`;
  const short = initials(other.name);
  return (
    <chakra.button
      type="button"
      aria-label={`${short}: ${label}`}
      aria-pressed={isFollowed}
      data-tip={label}
      onClick={() => onFollow(isFollowed ? null : other.key)}
      display="inline-flex"
      alignItems="center"
      justifyContent="center"
      gap="1"
      minW="26px"
      h="26px"
      px={isFollowed ? "2" : "0"}
      borderRadius="full"
      fontSize="xs"
      fontWeight="semibold"
      color="white"
      cursor="pointer"
      style={{ backgroundColor: other.color }}
      outlineOffset="2px"
      css={{ "& svg": { w: "3.5", h: "3.5" } }}
    >
      {short}
      {isFollowed ? <EyeOff aria-hidden /> : null}
    </chakra.button>
  );
}

function initials(name: string): string {
  const letters = name
    .trim()
    .split(/\s+/)
    .map((word) => /^./u.exec(word)?.[0] ?? "");
  return [letters[0], letters.length > 1 ? letters.at(-1) : ""].join("").toUpperCase() || "?";
}
