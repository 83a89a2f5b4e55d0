import type { SandboxNetwork } from "@syla/sdk";
import { ConnectionTable, PolicyText, usageItems } from "../../runs/detail/network-tab.tsx";
import { DefinitionList } from "../../ui/definition-list.tsx";
import { Section } from "../../ui/page.tsx";

/** What a sandbox may reach, and what it has reached so far. */
export function NetworkSection({ network }: { readonly network: SandboxNetwork }) {
  return (
    <>
      <Section heading="Network" note={network.usage === null ? null : "connections are listed when they end"}>
        <DefinitionList items={[["Network", <PolicyText key="policy" policy={network.policy} />], ...usageItems(network.usage)]} />
      </Section>
      {network.connections.length > 0 ? <ConnectionTable network={network} /> : null}
    </>
  );
}
