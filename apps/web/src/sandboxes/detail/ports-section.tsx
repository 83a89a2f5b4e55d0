import { Button, Flex, Text } from "@chakra-ui/react";
import type { SandboxPort } from "@syla/sdk";
import { ExternalLink, Link2 } from "lucide-react";
import { useState } from "react";
import { syla } from "../../app/api.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Section } from "../../ui/page.tsx";

interface PortsSectionProps {
  readonly id: string;
  readonly ports: readonly SandboxPort[];
}

/** What programs listen on, each to be opened in a tab of its own. */
export function PortsSection({ id, ports }: PortsSectionProps) {
  const [error, setError] = useState<unknown>(null);
  const [copied, setCopied] = useState<number | null>(null);
  const attempt = (work: () => Promise<void>) => {
    setError(null);
    void work().catch(setError);
  };
  const preview = async (port: number) => (await syla.sandboxes.open(id).preview(port)).url;
  const copy = async (port: number) => {
    await navigator.clipboard.writeText(await preview(port));
    setCopied(port);
  };
  return (
    <>
      {error === null ? null : <ErrorPanel error={error} />}
      <Section heading="Ports" note="what programs in it listen on; a link works for an hour, for whoever has it">
        {ports.length === 0 ? (
          <Text p="3" color="fg.muted">
            Nothing listens.
          </Text>
        ) : null}
        {ports.map(({ port, address, pid }) => (
          <Flex key={port} align="center" columnGap="4" rowGap="1" wrap="wrap" px="3" py="1.5" fontSize="xs">
            <Text fontFamily="mono">{port}</Text>
            <Text fontFamily="mono" color="fg.muted">
              {address === "any" ? "all addresses" : "127.0.0.1"}
            </Text>
            {pid === null ? null : (
              <Text fontFamily="mono" color="fg.muted">
                process {pid}
              </Text>
            )}
            <Flex gap="2" ml="auto">
              <Button
                size="xs"
                variant="outline"
                aria-label={`Open port ${port}`}
                onClick={() => attempt(() => openTab(() => preview(port)))}
              >
                <ExternalLink aria-hidden /> Open
              </Button>
              <Button
                size="xs"
                variant="outline"
                aria-label={copied === port ? `Copied, the link to port ${port}` : `Copy link to port ${port}`}
                onClick={() => attempt(() => copy(port))}
              >
                <Link2 aria-hidden /> {copied === port ? "Copied" : "Copy link"}
              </Button>
            </Flex>
          </Flex>
        ))}
      </Section>
    </>
  );
}

/** Opened at the click, before its address is known: later a browser would take it for a pop-up. It cannot reach back to this page. */
async function openTab(address: () => Promise<string>): Promise<void> {
  const tab = window.open("", "_blank");
  if (tab !== null) tab.opener = null;
  try {
    const url = await address();
    if (tab === null) window.open(url, "_blank", "noopener");
    else tab.location.replace(url);
  } catch (error) {
    tab?.close();
    throw error;
  }
}
