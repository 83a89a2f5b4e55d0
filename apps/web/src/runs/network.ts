import type { NetworkPolicy } from "@syla/sdk";
import { formatPlural } from "../ui/format.ts";

/** A network policy in words. */
export function describeNetwork(policy: NetworkPolicy): string {
  switch (policy) {
    case "none":
      return "none";
    case "gateway":
      return "the model gateway only";
    case "full":
      return "every public host";
    default:
      return formatPlural(policy.allow.length, "allowed host");
  }
}
