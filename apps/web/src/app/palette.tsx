import { chakra } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Keyboard, KeyRound, LogOut, type LucideIcon, Moon, Sun } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useNavigate } from "react-router";
import { useSignOut } from "../accounts/queries.ts";
import { AssetIcon, assetPath } from "../catalog/asset-looks.tsx";
import { type Choice, ChoiceDialog } from "../ui/choice-dialog.tsx";
import { ShortcutKeys } from "../ui/shortcut-keys.tsx";
import { StatusIcon } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { syla } from "./api.ts";
import { setColorPreference } from "./color-mode.ts";
import { usePlaces } from "./use-places.ts";

interface PaletteItem extends Choice {
  readonly run: () => void;
}

interface PaletteProps {
  readonly onClose: () => void;
  readonly onShortcuts: () => void;
}

/** Finds any page, asset, run or command by typing (Ctrl/Cmd+K). */
export default function Palette({ onClose, onShortcuts }: PaletteProps) {
  const [query, setQuery] = useState("");
  const items = usePaletteItems(query.trim(), onShortcuts);
  return (
    <ChoiceDialog
      label="Find"
      placeholder="Find a page, an asset, a run or a command"
      width="36rem"
      query={query}
      onQuery={setQuery}
      choices={items}
      onChoose={(key) => {
        onClose();
        items.find((item) => item.key === key)?.run();
      }}
      onClose={onClose}
      empty={`Nothing is called “${query}”.`}
    />
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
      key: place.label.replaceAll(" ", "-"),
      group: "Pages",
      label: place.label,
      icon: icon(place.icon),
      aside: <ShortcutKeys keys={place.keys} />,
      run: () => void navigate(place.to),
    })),
    { key: "api-keys", group: "Pages", label: "API keys", icon: icon(KeyRound), run: () => void navigate("/settings/api-keys") },
    { key: "light", group: "Commands", label: "Light appearance", icon: icon(Sun), run: () => setColorPreference("light") },
    { key: "dark", group: "Commands", label: "Dark appearance", icon: icon(Moon), run: () => setColorPreference("dark") },
    {
      key: "shortcuts",
      group: "Commands",
      label: "Keyboard shortcuts",
      icon: icon(Keyboard),
      aside: <ShortcutKeys keys={["?"]} />,
      run: onShortcuts,
    },
    { key: "sign-out", group: "Commands", label: "Sign out", icon: icon(LogOut), run: () => signOut.mutate() },
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
    key: asset.id,
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
    key: run.id,
    group: q ? "Runs" : "Recent runs",
    label: `${run.entrypoint} · ${run.id.slice(-8)}`,
    icon: <StatusIcon status={run.status} />,
    aside: <TimeAgo time={run.createdAt} />,
    run: () => void navigate(`/runs/${run.id}`),
  }));
}
