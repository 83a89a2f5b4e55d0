import type { Workspace } from "@syla/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { LiveSession, LiveState } from "./live-session.ts";

/** The connection of the workspace that is shown; null until there is one. */
export const LiveSessionContext = createContext<LiveSession | null>(null);

const nobody: LiveState = { connection: "connecting", others: [] };
const never = () => () => {};

/** Opens a workspace's live connection while it is shown. What that takes is loaded then. */
export function useOpenLiveSession({ id, state }: Workspace): LiveSession | null {
  const client = useQueryClient();
  const [session, setSession] = useState<LiveSession | null>(null);
  const isOpen = state !== "deleted";
  useEffect(() => {
    if (!isOpen) return;
    let opened: LiveSession | null = null;
    let isOver = false;
    const open = async () => {
      const { LiveSession: Session } = await import("./live-session.ts");
      if (isOver) return;
      opened = new Session(id, () => void client.invalidateQueries({ queryKey: ["workspace", id], exact: true }));
      setSession(opened);
    };
    void open();
    return () => {
      isOver = true;
      opened?.close();
      setSession(null);
    };
  }, [id, isOpen, client]);
  return session;
}

/** The connection, and who is there. */
export function useLiveSession(): { readonly session: LiveSession | null; readonly live: LiveState } {
  const session = useContext(LiveSessionContext);
  const live = useSyncExternalStore(session?.subscribe ?? never, session?.snapshot ?? (() => nobody));
  return { session, live };
}
