import { Box, Button } from "@chakra-ui/react";
import { Hammer, Trash2 } from "lucide-react";
import { useNavigate, useParams } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { EnvironmentDetail } from "./environment-detail.tsx";
import { EnvironmentImageSection } from "./environment-image.tsx";
import { WarmSwitch } from "./warm-switch.tsx";
import { useBuildEnvironment, useDeleteEnvironment, useEnvironment } from "./queries.ts";

/** One environment. */
export default function EnvironmentPage() {
  const { id = "" } = useParams();
  const environment = useEnvironment(id);
  const me = useMe();
  const build = useBuildEnvironment(id);
  const remove = useDeleteEnvironment(id);
  const navigate = useNavigate();
  const isAdmin = me.data?.role === "admin";
  const data = environment.data;
  const isBusy = data?.state === "building" || build.isPending;
  return (
    <ScrollPage>
      <PageHeader
        title={data ? `Environment of ${data.language} ${data.runtimeVersion}` : "Environment"}
        actions={
          data ? (
            <>
              {!data.isHere || isAdmin ? (
                <Button size="xs" variant="outline" loading={isBusy} loadingText="Building" onClick={() => build.mutate(data.isHere)}>
                  <Hammer aria-hidden /> {data.isHere ? "Build again" : "Build now"}
                </Button>
              ) : null}
              <WarmSwitch environment={data} />
              {isAdmin && data.isHere ? (
                <Button
                  size="xs"
                  variant="outline"
                  loading={remove.isPending}
                  disabled={isBusy}
                  onClick={() => remove.mutate(undefined, { onSuccess: () => void navigate("/environments") })}
                >
                  <Trash2 aria-hidden /> Remove from disk
                </Button>
              ) : null}
            </>
          ) : null
        }
      />
      {[environment, build, remove].map(({ isError, error }, place) =>
        isError ? (
          <Box key={place} mb="4">
            <ErrorPanel error={error} />
          </Box>
        ) : null,
      )}
      {environment.isPending ? <SkeletonRows rows={4} /> : null}
      {data ? <EnvironmentDetail environment={data} /> : null}
      {data ? <EnvironmentImageSection id={data.id} isAdmin={isAdmin} /> : null}
    </ScrollPage>
  );
}
