import { AppError, type ErrorCode } from "@syla/contracts/errors";

/** A place in an uploaded file, both counted from 1. `column`: of a table its column, else the character of the line. */
export interface Place {
  readonly line: number;
  readonly column?: number | undefined;
}

type ReadingCode = Extract<ErrorCode, `dataset_${string}`>;

/** Something is wrong with an uploaded file, and where. */
export function readingProblem(code: ReadingCode, what: string, { line, column }: Place, hint?: string): AppError {
  const place = column === undefined ? `line ${line}` : `line ${line}, column ${column}`;
  return new AppError(code, {
    message: `${place[0]?.toUpperCase()}${place.slice(1)}: ${what}.`,
    ...(hint === undefined ? {} : { hint }),
    fields: [{ path: "body", message: `${place}: ${what}` }],
    details: { line, column: column ?? null },
  });
}
