import { chakra } from "@chakra-ui/react";
import type { AssetType } from "@syla/sdk";
import { Brain, Database, FileCode2, type LucideIcon, Workflow } from "lucide-react";

interface AssetLook {
  readonly label: string;
  readonly plural: string;
  readonly icon: LucideIcon;
  /** The part of the address that its pages begin with. */
  readonly place: string;
}

/** How each type is written and drawn: always a word or a name with the shape, never colour alone. */
export const assetLooks: Readonly<Record<AssetType, AssetLook>> = {
  program: { label: "Program", plural: "Programs", icon: FileCode2, place: "programs" },
  model: { label: "Model", plural: "Models", icon: Brain, place: "models" },
  composition: { label: "Composition", plural: "Compositions", icon: Workflow, place: "compositions" },
  dataset: { label: "Dataset", plural: "Datasets", icon: Database, place: "datasets" },
};

const colors: Readonly<Record<AssetType, string>> = { program: "#8B5CF6", model: "#EC4899", composition: "#3B82F6", dataset: "#10B981" };

/** The page of an asset. */
export function assetPath({ id, type }: { readonly id: string; readonly type: AssetType }): string {
  return `/${assetLooks[type].place}/${id}`;
}

/** The type as a shape in its colour, with its word for screen readers. */
export function AssetIcon({ type, size = 16 }: { readonly type: AssetType; readonly size?: number }) {
  const { icon: Icon, label } = assetLooks[type];
  return (
    <chakra.span role="img" aria-label={label} display="inline-flex" flexShrink="0" style={{ color: colors[type] }}>
      <Icon size={size} strokeWidth={1.75} aria-hidden />
    </chakra.span>
  );
}
