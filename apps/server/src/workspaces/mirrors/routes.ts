import { workspaceMirrorRoutes } from "@syla/contracts/workspace-mirrors";
import type { Http } from "../../access/http.ts";
import { answer } from "../../platform/http-call.ts";
import type { WorkspaceMirrors } from "./service.ts";

/** What `onConflict` means to whoever puts files together: there the repository is `mine`. */
const rules = { refuse: "refuse", mine: "theirs", theirs: "mine" } as const;

/** Binds mirrors of repositories. */
export function registerWorkspaceMirrorRoutes(http: Http, mirrors: WorkspaceMirrors): void {
  http.bind(workspaceMirrorRoutes.getWorkspaceMirror, async ({ params }, call) => ({ mirror: await mirrors.get(call.actor, params.id) }));
  http.bind(
    workspaceMirrorRoutes.mirrorIntoWorkspace,
    async ({ params, body }, call) => await mirrors.set(call.actor, params.id, body, call.signal),
  );
  http.bind(
    workspaceMirrorRoutes.fetchWorkspaceMirror,
    async ({ params, body }, call) => await mirrors.fetch(call.actor, params.id, rules[body.onConflict], call.signal),
  );
  http.bind(workspaceMirrorRoutes.deleteWorkspaceMirror, async ({ params }, call) => {
    await mirrors.delete(call.actor, params.id);
    return answer(204);
  });
}
