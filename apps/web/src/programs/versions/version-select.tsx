import type { Asset } from "@syla/sdk";
import { SelectField } from "../../ui/select-field.tsx";
import { useVersions } from "../queries.ts";

interface VersionSelectProps {
  readonly asset: Asset;
  /** Undefined: what is there now. */
  readonly value: string | undefined;
  readonly onChoose: (version: string | null) => void;
}

/** Which version is shown; nothing to choose while none is published. */
export function VersionSelect({ asset, value, onChoose }: VersionSelectProps) {
  const versions = useVersions(asset.id);
  const items = versions.data?.items ?? [];
  if (items.length === 0 && value === undefined) return null;
  return (
    <SelectField label="Version" size="xs" width="36" value={value ?? ""} onChoose={(version) => onChoose(version === "" ? null : version)}>
      <option value="">as it is now</option>
      {value !== undefined && !items.some(({ version }) => version === value) ? <option value={value}>{value}</option> : null}
      {items.map(({ version }) => (
        <option key={version} value={version}>
          {version}
        </option>
      ))}
    </SelectField>
  );
}
