import { Box, Text } from "@chakra-ui/react";
import type { Model } from "@syla/sdk";
import type { AssetTabProps } from "../catalog/asset-page.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";
import { Section } from "../ui/page.tsx";
import { modalityLabels, providerLabels } from "./draft.ts";
import { mayEdit, ModelTab } from "./model-tab.tsx";
import { useModelUsage } from "./queries.ts";
import { UsageSection } from "./usage-section.tsx";

/** What a model is and can do, and what was spent on it. */
export function OverviewTab({ asset }: AssetTabProps) {
  const usage = useModelUsage(asset.id, mayEdit(asset));
  return (
    <ModelTab asset={asset}>
      {(model) => (
        <>
          <Facts model={model} />
          {usage.isError ? <ErrorPanel error={usage.error} onRetry={() => void usage.refetch()} /> : null}
          {usage.data ? <UsageSection usage={usage.data} /> : null}
        </>
      )}
    </ModelTab>
  );
}

function Facts({ model }: { readonly model: Model }) {
  const { provider, modelId, owner, capabilities, prices, usable } = model;
  return (
    <Section heading="Model">
      <DefinitionList
        items={[
          ["Provider", `${providerLabels[provider].label}, ${modelId}`],
          ["Owner", owner.id === "system" ? "the system: its administrators change it" : owner.name],
          ["You may", usable ? "call it" : "see it, and not call it: ask its owner"],
          ["Takes and gives", capabilities.modalities.map((one) => modalityLabels[one] ?? one).join(", ")],
          ["It can", describeAbilities(capabilities)],
          ["Context window", capabilities.contextWindow === null ? "unknown" : `${formatCount(capabilities.contextWindow)} tokens`],
          ["Limits for all together", describeLimits(model)],
          ["A million tokens", `${formatDollars(prices.input)} in, ${formatDollars(prices.output)} out`],
          [
            "In a program",
            <Text key="use">
              Run it with this model, and it answers to the name{" "}
              <Box as="code" fontSize="xs">
                {model.slug}
              </Box>{" "}
              — or, as the first model of a run, to any name — in the clients of OpenAI, Anthropic and Ollama.
            </Text>,
          ],
        ]}
      />
    </Section>
  );
}

function describeAbilities({ streaming, tools, json }: Model["capabilities"]): string {
  const known = [
    ["stream", streaming],
    ["call tools", tools],
    ["keep to JSON schemas", json],
  ] as const;
  const can = known.filter(([, value]) => value === true).map(([word]) => word);
  const cannot = known.filter(([, value]) => value === false).map(([word]) => word);
  const unknown = known.filter(([, value]) => value === null).map(([word]) => word);
  const parts = [
    can.join(", "),
    cannot.length === 0 ? "" : `not ${cannot.join(", not ")}`,
    unknown.length === 0 ? "" : `unknown: ${unknown.join(", ")}`,
  ];
  return parts.filter((part) => part !== "").join("; ");
}

/** Null: none, or not told to everybody. */
function describeLimits({ config }: Model): string | null {
  if (config === null) return null;
  const { requestsPerMinute, tokensPerMinute } = config.limits;
  const parts = [
    ...(requestsPerMinute === null ? [] : [`${formatCount(requestsPerMinute)} calls a minute`]),
    ...(tokensPerMinute === null ? [] : [`${formatCount(tokensPerMinute)} tokens a minute`]),
  ];
  return parts.length === 0 ? null : parts.join(", ");
}
