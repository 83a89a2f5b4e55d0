import { readdir } from "node:fs/promises";
import { AppError } from "@syla/contracts/errors";
import { listAdmins } from "../../admin/service.ts";
import { notifyEach } from "../../notifications/service.ts";
import type { Database } from "../../platform/database.ts";
import type { Logger } from "../../platform/logger.ts";
import type { RecurringWork } from "../../platform/recurring.ts";
import { openPhysicalSession } from "../dump/store.ts";
import type { KnownRepository } from "../known-repository.ts";
import { carryLog } from "./log-archive.ts";

/** What carries the log into the repository. */
interface CarrierContext {
  readonly database: Database;
  readonly logger: Logger;
  readonly repository: KnownRepository;
  readonly folder: string;
}

const everyMs = 5000;
/** So many files of 16 MiB that wait tell that it has not worked for a while. */
const tooMany = 60;

/** Carries what PostgreSQL has archived into the repository. While that is away the files wait in the data directory, and administrators are told. */
export function carryingLog({ database, logger, repository, folder }: CarrierContext): RecurringWork {
  let systemId: string | undefined;
  let told = false;
  const tell = async (error: unknown) => {
    if (told || (await readdir(folder)).length < tooMany) return;
    told = true;
    const reason = error instanceof AppError ? `${error.message} ${error.hint}` : "`syla server logs` shows why.";
    const body = `It waits in the data directory, which it fills. ${reason}`;
    const message = { type: "system", title: "The log of the database cannot be backed up", body, link: "/admin/backups" } as const;
    await database.queries.transaction().execute(async (work) => notifyEach(work, await listAdmins(work), message));
    logger.error({ err: error }, "the log of the database cannot be backed up");
  };
  return {
    name: "log of the database",
    everyMs,
    complaint: "the log of the database could not be carried into the repository of backups",
    perform: async (signal) => {
      try {
        systemId ??= await readSystemId(database);
        await carryLog(await repository.open(true), systemId, folder, signal);
        told = false;
      } catch (error) {
        if (signal.aborted) return;
        await tell(error);
        throw error;
      }
    },
  };
}

async function readSystemId({ target }: Database): Promise<string> {
  await using session = await openPhysicalSession(target);
  return session.systemId;
}
