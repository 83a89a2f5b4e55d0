import { Flex, Text } from "@chakra-ui/react";
import { Ban, CircleCheck, CircleX } from "lucide-react";
import type { AuditEvent } from "@syla/sdk";

const looks = {
  ok: { label: "Done", color: "fg.success", icon: CircleCheck },
  denied: { label: "Denied", color: "fg.warning", icon: Ban },
  failed: { label: "Failed", color: "fg.error", icon: CircleX },
} as const;

/** How it went, as a mark and a word. */
export function OutcomeMark({ outcome }: { readonly outcome: AuditEvent["outcome"] }) {
  const { label, color, icon: Icon } = looks[outcome];
  return (
    <Flex as="span" align="center" gap="1.5" whiteSpace="nowrap">
      <Flex as="span" aria-hidden color={color}>
        <Icon size={14} />
      </Flex>
      <Text as="span">{label}</Text>
    </Flex>
  );
}
