import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import { ChevronRight, PanelLeftClose, PanelLeftOpen } from "lucide-react";
import { Link, useLocation } from "react-router";
import { IconButton } from "../ui/icon-button.tsx";
import { useStoredFlag } from "../ui/use-stored-flag.ts";
import { type Place, type PlaceGroup, placeGroups } from "./navigation.ts";
import { usePlaces } from "./use-places.ts";

interface SidebarProps {
  readonly collapsed: boolean;
  readonly onCollapse: (collapsed: boolean) => void;
}

/** The places to go, beside the page; collapsed it keeps only the icons. */
export function Sidebar({ collapsed, onCollapse }: SidebarProps) {
  return (
    <Flex
      direction="column"
      w={collapsed ? "56px" : "208px"}
      flexShrink="0"
      bg="bg.subtle"
      borderRightWidth="1px"
      borderColor="border"
      display={{ base: "none", md: "flex" }}
      px="2"
      py="2"
    >
      <Brand collapsed={collapsed} />
      <Box flex="1" minH="0" overflowY="auto" mx="-2" px="2">
        <PlaceList collapsed={collapsed} />
      </Box>
      <Box pt="1">
        <IconButton
          label={collapsed ? "Expand the sidebar" : "Collapse the sidebar"}
          onClick={() => onCollapse(!collapsed)}
          w={collapsed ? "full" : "8"}
        >
          {collapsed ? <PanelLeftOpen /> : <PanelLeftClose />}
        </IconButton>
      </Box>
    </Flex>
  );
}

/** The product's mark and name. */
export function Brand({ collapsed = false }: { readonly collapsed?: boolean }) {
  return (
    <Flex align="center" gap="2" h="8" mb="3" px={collapsed ? "0" : "2"} justify={collapsed ? "center" : "flex-start"}>
      <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="#5353cb" />
        <path d="M9 10.5 14.5 16 9 21.5M17 21.5h6" fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      {collapsed ? null : (
        <Text fontSize="md" fontWeight="semibold" letterSpacing="-0.01em">
          Syla
        </Text>
      )}
    </Flex>
  );
}

interface PlaceListProps {
  readonly collapsed?: boolean;
  readonly onGo?: () => void;
}

/** The links in their groups; the drawer of small screens shows the same. A group can be folded away. */
export function PlaceList({ collapsed = false, onGo }: PlaceListProps) {
  const places = usePlaces();
  return (
    <Flex as="nav" aria-label="Main" direction="column" gap="0.5">
      {placeGroups.map((group) => {
        const inside = places.filter((place) => place.group === group);
        return inside.length === 0 ? null : <PlaceGroupList key={group} group={group} places={inside} collapsed={collapsed} onGo={onGo} />;
      })}
    </Flex>
  );
}

interface PlaceGroupProps {
  readonly group: PlaceGroup;
  readonly places: readonly Place[];
  readonly collapsed: boolean;
  readonly onGo: (() => void) | undefined;
}

function PlaceGroupList({ group, places, collapsed, onGo }: PlaceGroupProps) {
  const { pathname } = useLocation();
  const [isFolded, setFolded] = useStoredFlag(`syla.sidebar.folded.${group}`, false);
  const hasHeading = group !== "top" && !collapsed;
  const shown = hasHeading && isFolded ? places.filter((place) => place.matches(pathname)) : places;
  return (
    <>
      {group === "top" ? null : hasHeading ? (
        <chakra.button
          type="button"
          aria-expanded={!isFolded}
          onClick={() => setFolded(!isFolded)}
          display="flex"
          alignItems="center"
          justifyContent="space-between"
          h="7"
          mt="2"
          px="2"
          rounded="md"
          fontSize="xs"
          color="fg.muted"
          cursor="pointer"
          _hover={{ bg: "bg.muted", color: "fg" }}
        >
          {group}
          <chakra.span aria-hidden display="flex" style={{ rotate: isFolded ? "0deg" : "90deg" }}>
            <ChevronRight size={12} />
          </chakra.span>
        </chakra.button>
      ) : (
        <Box role="presentation" borderTopWidth="1px" borderColor="border" my="1.5" />
      )}
      {shown.map((place) => (
        <PlaceLink key={place.to} place={place} current={place.matches(pathname)} collapsed={collapsed} onGo={onGo} />
      ))}
    </>
  );
}

interface PlaceLinkProps {
  readonly place: Place;
  readonly current: boolean;
  readonly collapsed: boolean;
  readonly onGo: (() => void) | undefined;
}

function PlaceLink({ place, current, collapsed, onGo }: PlaceLinkProps) {
  const Icon = place.icon;
  return (
    <Flex
      asChild
      align="center"
      justify={collapsed ? "center" : "flex-start"}
      gap="2.5"
      h="8"
      px={collapsed ? "0" : "2"}
      rounded="md"
      fontWeight="medium"
      color={current ? "fg" : "fg.muted"}
      bg={current ? "bg.emphasized" : "transparent"}
      _hover={{ bg: current ? "bg.emphasized" : "bg.muted", color: "fg" }}
    >
      <Link
        to={place.to}
        aria-current={current ? "page" : undefined}
        {...(collapsed ? { "aria-label": place.label, "data-tip": place.label } : {})}
        onClick={onGo}
      >
        <Icon size={16} aria-hidden strokeWidth={1.75} />
        {collapsed ? null : place.label}
      </Link>
    </Flex>
  );
}
