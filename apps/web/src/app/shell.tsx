import { Box, chakra, Flex } from "@chakra-ui/react";
import { lazy, Suspense, useState } from "react";
import { Outlet, useLocation, useNavigate } from "react-router";
import { AnnouncementBanner } from "../admin/announcement-banner.tsx";
import { ImpersonationBanner } from "../admin/impersonation-banner.tsx";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useStoredFlag } from "../ui/use-stored-flag.ts";
import { ConnectionBanner } from "./connection-banner.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Header } from "./header.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { useShortcuts, useSingleKeys } from "./shortcuts.ts";
import { Brand, PlaceList, Sidebar } from "./sidebar.tsx";
import { usePlaces } from "./use-places.ts";

const Palette = lazy(() => import("./palette.tsx"));

type Overlay = "none" | "menu" | "palette" | "shortcuts";

/** The frame around every page of a signed-in person. */
export function Shell() {
  const [collapsed, setCollapsed] = useStoredFlag("syla.sidebar.collapsed", false);
  const [singleKeys, setSingleKeys] = useSingleKeys();
  const [overlay, setOverlay] = useState<Overlay>("none");
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const close = () => setOverlay("none");
  const goTo = Object.fromEntries(usePlaces().map((place) => [place.keys.join(" "), () => void navigate(place.to)]));
  useShortcuts(
    {
      ...goTo,
      "mod+k": () => setOverlay(overlay === "palette" ? "none" : "palette"),
      "?": () => setOverlay("shortcuts"),
      "[": () => setCollapsed(!collapsed),
    },
    singleKeys,
  );
  return (
    <Flex h="100dvh" overflow="hidden">
      <SkipLink />
      <Sidebar collapsed={collapsed} onCollapse={setCollapsed} />
      <Flex direction="column" flex="1" minW="0">
        <Header onMenu={() => setOverlay("menu")} onPalette={() => setOverlay("palette")} onShortcuts={() => setOverlay("shortcuts")} />
        <ImpersonationBanner />
        <AnnouncementBanner />
        <ConnectionBanner />
        <Box as="main" id="main" tabIndex={-1} flex="1" minH="0" outline="none">
          <ErrorBoundary key={pathname}>
            <Suspense fallback={<SkeletonRows />}>
              <Outlet />
            </Suspense>
          </ErrorBoundary>
        </Box>
      </Flex>
      {overlay === "menu" ? (
        <Modal label="Menu" place="left" width="240px" header={false} onClose={close}>
          <Box p="3">
            <Brand />
            <PlaceList onGo={close} />
          </Box>
        </Modal>
      ) : null}
      {overlay === "palette" ? (
        <Suspense fallback={null}>
          <Palette onClose={close} onShortcuts={() => setOverlay("shortcuts")} />
        </Suspense>
      ) : null}
      {overlay === "shortcuts" ? <ShortcutsDialog onClose={close} singleKeys={singleKeys} onSingleKeys={setSingleKeys} /> : null}
    </Flex>
  );
}

function SkipLink() {
  return (
    <chakra.button
      srOnly
      _focusVisible={{
        srOnly: false,
        position: "fixed",
        top: "2",
        left: "2",
        zIndex: "skipNav",
        bg: "bg.panel",
        px: "3",
        py: "1.5",
        rounded: "md",
        shadow: "md",
      }}
      onClick={() => document.getElementById("main")?.focus()}
    >
      Skip to the page
    </chakra.button>
  );
}
