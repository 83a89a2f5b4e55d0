import type { AccessLevel, ResourceType } from "@syla/sdk";
import { SelectField } from "../ui/select-field.tsx";

/** What each level is called, by the thing. */
export const levelWords: Readonly<Record<ResourceType, Readonly<Partial<Record<AccessLevel, string>>>>> = {
  run: { view: "can view", run: "can run again", edit: "can cancel", admin: "can share" },
  sandbox: { view: "can view", edit: "can use", admin: "can share and delete" },
  workspace: { view: "can view", run: "can run in it", edit: "can edit", admin: "can share and delete" },
  asset: { view: "can view", run: "can run", edit: "can edit", admin: "can share and delete" },
};

/** What a level is called. A sandbox cannot be run: what lets run there lets view. */
export function levelWord(type: ResourceType, level: AccessLevel): string {
  return levelWords[type][level] ?? "can view";
}

interface LevelSelectProps {
  readonly type: ResourceType;
  readonly label: string;
  readonly value: AccessLevel;
  readonly onChoose: (level: AccessLevel) => void;
  readonly size?: "xs" | "sm";
}

/** How far access goes. */
export function LevelSelect({ type, label, value, onChoose, size = "sm" }: LevelSelectProps) {
  const words = Object.entries(levelWords[type]);
  // A sandbox cannot be run: what lets run there lets view.
  const shown = words.some(([level]) => level === value) ? value : "view";
  return (
    <SelectField label={label} value={shown} onChoose={(level) => onChoose(level as AccessLevel)} size={size} width="40">
      {words.map(([level, word]) => (
        <option key={level} value={level}>
          {word}
        </option>
      ))}
    </SelectField>
  );
}
