import { useNavigate } from "react-router";
import { useShortcuts, useSingleKeys } from "../../app/shortcuts.ts";
import type { TabLink } from "../../ui/tab-links.tsx";

/** `,` and `.` go to the tab before and after. */
export function useTabKeys(tabs: readonly TabLink[]): void {
  const [singleKeys] = useSingleKeys();
  const navigate = useNavigate();
  const move = (by: number) => {
    const place = tabs.findIndex(({ current }) => current);
    const next = tabs[(place + by + tabs.length) % tabs.length];
    if (next !== undefined) void navigate(next.to, { replace: true });
  };
  useShortcuts({ ",": () => move(-1), ".": () => move(1) }, singleKeys);
}
