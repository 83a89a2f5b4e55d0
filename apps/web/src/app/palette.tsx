import { Box, chakra, Flex, Input, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { CornerDownLeft, Keyboard, KeyRound, LogOut, type LucideIcon, Moon, Sun } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useDeferredValue, useEffect, useId, useState } from "react";
import { useNavigate } from "react-router";
import { useSignOut } from "../accounts/queries.ts";
import { AssetIcon, assetPath } from "../catalog/asset-looks.tsx";
import { Modal } from "../ui/modal.tsx";
import { ShortcutKeys } from "../ui/shortcut-keys.tsx";
import { StatusIcon } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { syla } from "./api.ts";
import { setColorPreference } from "./color-mode.ts";
import { usePlaces } from "./use-places.ts";

interface PaletteItem {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  readonly icon: ReactNode;
  readonly aside?: ReactNode;
  readonly run: () => void;
}

interface PaletteProps {
  readonly onClose: () => void;
  readonly onShortcuts: () => void;
}

/** Finds any page, asset, run or command by typing (Ctrl/Cmd+K). */
export default function Palette({ onClose, onShortcuts }: PaletteProps) {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const items = usePaletteItems(query.trim(), onShortcuts);
  const listId = useId();
  const chosen = Math.min(active, items.length - 1);
  const pick = (item: PaletteItem | undefined) => {
    if (!item) return;
    onClose();
    item.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && items.length > 0) setActive((chosen + step + items.length) % items.length);
    else if (event.key === "Enter") pick(items[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal label="Find" place="top" width="36rem" header={false} onClose={onClose}>
      <Input
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={items[chosen] ? `${listId}-${items[chosen].id}` : undefined}
        aria-label="Find a page, an asset, a run or a command"
        placeholder="Find a page, an asset, a run or a command"
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        border="none"
        borderBottomWidth="1px"
        rounded="0"
        h="12"
        px="4"
        fontSize="md"
        outline="none"
        position="sticky"
        top="0"
        bg="bg.panel"
        zIndex="1"
      />
      <Box id={listId} role="listbox" aria-label="Results" p="2">
        {items.map((item, index) => (
          <PaletteRow
            key={item.id}
            id={`${listId}-${item.id}`}
            item={item}
            heading={items[index - 1]?.group === item.group ? null : item.group}
            active={index === chosen}
            onPick={() => pick(item)}
            onHover={() => setActive(index)}
          />
        ))}
        {items.length === 0 ? (
          <Text px="2" py="4" color="fg.muted" role="status">
            Nothing is called “{query}”.
          </Text>
        ) : null}
      </Box>
    </Modal>
  );
}

interface PaletteRowProps {
  readonly id: string;
  readonly item: PaletteItem;
  readonly heading: string | null;
  readonly active: boolean;
  readonly onPick: () => void;
  readonly onHover: () => void;
}

function PaletteRow({ id, item, heading, active, onPick, onHover }: PaletteRowProps) {
  useEffect(() => {
    if (active) document.getElementById(id)?.scrollIntoView({ block: "nearest" });
  }, [active, id]);
  return (
    <>
      {heading ? (
        <Text role="presentation" fontSize="xs" color="fg.subtle" px="2" pt="2" pb="1">
          {heading}
        </Text>
      ) : null}
      <Flex
        id={id}
        role="option"
        aria-selected={active}
        align="center"
        gap="2.5"
        h="9"
        px="2"
        rounded="md"
        cursor="pointer"
        bg={active ? "bg.muted" : "transparent"}
        onMouseMove={onHover}
        onClick={onPick}
      >
        {item.icon}
        <Text truncate>{item.label}</Text>
        <Flex ml="auto" align="center" gap="2" color="fg.subtle" fontSize="xs" flexShrink="0">
          {item.aside}
          {active ? <CornerDownLeft size={12} aria-hidden /> : null}
        </Flex>
      </Flex>
    </>
  );
}

function icon(Icon: LucideIcon) {
  return (
    <chakra.span color="fg.muted" aria-hidden>
      <Icon size={16} strokeWidth={1.75} />
    </chakra.span>
  );
}

function usePaletteItems(query: string, onShortcuts: () => void): readonly PaletteItem[] {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const fixed: readonly PaletteItem[] = [
    ...usePlaces().map((place) => ({
      id: place.label.replaceAll(" ", "-"),
      group: "Pages",
      label: place.label,
      icon: icon(place.icon),
      aside: <ShortcutKeys keys={place.keys} />,
      run: () => void navigate(place.to),
    })),
    { id: "api-keys", group: "Pages", label: "API keys", icon: icon(KeyRound), run: () => void navigate("/settings/api-keys") },
    { id: "light", group: "Commands", label: "Light appearance", icon: icon(Sun), run: () => setColorPreference("light") },
    { id: "dark", group: "Commands", label: "Dark appearance", icon: icon(Moon), run: () => setColorPreference("dark") },
    {
      id: "shortcuts",
      group: "Commands",
      label: "Keyboard shortcuts",
      icon: icon(Keyboard),
      aside: <ShortcutKeys keys={["?"]} />,
      run: onShortcuts,
    },
    { id: "sign-out", group: "Commands", label: "Sign out", icon: icon(LogOut), run: () => signOut.mutate() },
  ];
  const wanted = query.toLowerCase();
  return [...fixed.filter((item) => item.label.toLowerCase().includes(wanted)), ...useAssetItems(query), ...useRunItems(query)];
}

/** What of the catalog is called so; nothing before something is typed. */
function useAssetItems(query: string): readonly PaletteItem[] {
  const navigate = useNavigate();
  const q = useDeferredValue(query);
  const assets = useQuery({
    queryKey: ["assets", "palette", q],
    queryFn: ({ signal }) => syla.assets.list({ limit: 8, q }, { signal }),
    enabled: q !== "",
    placeholderData: (previous) => previous,
  });
  return (q === "" ? [] : (assets.data?.items ?? [])).map((asset) => ({
    id: asset.id,
    group: "Catalog",
    label: asset.name,
    icon: <AssetIcon type={asset.type} />,
    aside: asset.owner.name,
    run: () => void navigate(assetPath(asset)),
  }));
}

function useRunItems(query: string): readonly PaletteItem[] {
  const navigate = useNavigate();
  const q = useDeferredValue(query);
  const runs = useQuery({
    queryKey: ["runs", "palette", q],
    queryFn: ({ signal }) => syla.runs.list({ limit: 8, ...(q ? { q } : {}) }, { signal }),
    placeholderData: (previous) => previous,
  });
  return (runs.data?.items ?? []).map((run) => ({
    id: run.id,
    group: q ? "Runs" : "Recent runs",
    label: `${run.entrypoint} · ${run.id.slice(-8)}`,
    icon: <StatusIcon status={run.status} />,
    aside: <TimeAgo time={run.createdAt} />,
    run: () => void navigate(`/runs/${run.id}`),
  }));
}
