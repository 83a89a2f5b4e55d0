import { useMutation, useQuery } from "@tanstack/react-query";
import { syla } from "../app/api.ts";

/** What asks to be let in under a code. */
export function useDeviceRequest(code: string) {
  return useQuery({
    queryKey: ["device", code],
    queryFn: ({ signal }) => syla.deviceCodes.get(code, { signal }),
    enabled: code !== "",
    retry: false,
    staleTime: Infinity,
  });
}

/** Lets it in, or refuses it. */
export function useDecideDevice(code: string) {
  return useMutation({ mutationFn: (approve: boolean) => syla.deviceCodes.decide(code, approve) });
}
