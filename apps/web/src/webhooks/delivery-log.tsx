import { Box, Button, chakra, Flex, Grid, Heading, Text } from "@chakra-ui/react";
import type { Webhook, WebhookDelivery } from "@syla/sdk";
import { ChevronRight, CircleCheck, CircleX, Hourglass, Send } from "lucide-react";
import { type ReactNode, useState } from "react";
import { CodeView } from "../ui/code-view.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { formatDuration, formatExact } from "../ui/format.ts";
import { PagedList } from "../ui/paged-list.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useDeliveries, useDelivery, useReplay, useReplayFailed } from "./queries.ts";

const looks = {
  due: { label: "Waiting", color: "fg.warning", icon: Hourglass },
  sent: { label: "Taken", color: "fg.success", icon: CircleCheck },
  failed: { label: "Given up", color: "fg.error", icon: CircleX },
} as const;
const states = ["due", "sent", "failed"] as const;
const dayMs = 86_400_000;

/** What it was sent in the last two weeks; each opens to what was sent and answered. */
export function DeliveryLog({ webhook }: { readonly webhook: Webhook }) {
  const [state, setState] = useState<WebhookDelivery["state"] | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const deliveries = useDeliveries(webhook.id, state);
  const replayFailed = useReplayFailed(webhook.id);
  return (
    <Box as="section" mb="6">
      <Flex align="center" gap="1.5" mb="2" wrap="wrap">
        <Heading as="h2" fontSize="sm" fontWeight="semibold" mr="2">
          Deliveries
        </Heading>
        {states.map((one) => (
          <FilterChip key={one} pressed={state === one} onClick={() => setState(state === one ? null : one)}>
            {looks[one].label}
          </FilterChip>
        ))}
        {webhook.mayManage ? (
          <Flex ml="auto" gap="2" align="center">
            <Text fontSize="xs" color="fg.muted" role="status">
              {replayFailed.data === undefined ? null : `${replayFailed.data} sent again`}
            </Text>
            <Button
              size="xs"
              variant="outline"
              disabled={!webhook.enabled}
              loading={replayFailed.isPending}
              onClick={() => replayFailed.mutate(new Date(Date.now() - 14 * dayMs).toISOString())}
            >
              Replay what was given up
            </Button>
          </Flex>
        ) : null}
      </Flex>
      <PagedList
        pages={deliveries}
        problem={replayFailed.error}
        skeletonRows={3}
        empty={
          <EmptyState icon={Send} title="Nothing was sent">
            {state === null ? "Send a test to see whether it arrives." : "Nothing of this kind."}
          </EmptyState>
        }
        renderRow={(delivery) => (
          <DeliveryRow
            webhook={webhook}
            delivery={delivery}
            isOpen={open === delivery.id}
            onToggle={() => setOpen(open === delivery.id ? null : delivery.id)}
          />
        )}
      />
    </Box>
  );
}

interface DeliveryRowProps {
  readonly webhook: Webhook;
  readonly delivery: WebhookDelivery;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function DeliveryRow({ webhook, delivery, isOpen, onToggle }: DeliveryRowProps) {
  const { label, color, icon: Icon } = looks[delivery.state];
  return (
    <Box as="li" borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
      <chakra.button
        type="button"
        w="full"
        textAlign="left"
        px="3"
        py="2"
        cursor="pointer"
        aria-expanded={isOpen}
        outlineOffset="-2px"
        _hover={{ bg: "bg.muted" }}
        onClick={onToggle}
      >
        <Grid
          templateColumns={{ base: "16px 84px minmax(0, 1fr) auto", md: "16px 96px minmax(0, 160px) minmax(0, 1fr) 70px 80px 90px" }}
          gap="3"
          alignItems="center"
        >
          <Box aria-hidden transform={isOpen ? "rotate(90deg)" : undefined} color="fg.subtle">
            <ChevronRight size={14} />
          </Box>
          <Flex align="center" gap="1.5" color={color} fontSize="xs" fontWeight="medium">
            <Icon size={14} aria-hidden /> {label}
          </Flex>
          <Text fontFamily="mono" fontSize="xs" truncate>
            {delivery.eventType}
          </Text>
          <Text fontSize="xs" color="fg.muted" truncate hideBelow="md">
            {delivery.lastError ?? ""}
          </Text>
          <Text fontFamily="mono" fontSize="xs" textAlign="right" hideBelow="md">
            {delivery.lastStatus ?? "–"}
          </Text>
          <Text fontSize="xs" textAlign="right" fontVariantNumeric="tabular-nums" hideBelow="md">
            {formatDuration(delivery.lastDurationMs)}
          </Text>
          <Box fontSize="xs" color="fg.muted" textAlign="right">
            <TimeAgo time={delivery.createdAt} />
          </Box>
        </Grid>
      </chakra.button>
      {isOpen ? <DeliveryDetail webhook={webhook} id={delivery.id} /> : null}
    </Box>
  );
}

function DeliveryDetail({ webhook, id }: { readonly webhook: Webhook; readonly id: string }) {
  const detail = useDelivery(webhook.id, id);
  const replay = useReplay(webhook.id);
  if (!detail.data) return detail.isError ? <ErrorPanel error={detail.error} /> : <SkeletonRows rows={2} />;
  const { request, tries, state, attempts, dueAt } = detail.data;
  return (
    <Box px={{ base: "3", md: "8" }} pb="4" pt="1">
      <Flex align="center" gap="3" mb="2" wrap="wrap" fontSize="xs" color="fg.muted">
        <Copyable text={id} label="delivery id" />
        {state === "due" ? (
          <span>{attempts === 0 ? "waits for its first try" : `try ${attempts + 1} at ${formatExact(dueAt)}`}</span>
        ) : null}
        {webhook.mayManage ? (
          <Button
            size="xs"
            variant="outline"
            ml="auto"
            disabled={!webhook.enabled}
            loading={replay.isPending}
            onClick={() => replay.mutate(id)}
          >
            Replay
          </Button>
        ) : null}
      </Flex>
      {replay.error ? <ErrorPanel error={replay.error} /> : null}
      <Grid templateColumns={{ base: "minmax(0, 1fr)", lg: "minmax(0, 1fr) minmax(0, 1fr)" }} gap="4">
        <Part heading="Request">
          <CodeView label="Request" text={`${headerLines(request.headers)}\n\n${pretty(request.body)}`} />
        </Part>
        <Box minW="0">
          {tries.length === 0 ? (
            <Part heading="Answers">
              <Text fontSize="xs" color="fg.muted">
                It was not tried yet.
              </Text>
            </Part>
          ) : null}
          {tries.map((one) => (
            <Part key={one.at} heading={`${one.status ?? "No answer"} after ${formatDuration(one.durationMs)}, ${formatExact(one.at)}`}>
              <CodeView
                label="Answer"
                text={
                  one.status === null ? (one.error ?? "") : `${headerLines(one.headers)}\n\n${one.head}`.trim() || "(no headers, no body)"
                }
              />
            </Part>
          ))}
        </Box>
      </Grid>
    </Box>
  );
}

function Part({ heading, children }: { readonly heading: string; readonly children: ReactNode }) {
  return (
    <Box minW="0" mb="3">
      <Heading as="h3" fontSize="xs" fontWeight="medium" color="fg.muted" mb="1">
        {heading}
      </Heading>
      <Box borderWidth="1px" borderColor="border.muted" rounded="md" overflow="hidden">
        {children}
      </Box>
    </Box>
  );
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
