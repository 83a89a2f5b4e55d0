import { createPerson, execute } from "@syla/testkit/runs";
import type { Page } from "playwright-core";
import type { WebTest } from "./browser.ts";
import { describeLooks } from "./look.ts";

let program: string;
let person: string;
/** Who has used most of a quota. */
let worker: { authorization: string };

const names = ["Grace Hopper", "Alan Turing", "Barbara Liskov", "Edsger Dijkstra", "Margaret Hamilton"] as const;
const emailOf = (name: string) => `${name.split(" ")[0]?.toLowerCase()}@example.org`;

/** The same people, shares, runs and quotas each time. */
async function fillServer(web: WebTest): Promise<void> {
  const { server } = web;
  const { queries } = server.context.database;
  await web.openPage("/"); // sets the server up
  const send = async (method: string, path: string, body: object) => {
    const answer = await server.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { id: string };
  };
  for (const [index, name] of names.entries()) {
    const id = `user_0000000000000000000000000${index}`;
    const role = index === 0 ? "admin" : index === 4 ? "end_user" : "developer";
    await queries
      .insertInto("users")
      .values({ id, name, email: emailOf(name), email_verified: true, image: null, role })
      .execute();
  }
  person = "user_00000000000000000000000001";
  await queries.updateTable("users").set({ status: "suspended" }).where("name", "=", "Edsger Dijkstra").execute();
  const files = [{ path: "main.sh", content: "echo 1" }];
  ({ id: program } = await send("POST", "/api/v1/assets", { type: "program", name: "Counting", files }));
  const thing = { resourceType: "asset", resourceId: program };
  await send("POST", "/api/v1/grants", { ...thing, email: emailOf("Grace Hopper"), level: "edit" });
  await send("POST", "/api/v1/grants", { ...thing, email: emailOf("Alan Turing"), level: "run", expiresAt: "2041-05-06T07:08:00Z" });
  const { id: teamId } = await send("POST", "/api/v1/teams", { name: "Compilers" });
  await queries.insertInto("team_members").values({ team_id: teamId, user_id: person, role: "member" }).execute();
  await send("POST", "/api/v1/grants", { ...thing, teamId, level: "view" });
  worker = await createPerson(server);
  for (let index = 0; index < 4; index += 1) await execute(server, { code: `exit ${index % 2}`, entrypoint: "main.sh" }, worker);
  const { id: workerId } = (await (await server.fetch("/api/v1/users/me", { headers: worker })).json()) as { id: string };
  await send("PATCH", `/api/v1/quotas/${workerId}`, { runsPerDay: 5, llmSpendPerMonth: -1 });
  await queries
    .updateTable("users")
    .set({ name: "Radia Perlman", email: emailOf("Radia Perlman") })
    .where("id", "=", workerId)
    .execute();
  await send("PATCH", `/api/v1/quotas/${person}`, { runsPerDay: 200, storageMb: -1 });
  await server.context.audit.flushed();
}

/** What is looked at, and how it is opened. */
const pages: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  sharing: (page) => page.goto(`/programs/${program}?tab=sharing`),
  audit: (page) => page.goto("/audit?action=share.*&outcome=ok"),
  users: (page) => page.goto("/admin/users"),
  user: (page) => page.goto(`/admin/users?user=${person}`),
  quotas: async (page) => {
    await page.goto(`/admin/users?user=${person}`);
    await page.getByRole("button", { name: "Save quotas" }).scrollIntoViewIfNeeded();
  },
  usage: async (page) => {
    await page.setExtraHTTPHeaders(worker);
    await page.context().clearCookies();
    await page.goto("/usage");
  },
  preferences: (page) => page.goto("/settings/notifications"),
};

describeLooks("people", { environment: { SYLA_SIGN_UP: "invite" }, fill: fillServer, pages });
