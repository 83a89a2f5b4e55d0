import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import { Code, LayoutTemplate, type LucideIcon, Upload } from "lucide-react";
import { Link } from "react-router";
import { useMe } from "../accounts/queries.ts";

interface Start {
  readonly to: string;
  readonly title: string;
  readonly text: string;
  readonly icon: LucideIcon;
  /** Not for those who may only run what others share. */
  readonly makes: boolean;
}

const starts: readonly Start[] = [
  { to: "/runs/new", title: "Paste code", text: "Run a few lines in any language", icon: Code, makes: false },
  { to: "/programs/new", title: "Import a program", text: "From a folder, an archive or a Git address", icon: Upload, makes: true },
  {
    to: "/programs/new?source=template",
    title: "Use a template",
    text: "Begin with a program that works",
    icon: LayoutTemplate,
    makes: true,
  },
];

/** The ways to begin something, one click each. */
export function StartCards() {
  const role = useMe().data?.role;
  return (
    <Grid as="nav" aria-label="Start" templateColumns="repeat(auto-fit, minmax(min(100%, 232px), 1fr))" gap="3" mb="6">
      {starts
        .filter(({ makes }) => !makes || (role !== undefined && role !== "end_user"))
        .map(({ to, title, text, icon: Icon }) => (
          <Flex
            key={to}
            position="relative"
            gap="3"
            align="center"
            px="4"
            py="3"
            borderWidth="1px"
            borderColor="border"
            rounded="md"
            bg="bg.panel"
            _hover={{ borderColor: "accent.border", bg: "bg.subtle" }}
          >
            <Flex aria-hidden color="accent.fg">
              <Icon size={18} />
            </Flex>
            <Box minW="0">
              <Text as="span" fontWeight="medium" css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
                <Link to={to}>{title}</Link>
              </Text>
              <Text fontSize="xs" color="fg.muted">
                {text}
              </Text>
            </Box>
          </Flex>
        ))}
    </Grid>
  );
}
