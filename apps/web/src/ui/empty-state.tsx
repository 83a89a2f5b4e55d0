import { Flex, Heading, Text } from "@chakra-ui/react";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface EmptyStateProps {
  readonly icon: LucideIcon;
  readonly title: string;
  /** What to do next. */
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** Nothing here, and what to do about it. */
export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
  return (
    <Flex direction="column" align="center" textAlign="center" gap="2" px="6" py="12" color="fg.muted">
      <Flex aria-hidden color="fg.subtle" mb="1">
        <Icon size={24} strokeWidth={1.5} />
      </Flex>
      <Heading as="p" size="sm" color="fg" fontWeight="medium">
        {title}
      </Heading>
      <Text maxW="sm">{children}</Text>
      {action ? <Flex mt="2">{action}</Flex> : null}
    </Flex>
  );
}
