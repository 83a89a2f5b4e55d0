import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Delivery } from "@syla/sdk";
import { Mail } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useCopy } from "../ui/copyable.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { Modal } from "../ui/modal.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useDeliveries, useDeliveryText, useRetryDelivery } from "./queries.ts";

const states = [
  { value: "due", label: "Waiting" },
  { value: "failed", label: "Failed" },
  { value: "sent", label: "Sent" },
] as const;

/** The queue of e-mails and webhooks. */
export function DeliveriesTab() {
  const [search, setSearch] = useSearchParams();
  const state = states.find(({ value }) => value === search.get("state"))?.value ?? "";
  const list = useDeliveries(state);
  const retry = useRetryDelivery();
  const [reading, setReading] = useState<Delivery | null>(null);
  return (
    <>
      <Flex role="group" aria-label="State" gap="1.5" pb="3">
        {states.map(({ value, label }) => (
          <FilterChip
            key={value}
            pressed={state === value}
            onClick={() => setSearch(state === value ? {} : { state: value }, { replace: true })}
          >
            {label}
          </FilterChip>
        ))}
      </Flex>
      <PagedList
        pages={list}
        problem={retry.error}
        skeletonRows={5}
        empty={
          <EmptyState icon={Mail} title="Nothing here">
            E-mails and webhooks stand here while they wait, when they have failed, and for two weeks after they were sent.
          </EmptyState>
        }
        renderRow={(delivery) => (
          <DeliveryRow delivery={delivery} onRead={() => setReading(delivery)} onRetry={() => retry.mutate(delivery.id)} />
        )}
      />
      {reading ? <TextDialog delivery={reading} onClose={() => setReading(null)} /> : null}
    </>
  );
}

interface DeliveryRowProps {
  readonly delivery: Delivery;
  readonly onRead: () => void;
  readonly onRetry: () => void;
}

function DeliveryRow({ delivery, onRead, onRetry }: DeliveryRowProps) {
  const { channel, to, subject, state, attempts, lastError, createdAt, dueAt, sentAt } = delivery;
  return (
    <Flex
      as="li"
      align="center"
      columnGap="4"
      rowGap="1"
      wrap="wrap"
      px="3"
      py="2.5"
      borderBottomWidth="1px"
      borderColor="border"
      _last={{ borderBottomWidth: "0" }}
    >
      <Box minW="0" flex="1 1 240px">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {subject}
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {channel === "email" ? "e-mail" : "webhook"} to {to}
        </Text>
        {lastError && state !== "sent" ? (
          <Text fontSize="xs" color="fg.error" overflowWrap="anywhere">
            {lastError}
          </Text>
        ) : null}
      </Box>
      <Text as="div" fontSize="xs" color="fg.muted" w="40">
        {state === "sent" && sentAt ? (
          <>
            sent <TimeAgo time={sentAt} />
          </>
        ) : state === "failed" ? (
          `failed after ${attempts} tries`
        ) : attempts > 0 ? (
          <>
            try {attempts + 1} <TimeAgo time={dueAt} />
          </>
        ) : (
          <>
            waits since <TimeAgo time={createdAt} />
          </>
        )}
      </Text>
      <Flex gap="2">
        {state === "sent" ? null : (
          <>
            <Button size="xs" variant="outline" onClick={onRead} aria-label={`Text of ${subject}`}>
              Text
            </Button>
            <Button size="xs" variant="outline" onClick={onRetry} aria-label={`Send ${subject} again`}>
              Try now
            </Button>
          </>
        )}
      </Flex>
    </Flex>
  );
}

function TextDialog({ delivery, onClose }: { readonly delivery: Delivery; readonly onClose: () => void }) {
  const text = useDeliveryText(delivery.id);
  const [copied, copy] = useCopy();
  return (
    <Modal label={delivery.subject} width="40rem" onClose={onClose}>
      {text.isError ? <ErrorPanel error={text.error} /> : null}
      {text.isPending ? <SkeletonRows rows={3} /> : null}
      {text.data ? (
        <Box p="4">
          <Text fontSize="xs" color="fg.muted" mb="2">
            To {delivery.to}. That you read it is recorded.
          </Text>
          <Box as="pre" fontSize="xs" whiteSpace="pre-wrap" overflowWrap="anywhere" tabIndex={0}>
            {text.data.text ?? "It was sent; what it said is not kept."}
          </Box>
          <Button size="xs" variant="outline" mt="3" disabled={text.data.text === null} onClick={() => copy(text.data.text ?? "")}>
            {copied ? "Copied" : "Copy"}
          </Button>
        </Box>
      ) : null}
    </Modal>
  );
}
