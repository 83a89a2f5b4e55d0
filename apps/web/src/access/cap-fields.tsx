import { Input } from "@chakra-ui/react";
import type { SpendPeriod } from "@syla/sdk";
import { SelectField } from "../ui/select-field.tsx";

/** What a grant on a model lets spend, as it is typed. `way`: the server's usual cap, one's own, or none. */
export interface CapDraft {
  readonly way: "usual" | "own" | "none";
  readonly amount: string;
  readonly period: SpendPeriod;
}

export const usualCap: CapDraft = { way: "usual", amount: "10", period: "month" };

/** As it is sent: undefined is the usual one, null none. */
export function toCap({ way, amount, period }: CapDraft): { amount: number; period: SpendPeriod } | null | undefined {
  if (way === "own") return { amount: Number(amount), period };
  return way === "none" ? null : undefined;
}

interface CapFieldsProps {
  readonly value: CapDraft;
  readonly onChange: (value: CapDraft) => void;
}

/** How much somebody may spend on a model that is shared with them: its owner pays. */
export function CapFields({ value, onChange }: CapFieldsProps) {
  return (
    <>
      <SelectField label="May spend" value={value.way} onChoose={(way) => onChange({ ...value, way: way as CapDraft["way"] })}>
        <option value="usual">the usual amount</option>
        <option value="own">up to …</option>
        <option value="none">any amount</option>
      </SelectField>
      {value.way === "own" ? (
        <>
          <Input
            aria-label="Amount in dollars"
            type="number"
            size="sm"
            w="24"
            min={0}
            max={1_000_000}
            step="any"
            required
            value={value.amount}
            onChange={(event) => onChange({ ...value, amount: event.currentTarget.value })}
          />
          <SelectField label="Period" value={value.period} onChoose={(period) => onChange({ ...value, period: period as SpendPeriod })}>
            <option value="day">$ a day</option>
            <option value="month">$ a month</option>
            <option value="total">$ in all</option>
          </SelectField>
        </>
      ) : null}
    </>
  );
}
