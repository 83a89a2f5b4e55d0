import { lazy, Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";
import { ShareGate } from "../access/share-gate.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { NotFoundPage } from "./not-found-page.tsx";
import { SessionGate } from "./session-gate.tsx";
import { Shell } from "./shell.tsx";

const SetupPage = lazy(() => import("../accounts/setup-page.tsx"));
const SignInPage = lazy(() => import("../accounts/sign-in-page.tsx"));
const SignUpPage = lazy(() => import("../accounts/sign-up-page.tsx"));
const ForgotPasswordPage = lazy(() => import("../accounts/forgot-password-page.tsx"));
const ResetPasswordPage = lazy(() => import("../accounts/reset-password-page.tsx"));
const VerifyEmailPage = lazy(() => import("../accounts/verify-email-page.tsx"));
const DevicePage = lazy(() => import("../accounts/device-page.tsx"));
const InvitationsPage = lazy(() => import("../accounts/invitations/invitations-page.tsx"));
const SettingsPage = lazy(() => import("../accounts/settings-page.tsx"));
const HomePage = lazy(() => import("../home/home-page.tsx"));
const EnvironmentsPage = lazy(() => import("../environments/environments-page.tsx"));
const EnvironmentPage = lazy(() => import("../environments/environment-page.tsx"));
const NewRunPage = lazy(() => import("../runs/new/new-run-page.tsx"));
const RunsPage = lazy(() => import("../runs/list/runs-page.tsx"));
const SchedulesPage = lazy(() => import("../schedules/schedules-page.tsx"));
const ComparePage = lazy(() => import("../runs/compare/compare-page.tsx"));
const RunPage = lazy(() => import("../runs/run-page.tsx"));
const CatalogPage = lazy(() => import("../catalog/catalog-page.tsx"));
const ImportProgramPage = lazy(() => import("../imports/new-program-page.tsx"));
const ProgramPage = lazy(() => import("../programs/program-page.tsx"));
const CompositionPage = lazy(() => import("../builder/composition-page.tsx"));
const DatasetPage = lazy(() => import("../datasets/dataset-page.tsx"));
const AnalyzePage = lazy(() => import("../programs/analysis/analyze-page.tsx"));
const SandboxesPage = lazy(() => import("../sandboxes/sandboxes-page.tsx"));
const SandboxPage = lazy(() => import("../sandboxes/sandbox-page.tsx"));
const WorkspacesPage = lazy(() => import("../workspaces/workspaces-page.tsx"));
const WorkspacePage = lazy(() => import("../workspaces/workspace-page.tsx"));
const CredentialsPage = lazy(() => import("../credentials/credentials-page.tsx"));
const ModelsPage = lazy(() => import("../models/models-page.tsx"));
const ModelPage = lazy(() => import("../models/model-page.tsx"));
const TeamsPage = lazy(() => import("../teams/teams-page.tsx"));
const TeamPage = lazy(() => import("../teams/team-page.tsx"));
const JoinTeamPage = lazy(() => import("../teams/join-team-page.tsx"));
const ShareLinkPage = lazy(() => import("../access/share-link-page.tsx"));
const WebhooksPage = lazy(() => import("../webhooks/webhooks-page.tsx"));
const WebhookPage = lazy(() => import("../webhooks/webhook-page.tsx"));
const WorkersPage = lazy(() => import("../workers/workers-page.tsx"));
const NotificationsPage = lazy(() => import("../notifications/notifications-page.tsx"));
const AdminPage = lazy(() => import("../admin/admin-page.tsx"));
const AuditPage = lazy(() => import("../audit/audit-page.tsx"));
const UsagePage = lazy(() => import("../usage/usage-page.tsx"));
const DoctorPage = lazy(() => import("../system/doctor-page.tsx"));
const DesignPage = lazy(() => import("./design-page.tsx"));

/** Every page and its address. Each page is loaded when it is first opened. */
export function AppRoutes() {
  return (
    <Suspense fallback={<SkeletonRows rows={3} />}>
      <Routes>
        <Route path="setup" element={<SetupPage />} />
        <Route path="sign-in" element={<SignInPage />} />
        <Route path="sign-up" element={<SignUpPage />} />
        <Route path="forgot-password" element={<ForgotPasswordPage />} />
        <Route path="reset-password" element={<ResetPasswordPage />} />
        <Route path="verify-email" element={<VerifyEmailPage />} />
        <Route path="ui" element={<DesignPage />} />
        <Route element={<ShareGate />}>
          <Route element={<Shell />}>
            <Route path="share" element={<ShareLinkPage />} />
          </Route>
        </Route>
        <Route element={<SessionGate />}>
          <Route path="device" element={<DevicePage />} />
          <Route element={<Shell />}>
            <Route index element={<HomePage />} />
            <Route path="runs" element={<RunsPage />} />
            <Route path="runs/new" element={<NewRunPage />} />
            <Route path="runs/:id" element={<RunPage />} />
            <Route path="schedules" element={<SchedulesPage />} />
            <Route path="runs/:id/compare/:other" element={<ComparePage />} />
            <Route path="environments" element={<EnvironmentsPage />} />
            <Route path="environments/:id" element={<EnvironmentPage />} />
            <Route path="catalog" element={<CatalogPage />} />
            <Route path="programs" element={<Navigate to="/catalog?type=program" replace />} />
            <Route path="programs/new" element={<ImportProgramPage />} />
            <Route path="programs/:id" element={<ProgramPage />} />
            <Route path="compositions" element={<Navigate to="/catalog?type=composition" replace />} />
            <Route path="compositions/:id" element={<CompositionPage />} />
            <Route path="datasets" element={<Navigate to="/catalog?type=dataset" replace />} />
            <Route path="datasets/:id" element={<DatasetPage />} />
            <Route path="analyze" element={<AnalyzePage />} />
            <Route path="sandboxes" element={<SandboxesPage />} />
            <Route path="sandboxes/:id" element={<SandboxPage />} />
            <Route path="workspaces" element={<WorkspacesPage />} />
            <Route path="workspaces/:id" element={<WorkspacePage />} />
            <Route path="models" element={<ModelsPage />} />
            <Route path="models/:id" element={<ModelPage />} />
            <Route path="credentials" element={<CredentialsPage />} />
            <Route path="webhooks" element={<WebhooksPage />} />
            <Route path="webhooks/:id" element={<WebhookPage />} />
            <Route path="teams" element={<TeamsPage />} />
            <Route path="teams/join" element={<JoinTeamPage />} />
            <Route path="teams/:id" element={<TeamPage />} />
            <Route path="settings" element={<Navigate to="profile" replace />} />
            <Route path="settings/:tab" element={<SettingsPage />} />
            <Route path="invitations" element={<InvitationsPage />} />
            <Route path="workers" element={<WorkersPage />} />
            <Route path="notifications" element={<NotificationsPage />} />
            <Route path="admin" element={<Navigate to="overview" replace />} />
            <Route path="admin/:tab" element={<AdminPage />} />
            <Route path="usage" element={<UsagePage />} />
            <Route path="audit" element={<AuditPage />} />
            <Route path="system" element={<DoctorPage />} />
            <Route path="*" element={<NotFoundPage />} />
          </Route>
        </Route>
      </Routes>
    </Suspense>
  );
}
