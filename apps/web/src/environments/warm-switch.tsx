import { Box, Button } from "@chakra-ui/react";
import type { Environment } from "@syla/sdk";
import { Flame } from "lucide-react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { useKeepWarm } from "./queries.ts";

/** Says that an environment is to be warm at any time, or no more. */
export function WarmSwitch({ environment: { id, warmth } }: { readonly environment: Environment }) {
  const keep = useKeepWarm(id);
  return (
    <>
      <Button
        size="xs"
        variant="outline"
        aria-pressed={warmth.byYou}
        title="Built at any time, with an interpreter booted ahead"
        loading={keep.isPending}
        onClick={() => keep.mutate(!warmth.byYou)}
      >
        <Flame aria-hidden /> {warmth.byYou ? "Let it cool" : "Keep warm"}
      </Button>
      {keep.isError ? (
        <Box flexBasis="100%">
          <ErrorPanel error={keep.error} />
        </Box>
      ) : null}
    </>
  );
}

/** How ready it is, in a few words. */
export function describeWarmth({ isWarm, isKept, byYou }: Environment["warmth"]): string {
  const state = isWarm ? "warm: its programs begin at once" : "cold";
  if (!isKept) return state;
  return `${state}; kept warm ${byYou ? "by you" : "by others"}`;
}
