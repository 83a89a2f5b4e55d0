import { Box, Button, Flex, Grid, Text } from "@chakra-ui/react";
import type { Budget } from "@syla/sdk";
import { Plus, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatExact } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { BudgetDialog } from "./budget-dialog.tsx";
import { useBudgets } from "./queries.ts";

interface BudgetsSectionProps {
  /** Whose are listed: `me`, a team's id, or `all`. */
  readonly owner: string;
  /** Whether somebody may set one there. */
  readonly mayAdd: boolean;
}

/** What is meant to be spent on models in a month, and how much of it is. */
export function BudgetsSection({ owner, mayAdd }: BudgetsSectionProps) {
  const budgets = useBudgets(owner);
  const [edited, setEdited] = useState<Budget | "new" | null>(null);
  return (
    <Section heading="Budgets" note="of money for models, each month of UTC">
      {budgets.isPending ? <SkeletonRows rows={2} /> : null}
      {budgets.isError ? <ErrorPanel error={budgets.error} onRetry={() => void budgets.refetch()} /> : null}
      {budgets.data?.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          There is none. A budget tells you when most of it is spent, and can stop calls when all of it is.
        </Text>
      ) : null}
      {budgets.data === undefined || budgets.data.length === 0 ? null : (
        <Box as="ul" listStyleType="none">
          {budgets.data.map((budget) => (
            <BudgetRow key={budget.id} budget={budget} onEdit={() => setEdited(budget)} />
          ))}
        </Box>
      )}
      {mayAdd && budgets.data !== undefined ? (
        <Box px="4" py="2" borderTopWidth="1px" borderColor="border.muted">
          <Button size="xs" variant="outline" onClick={() => setEdited("new")}>
            <Plus aria-hidden /> Set a budget
          </Button>
        </Box>
      ) : null}
      {edited === null ? null : <BudgetDialog budget={edited === "new" ? null : edited} listed={owner} onClose={() => setEdited(null)} />}
    </Section>
  );
}

function BudgetRow({ budget, onEdit }: { readonly budget: Budget; readonly onEdit: () => void }) {
  const { amount, spent, state, stops, resetsAt, isImposed, mayManage } = budget;
  const color = state === "reached" ? "fg.error" : state === "warning" ? "fg.warning" : "accent.solid";
  const name = budgetName(budget);
  return (
    <Grid
      as="li"
      templateColumns={{ base: "minmax(0, 1fr) auto", md: "minmax(0, 240px) minmax(0, 1fr) 240px 72px" }}
      alignItems="center"
      columnGap="4"
      rowGap="1"
      px="4"
      py="2.5"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
      data-budget={budget.id}
    >
      <Box gridColumn={{ base: "1 / -1", md: "auto" }} minW="0">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {name}
        </Text>
        <Text fontSize="xs" color="fg.muted">
          {stops ? "stops calls" : "warns"}
          {isImposed ? ", set by an administrator" : ""}
        </Text>
      </Box>
      <Box aria-hidden h="2" rounded="sm" bg="bg.muted" overflow="hidden" gridColumn={{ base: "1 / -1", md: "auto" }}>
        <Box h="full" bg={color} style={{ width: `${Math.min(spent / amount, 1) * 100}%` }} />
      </Box>
      <Box textAlign={{ base: "left", md: "right" }}>
        <Flex justify={{ base: "flex-start", md: "flex-end" }} align="center" gap="1.5" color={state === "ok" ? undefined : color}>
          {state === "ok" ? null : <TriangleAlert size={14} aria-label={state === "reached" ? "Used up" : "Nearly used up"} />}
          <Text fontVariantNumeric="tabular-nums">
            {formatDollars(spent)} of {formatDollars(amount)}
          </Text>
        </Flex>
        <Text fontSize="xs" color="fg.subtle">
          counted anew {formatExact(resetsAt)}
        </Text>
      </Box>
      {mayManage ? (
        <Button size="2xs" variant="outline" justifySelf="end" aria-label={`Change the budget: ${name}`} onClick={onEdit}>
          Change
        </Button>
      ) : null}
    </Grid>
  );
}

/** Whose money, and what for. */
function budgetName({ owner, program }: Budget): string {
  return program === null ? owner.name : `${owner.name}, ${program.name ?? program.id}`;
}
