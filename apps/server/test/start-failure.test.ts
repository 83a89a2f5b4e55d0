import { AppError, errorCatalog, type ErrorCode } from "@syla/contracts/errors";
import { describe, expect, it } from "vitest";
import { describeStartFailure } from "../src/start-failure.ts";

describe("start failure", () => {
  it("is one line with the code, what is wrong and what to do", () => {
    const { line, exitCode } = describeStartFailure(new AppError("port_in_use", { message: "The port 80\nis in use." }));
    expect(line).toBe(`syla: port_in_use: The port 80 is in use. ${errorCatalog.port_in_use.hint}`);
    expect(exitCode).toBe(69);
  });

  it.each<[ErrorCode, number]>([
    ["config_invalid", 78],
    ["data_dir_in_use", 75],
    ["data_dir_newer", 78],
    ["database_unavailable", 69],
    ["internal", 70],
  ])("%s ends with %i", (code, exitCode) => {
    expect(describeStartFailure(new AppError(code)).exitCode).toBe(exitCode);
  });

  it("of an unknown kind is a fault of ours", () => {
    expect(describeStartFailure(new TypeError("x is not a function"))).toEqual({
      line: "syla: internal: x is not a function",
      exitCode: 70,
    });
    expect(describeStartFailure("text")).toEqual({ line: "syla: internal: text", exitCode: 70 });
  });
});
