import type { ModelPrices } from "@syla/contracts/model-config";
import type { Tokens } from "./usage.ts";

/** Amounts are whole billionths of a dollar: a dollar for a million tokens is a thousand for one. */
const forOneToken = 1000;

/** What tokens cost; null where a price that is needed is unknown. */
export function costOf({ input, output, cached }: Tokens, prices: ModelPrices): number | null {
  const fresh = (input ?? 0) - (cached ?? 0);
  const parts = [
    priceOf(fresh, prices.input),
    priceOf(cached ?? 0, prices.cachedInput ?? prices.input),
    priceOf(output ?? 0, prices.output),
  ];
  return parts.reduce<number | null>((sum, part) => (sum === null || part === null ? null : sum + part), 0);
}

function priceOf(tokens: number, price: number | null): number | null {
  if (tokens === 0) return price === null ? null : 0;
  return price === null ? null : Math.round(tokens * price * forOneToken);
}
