import { Flex } from "@chakra-ui/react";
import type { Webhook } from "@syla/sdk";
import { CircleAlert, CircleCheck, CircleSlash } from "lucide-react";

/** Whether it is on, and takes what it is sent. */
export function WebhookState({ webhook }: { readonly webhook: Pick<Webhook, "enabled" | "failingSince"> }) {
  const { label, color, Icon } = !webhook.enabled
    ? { label: "Off", color: "fg.muted", Icon: CircleSlash }
    : webhook.failingSince === null
      ? { label: "On", color: "fg.success", Icon: CircleCheck }
      : { label: "Failing", color: "fg.warning", Icon: CircleAlert };
  return (
    <Flex as="span" align="center" gap="1" color={color} fontSize="xs" fontWeight="medium">
      <Icon size={14} aria-hidden />
      {label}
    </Flex>
  );
}
