import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { errorCode } from "../ui/describe-error.ts";

/** Where a second factor is turned on, which some have to do before anything else. */
const securityPath = "/settings/security";

/** What any failed call says about all of them: that we are no longer signed in, or that the server is away. */
function onError(error: unknown): void {
  const code = errorCode(error);
  if (code === "unauthenticated") queryClient.setQueryData(["me"], null);
  if (code === "two_factor_needed" && !window.location.pathname.endsWith(securityPath))
    window.location.assign(new URL(securityPath.slice(1), document.baseURI));
  if (code === "connection_failed")
    void queryClient.invalidateQueries({ queryKey: ["health"], predicate: (query) => query.state.status === "success" });
}

/** The cache of everything read from the server. The SDK repeats what is safe to repeat, so nothing is retried twice here. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: { retry: false, staleTime: 5000, networkMode: "always", refetchOnReconnect: "always" },
    mutations: { retry: false, networkMode: "always" },
  },
});
