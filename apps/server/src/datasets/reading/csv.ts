import { setImmediate as nextTurn } from "node:timers/promises";
import { datasetLimits } from "@syla/contracts/dataset-config";
import type { AppError } from "@syla/contracts/errors";
import { CsvError, parse, type Options } from "csv-parse";
import { readingProblem } from "./problem.ts";

const options: Options = {
  bom: true,
  skip_empty_lines: true,
  record_delimiter: ["\r\n", "\n", "\r"],
  max_record_size: datasetLimits.rowBytes,
};

/** A separator by the first line of a file: the one that is there most often. */
export function guessDelimiter(head: string): string {
  const line = head.replaceAll(/"[^"]*"/g, "").split(/[\r\n]/, 1)[0] ?? "";
  const count = (mark: string) => line.split(mark).length - 1;
  return [",", ";", "\t", "|"].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/**
 * The records of a CSV file, the first one its header, in batches.
 *
 * @throws AppError `dataset_malformed` with the place
 */
export async function* readCsv(text: AsyncIterable<string>, delimiter: string): AsyncGenerator<string[][]> {
  const parser = parse({ ...options, delimiter });
  let failure: Error | null = null;
  parser.on("error", (error) => (failure = error));
  const drain = (): string[][] => {
    const records: string[][] = [];
    for (let record = parser.read() as string[] | null; record !== null; record = parser.read() as string[] | null) records.push(record);
    return records;
  };
  try {
    for await (const chunk of text) {
      parser.write(chunk);
      const records = drain();
      await nextTurn(); // others have their turn, and a mistake is told
      if (failure !== null) throw located(failure);
      if (records.length > 0) yield records;
    }
    parser.end();
    while (!parser.readableEnded) {
      const records = drain();
      await nextTurn();
      if (failure !== null) throw located(failure);
      if (records.length > 0) yield records;
    }
  } finally {
    parser.destroy();
  }
}

/** What a mistake is called, for people. */
function describe({ code, message }: CsvError): string {
  switch (code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return "a quote is opened and never closed";
    case "CSV_INVALID_CLOSING_QUOTE":
      return "something follows a closing quote; a quote inside of a value is written twice";
    case "INVALID_OPENING_QUOTE":
      return "there is a quote within a value that does not begin with one";
    case "CSV_MAX_RECORD_SIZE":
      return `the row is longer than ${datasetLimits.rowBytes / 1024 / 1024} MiB`;
    case "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH":
    case "CSV_RECORD_INCONSISTENT_COLUMNS":
      return (
        /expect (\d+), got (\d+)/
          .exec(message)
          ?.slice(1, 3)
          .reduce((expected, got) => `the row has ${got} values, and the header ${expected}`) ??
        "the row has another number of values than the header"
      );
    default:
      return "the row cannot be read";
  }
}

function located(error: Error): AppError | Error {
  if (!(error instanceof CsvError)) return error;
  const { lines, column, code } = error as CsvError & { readonly lines?: number; readonly column?: unknown };
  const isWhole = code.startsWith("CSV_RECORD_") || code === "CSV_MAX_RECORD_SIZE";
  const place = typeof column === "number" && !isWhole ? { column: column + 1 } : {};
  return readingProblem("dataset_malformed", describe(error), { line: lines ?? 1, ...place });
}
