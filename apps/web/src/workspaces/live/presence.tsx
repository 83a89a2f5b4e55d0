import { Button, chakra, Flex } from "@chakra-ui/react";
import { EyeOff } from "lucide-react";
import { useState } from "react";
import type { Other } from "./live-session.ts";
import { useFollow, useGoAfter } from "./use-follow.ts";
import { useLiveSession } from "./use-live-session.ts";

const shownAtOnce = 5;

/** Who else has the workspace open. A click on somebody goes where they go, until the viewer does something themselves. */
export function Presence() {
  const { live } = useLiveSession();
  const { followed, follow } = useFollow();
  const [isAll, setAll] = useState(false);
  useGoAfter(followed);
  if (live.others.length === 0) return null;
  const shown = live.others.filter((other, index) => isAll || index < shownAtOnce || other === followed);
  const more = live.others.length - shown.length;
  return (
    <Flex as="ul" aria-label="Also here" align="center" gap="1" wrap="wrap" listStyleType="none">
      {shown.map((other) => (
        <li key={other.key}>
          <Face other={other} isFollowed={other === followed} onFollow={follow} />
        </li>
      ))}
      {more > 0 || isAll ? (
        <li>
          <Button size="2xs" variant="ghost" color="fg.muted" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? "fewer" : `and ${more} more`}
          </Button>
        </li>
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
