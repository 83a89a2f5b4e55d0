import type { LeastTier } from "@syla/sdk";
import { SelectField } from "../ui/select-field.tsx";

const words: Readonly<Record<LeastTier, string>> = {
  namespace: "as each run asks, or as is usual here",
  microvm: "only in a virtual machine with a kernel of its own",
};

interface LeastTierFieldProps {
  readonly value: LeastTier;
  readonly onChoose: (value: LeastTier) => void;
}

/** How runs are isolated at least. */
export function LeastTierField({ value, onChoose }: LeastTierFieldProps) {
  return (
    <SelectField
      label="Isolation"
      width="full"
      value={value}
      onChoose={(chosen) => onChoose(chosen === "microvm" ? "microvm" : "namespace")}
    >
      {Object.entries(words).map(([tier, label]) => (
        <option key={tier} value={tier}>
          {label}
        </option>
      ))}
    </SelectField>
  );
}
