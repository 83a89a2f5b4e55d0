import { Flex } from "@chakra-ui/react";
import { Monitor, Moon, Sun } from "lucide-react";
import { type ColorPreference, setColorPreference, useColorPreference } from "../app/color-mode.ts";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { NameForm } from "./name-form.tsx";
import { OwnDataSection } from "./own-data-section.tsx";
import { useMe } from "./queries.ts";

const roles = { admin: "Administrator", developer: "Developer", end_user: "End user" } as const;

/** Who you are here, and how the pages look. */
export function ProfileTab() {
  const me = useMe();
  if (me.isError) return <ErrorPanel error={me.error} onRetry={() => void me.refetch()} />;
  if (!me.data) return <SkeletonRows rows={4} />;
  const { name, email, role, id, createdAt } = me.data;
  return (
    <>
      <Section heading="Profile">
        <NameForm name={name} />
        <DefinitionList
          items={[
            ["E-mail address", email ?? "none"],
            ["Role", roles[role]],
            ["Id", <Copyable key="id" text={id} />],
            ["Member since", <TimeAgo key="since" time={createdAt} />],
          ]}
        />
      </Section>
      <Section heading="Appearance">
        <AppearanceChoice />
      </Section>
      <OwnDataSection />
    </>
  );
}

const choices = [
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
  { value: "system", label: "As the system", icon: Monitor },
] as const satisfies readonly { readonly value: ColorPreference; readonly label: string; readonly icon: unknown }[];

function AppearanceChoice() {
  const preference = useColorPreference();
  return (
    <Flex role="group" aria-label="Appearance" gap="2" p="4" wrap="wrap">
      {choices.map(({ value, label, icon: Icon }) => (
        <FilterChip key={value} pressed={preference === value} onClick={() => setColorPreference(value)}>
          <Icon size={14} aria-hidden /> {label}
        </FilterChip>
      ))}
    </Flex>
  );
}
