import { Navigate, useParams } from "react-router";
import { NotificationPreferencesTab } from "../notifications/preferences-tab.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { ApiKeysTab } from "./api-keys/api-keys-tab.tsx";
import { ProfileTab } from "./profile-tab.tsx";
import { SecurityTab } from "./security-tab.tsx";
import { SessionsTab } from "./sessions-tab.tsx";
import { Box } from "@chakra-ui/react";

const tabs = [
  { name: "profile", label: "Profile" },
  { name: "security", label: "Security" },
  { name: "sessions", label: "Sessions" },
  { name: "api-keys", label: "API keys" },
  { name: "notifications", label: "Notifications" },
];

/** Your account: who you are, where you are signed in, the keys of your programs. */
export default function SettingsPage() {
  const { tab } = useParams();
  if (!tabs.some(({ name }) => name === tab)) return <Navigate to="/settings/profile" replace />;
  return (
    <ScrollPage>
      <PageHeader title="Settings" />
      <TabLinks label="Settings" tabs={tabs.map(({ name, label }) => ({ to: `/settings/${name}`, label, current: name === tab }))} />
      <Box pt="5" maxW="720px">
        {tab === "profile" ? (
          <ProfileTab />
        ) : tab === "security" ? (
          <SecurityTab />
        ) : tab === "sessions" ? (
          <SessionsTab />
        ) : tab === "notifications" ? (
          <NotificationPreferencesTab />
        ) : (
          <ApiKeysTab />
        )}
      </Box>
    </ScrollPage>
  );
}
