import { AppError } from "@syla/contracts/errors";

/** What is small may be as empty as it likes. */
const freeBytes = 10 * 1024 * 1024;
const mostRatio = 200;

/** Refuses to go on when far more comes out of an archive than sense allows. @throws AppError `import_too_large` */
export function checkRatio(packed: number, unpacked: number): void {
  if (unpacked > freeBytes && unpacked > packed * mostRatio)
    throw new AppError("import_too_large", {
      message: `The archive unpacks to more than ${mostRatio} times its size.`,
      hint: "Archives like that are made to fill disks. Leave out what is empty, or send the files themselves.",
    });
}

/** The error of a reading library, as ours. */
export function damaged(error: unknown): unknown {
  if (error instanceof AppError || (error as Error).name === "AbortError") return error;
  const text = error instanceof Error ? error.message : String(error);
  const isCut = /unexpected end|end of central directory|invalid central directory|truncat|too small|not enough/i.test(text);
  return new AppError("archive_damaged", {
    message: isCut ? "The archive is cut off, or not whole." : `The archive cannot be read: ${text.slice(0, 200)}.`,
    cause: error,
  });
}
