import { Box } from "@chakra-ui/react";
import { Navigate, useParams } from "react-router";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { AnnouncementsTab } from "./announcements-tab.tsx";
import { DeliveriesTab } from "./deliveries-tab.tsx";
import { OverviewTab } from "./overview-tab.tsx";
import { SettingsTab } from "./settings-tab.tsx";
import { SystemModelsTab } from "../models/system-models-tab.tsx";
import { BackupsTab } from "../backups/backups-tab.tsx";
import { StorageTab } from "../storage/storage-tab.tsx";
import { UsersTab } from "./users-tab.tsx";

const tabs = [
  { name: "overview", label: "Overview", content: OverviewTab },
  { name: "users", label: "Users", content: UsersTab },
  { name: "models", label: "Models", content: SystemModelsTab },
  { name: "announcements", label: "Announcements", content: AnnouncementsTab },
  { name: "deliveries", label: "Deliveries", content: DeliveriesTab },
  { name: "storage", label: "Storage", content: StorageTab },
  { name: "backups", label: "Backups", content: BackupsTab },
  { name: "settings", label: "Settings", content: SettingsTab },
] as const;

/** What administrators look after. The server refuses everybody else by itself. */
export default function AdminPage() {
  const { tab } = useParams();
  const current = tabs.find(({ name }) => name === tab);
  if (current === undefined) return <Navigate to="/admin/overview" replace />;
  const Content = current.content;
  return (
    <ScrollPage>
      <PageHeader title="Administration" />
      <TabLinks
        label="Administration"
        tabs={tabs.map(({ name, label }) => ({ to: `/admin/${name}`, label, current: name === current.name }))}
      />
      <Box pt="5">
        <Content />
      </Box>
    </ScrollPage>
  );
}
