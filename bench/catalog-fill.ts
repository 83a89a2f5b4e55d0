import { toSearchVector } from "@syla/server/catalog/search-text";
import type { Context } from "@syla/server/context";
import { newId } from "@syla/server/platform/ids";

/** Few words are in very many assets, and most in few. */
const common =
  "weather fetch summarize parse invoice table chart report translate image audio stream cluster forecast price order mail".split(" ");
const scripts = ["Überblick", "数据分析", "погода", "データ", "naïve", "résumé"];
const tags = ["http", "text", "daily", "demo", "finance", "vision", "nlp", "etl"];

/** Numbers that are the same in each run. */
function seeded(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

/** Keys of those who look: somebody who sees a part of it, and an administrator. */
export interface People {
  readonly personKey: string;
  readonly adminKey: string;
}

/** Fills an empty catalog: a fiftieth is granted to the person, a tenth is public, a twentieth belongs to teams. */
export async function fillCatalog({ database, accounts }: Context, assetCount: number): Promise<People> {
  const { queries } = database;
  const random = seeded(7);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const users = Array.from({ length: 1000 }, () => newId("user"));
  const user = (id: string, role: "developer" | "admin") =>
    ({ id, name: `Name of ${id}`, email: `${id}@example.org`, email_verified: true, image: null, role }) as const;
  await queries
    .insertInto("users")
    .values(users.map((id) => user(id, "developer")))
    .execute();
  const [person = "", admin = newId("user")] = [users[0]];
  await queries.insertInto("users").values(user(admin, "admin")).execute();
  const teams = Array.from({ length: 20 }, () => newId("team"));
  await queries
    .insertInto("teams")
    .values(teams.map((id) => ({ id, name: id, slug: id, created_by: person })))
    .execute();
  await queries
    .insertInto("team_members")
    .values(teams.slice(0, 3).map((id) => ({ team_id: id, user_id: person, role: "member" as const })))
    .execute();
  const words = [
    ...common,
    ...Array.from({ length: 5000 }, (_, index) => `${common[index % common.length]?.slice(0, 3)}${index.toString(36)}`),
  ];
  const word = () => words[Math.floor(words.length * (random(1000) / 1000) ** 3)] ?? "none";
  const granted: string[] = [];
  for (let start = 0; start < assetCount; start += 1000) {
    const rows = Array.from({ length: Math.min(1000, assetCount - start) }, (_, offset) => {
      const id = newId("prog");
      const name = `${word()} ${random(10) === 0 ? pick(scripts) : word()} ${start + offset}`;
      const description = Array.from({ length: 20 }, word).join(" ");
      const found = { name, description, tags: [pick(tags), pick(tags)], slots: [`${word()}Slot`] };
      if (random(50) === 0) granted.push(id);
      const at = new Date(Date.now() - random(90 * 86_400_000));
      return {
        id,
        type: "program" as const,
        ...found,
        name_key: name.toLowerCase(),
        slug: `asset-${start + offset}`,
        owner_id: random(20) === 0 ? pick(teams) : pick(users),
        visibility: random(10) === 0 ? ("public" as const) : ("private" as const),
        config: JSON.stringify({ runtime: "python", entrypoint: "main.py" }),
        search: toSearchVector(found),
        created_at: at,
        updated_at: at,
        created_by: person,
        updated_by: person,
        last_run_at: random(2) === 0 ? at : null,
        tree_sha256: null,
      };
    });
    await queries.insertInto("assets").values(rows).execute();
  }
  const grant = (resource_id: string, index: number) => ({
    id: newId("grant"),
    resource_type: "asset",
    resource_id,
    subject_type: index % 2 === 0 ? ("user" as const) : ("team" as const),
    subject_id: index % 2 === 0 ? person : (teams[0] ?? ""),
    level: "view" as const,
    created_by: person,
  });
  for (let start = 0; start < granted.length; start += 1000)
    await queries
      .insertInto("grants")
      .values(granted.slice(start, start + 1000).map((id, index) => grant(id, start + index)))
      .execute();
  const key = async (userId: string, role: "developer" | "admin") =>
    (await accounts.createApiKey({ userId, role, via: "local" }, { name: "bench", expiresInDays: undefined })).key;
  return { personKey: await key(person, "developer"), adminKey: await key(admin, "admin") };
}
