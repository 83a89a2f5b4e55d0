import { lazy, Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { NotFoundPage } from "./not-found-page.tsx";
import { SessionGate } from "./session-gate.tsx";
import { Shell } from "./shell.tsx";

const SetupPage = lazy(() => import("../accounts/setup-page.tsx"));
const SignInPage = lazy(() => import("../accounts/sign-in-page.tsx"));
const SettingsPage = lazy(() => import("../accounts/settings-page.tsx"));
const HomePage = lazy(() => import("../home/home-page.tsx"));
const NewRunPage = lazy(() => import("../runs/new/new-run-page.tsx"));
const RunsPage = lazy(() => import("../runs/list/runs-page.tsx"));
const RunPage = lazy(() => import("../runs/run-page.tsx"));
const SandboxesPage = lazy(() => import("../sandboxes/sandboxes-page.tsx"));
const SandboxPage = lazy(() => import("../sandboxes/sandbox-page.tsx"));
const TeamsPage = lazy(() => import("../teams/teams-page.tsx"));
const TeamPage = lazy(() => import("../teams/team-page.tsx"));
const JoinTeamPage = lazy(() => import("../teams/join-team-page.tsx"));
const ShareLinkPage = lazy(() => import("../access/share-link-page.tsx"));
const WorkersPage = lazy(() => import("../workers/workers-page.tsx"));
const DoctorPage = lazy(() => import("../system/doctor-page.tsx"));
const DesignPage = lazy(() => import("./design-page.tsx"));

/** Every page and its address. Each page is loaded when it is first opened. */
export function AppRoutes() {
  return (
    <Suspense fallback={<SkeletonRows rows={3} />}>
      <Routes>
        <Route path="setup" element={<SetupPage />} />
        <Route path="sign-in" element={<SignInPage />} />
        <Route path="ui" element={<DesignPage />} />
        <Route element={<SessionGate />}>
          <Route element={<Shell />}>
            <Route index element={<HomePage />} />
            <Route path="runs" element={<RunsPage />} />
            <Route path="runs/new" element={<NewRunPage />} />
            <Route path="runs/:id" element={<RunPage />} />
            <Route path="sandboxes" element={<SandboxesPage />} />
            <Route path="sandboxes/:id" element={<SandboxPage />} />
            <Route path="teams" element={<TeamsPage />} />
            <Route path="teams/join" element={<JoinTeamPage />} />
            <Route path="teams/:id" element={<TeamPage />} />
            <Route path="share" element={<ShareLinkPage />} />
            <Route path="settings" element={<Navigate to="profile" replace />} />
            <Route path="settings/:tab" element={<SettingsPage />} />
            <Route path="workers" element={<WorkersPage />} />
            <Route path="system" element={<DoctorPage />} />
            <Route path="*" element={<NotFoundPage />} />
          </Route>
        </Route>
      </Routes>
    </Suspense>
  );
}
