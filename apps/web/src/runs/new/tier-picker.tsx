import { chakra, Flex, Text } from "@chakra-ui/react";
import type { RunOptions } from "@syla/sdk";
import { useRunOptions } from "../queries.ts";

type Tier = RunOptions["defaultTier"];

const words: Readonly<Record<Tier, { readonly label: string; readonly help: string }>> = {
  namespace: { label: "Namespaces", help: "two walls on this machine's own kernel; starts in milliseconds" },
  gvisor: { label: "gVisor", help: "a kernel that is a program, in a jail on this machine" },
  microvm: { label: "Micro VM", help: "a virtual machine with a kernel of its own" },
  kubernetes: { label: "Kubernetes", help: "a pod in a cluster" },
};

interface TierPickerProps {
  /** Empty: what the server takes. */
  readonly value: string;
  readonly onChange: (tier: Tier) => void;
}

/** How it is isolated: the tiers of this server, with the reason where one cannot be had. Where there is no choice it says only what is so. */
export function TierPicker({ value, onChange }: TierPickerProps) {
  const options = useRunOptions();
  if (options.data === undefined) return null;
  const { tiers, defaultTier } = options.data;
  const usable = tiers.filter(({ available }) => available);
  const missing = tiers.filter(({ available }) => !available);
  const chosen = value === "" ? defaultTier : value;
  return (
    <Flex direction="column" gap="1.5">
      {usable.length > 1 ? (
        <Flex as="fieldset" direction="column" gap="1" borderWidth="0" p="0" m="0">
          <chakra.legend fontSize="sm" fontWeight="medium" mb="1">
            Isolation
          </chakra.legend>
          {usable.map(({ tier }) => (
            <chakra.label key={tier} display="flex" gap="1.5" alignItems="center" cursor="pointer">
              <chakra.input
                type="radio"
                name="tier"
                css={{ accentColor: "{colors.accent.solid}" }}
                checked={chosen === tier}
                onChange={() => onChange(tier)}
              />
              <Text as="span" fontSize="sm">
                {words[tier].label}
                <Text as="span" fontSize="xs" color="fg.muted">
                  {`: ${words[tier].help}${tier === defaultTier ? " (the default)" : ""}`}
                </Text>
              </Text>
            </chakra.label>
          ))}
        </Flex>
      ) : (
        <Text fontSize="sm">
          {usable[0] === undefined ? "Nothing can be run on this server." : `Isolated by ${words[usable[0].tier].label.toLowerCase()}: `}
          <Text as="span" fontSize="xs" color="fg.muted">
            {usable[0] === undefined ? "" : words[usable[0].tier].help}
          </Text>
        </Text>
      )}
      {missing.length > 0 ? (
        <Text fontSize="xs" color={missing.some(({ tier }) => tier === defaultTier) ? "fg.error" : "fg.muted"} overflowWrap="anywhere">
          {missing.map(({ reason }) => reason).join(" ")}
        </Text>
      ) : null}
    </Flex>
  );
}
