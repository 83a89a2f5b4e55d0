import type { Syla } from "@syla/sdk";
import { createContext, useContext } from "react";
import { syla } from "./api.ts";

/** How a page reaches the server. */
export interface Client {
  readonly syla: Syla;
  /** It sends a key with each request, which plain links and images cannot. */
  readonly hasKey: boolean;
}

const ClientContext = createContext<Client>({ syla, hasKey: false });
export const ClientProvider = ClientContext.Provider;

/** The client of this part of the page: that of the session, or one of a share link. */
export function useClient(): Client {
  return useContext(ClientContext);
}
