import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { type AuditPageFilter, auditQuery } from "./audit-filter.ts";

const pageSize = 100;

/** The audit trail under a filter, in pages that grow downwards. */
export function useAudit(filter: AuditPageFilter) {
  return useInfiniteQuery({
    queryKey: ["audit", ...Object.values(filter)],
    queryFn: ({ pageParam, signal }) =>
      syla.audit.list({ ...auditQuery(filter, Date.now()), limit: pageSize, ...(pageParam ? { cursor: pageParam } : {}) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
  });
}

/** Checks the whole trail, when asked to. */
export function useVerifyAudit() {
  return useMutation({ mutationFn: () => syla.audit.verify() });
}
