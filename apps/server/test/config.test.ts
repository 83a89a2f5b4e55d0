import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { AppError } from "@syla/contracts/errors";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { describeOptions, loadConfig } from "../src/config.ts";

function failure(env: Record<string, string>): AppError {
  try {
    loadConfig({ HOME: "/nowhere", ...env });
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe("configuration", () => {
  it("has defaults for everything, each with its origin", () => {
    const config = loadConfig({ HOME: "/srv/ann" });
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 7878,
      dataDir: "/srv/ann/.syla/data",
      publicUrl: "http://127.0.0.1:7878",
      basePath: "",
    });
    expect(new Set(Object.values(config.origins))).toEqual(new Set(["default"]));
  });

  it("takes the home directory from the system when HOME is empty, and SYLA_HOME before both", () => {
    expect(loadConfig({ HOME: "" }).dataDir).toMatch(/^\/.+\/\.syla\/data$/);
    expect(loadConfig({ HOME: "/srv/ann", SYLA_HOME: "/srv/syla" }).dataDir).toBe("/srv/syla/data");
    expect(loadConfig({ HOME: "/srv/ann", SYLA_HOME: "/srv/syla" }).runtimesDir).toBe("/srv/syla/runtimes");
    expect(loadConfig({ HOME: "/srv/ann", SYLA_DATA_DIR: "/var/data" }).runtimesDir).toBe("/srv/ann/.syla/runtimes");
    expect(loadConfig({ SYLA_DATA_DIR: "/var/data" }).runtimesDir).toBe("/var/data/runtimes");
  });

  it("keeps previews apart from the product", () => {
    const previews = { SYLA_PREVIEW_URL: "https://previews.example", SYLA_PUBLIC_URL: "https://syla.example.org" };
    expect(loadConfig({ HOME: "/srv/ann", ...previews }).previewUrl).toBe("https://previews.example");
    for (const url of ["https://syla.example.org", "https://example.org", "https://previews.example/path", "http://127.0.0.1", "previews"])
      expect(failure({ ...previews, SYLA_PREVIEW_URL: url }).message).toContain("SYLA_PREVIEW_URL");
    expect(failure({ SYLA_PREVIEW_PORT: "7878" }).message).toContain("SYLA_PREVIEW_PORT");
  });

  it("prefers the environment to the file and the file to the default", () => {
    using directory = createTemporaryDirectory();
    writeFileSync(join(directory.path, "config.json"), JSON.stringify({ port: 9000, workerSlots: 3 }));
    const config = loadConfig({ SYLA_DATA_DIR: directory.path, SYLA_PORT: "9001" });
    expect(config).toMatchObject({ port: 9001, workerSlots: 3, logLevel: "info" });
    expect(config.origins).toMatchObject({ port: "environment", workerSlots: "file", logLevel: "default", dataDir: "environment" });
  });

  it("lists every problem at once", () => {
    using directory = createTemporaryDirectory();
    writeFileSync(join(directory.path, "config.json"), JSON.stringify({ prot: 9000, drainSeconds: "soon" }));
    const error = failure({
      SYLA_DATA_DIR: directory.path,
      SYLA_PORT: "99999",
      SYLA_TRUST_PROXY: "maybe",
      SYLA_LOG_LEVEL: "loud",
      SYLA_PUBLIC_URL: "ftp://x",
    });
    expect(error.code).toBe("config_invalid");
    expect(error.fields.map((field) => field.path).toSorted()).toEqual(
      ["SYLA_LOG_LEVEL", "SYLA_PORT", "SYLA_PUBLIC_URL", "SYLA_TRUST_PROXY", "config.json drainSeconds", "config.json prot"].toSorted(),
    );
    expect(error.message).toContain("SYLA_PORT: must be a whole number from 0 to 65535");
  });

  it.each(["[1]", "{", '"x"', "null"])("refuses the settings file %s", (text) => {
    using directory = createTemporaryDirectory();
    writeFileSync(join(directory.path, "config.json"), text);
    expect(failure({ SYLA_DATA_DIR: directory.path }).message).toContain("must be a JSON object");
  });

  it.each([
    [{ SYLA_PORT: "-1" }],
    [{ SYLA_PORT: "80x" }],
    [{ SYLA_PORT: "1e3" }],
    [{ SYLA_HOST: "a b" }],
    [{ SYLA_BASE_PATH: "syla" }],
    [{ SYLA_BASE_PATH: "/a/../b?x" }],
    [{ SYLA_PUBLIC_URL: "https://user:pw@example.org" }],
    [{ SYLA_PUBLIC_URL: "https://example.org/?q" }],
    [{ DATABASE_URL: "mysql://x/y" }],
    [{ SYLA_TRUST_PROXY: "10.0.0.0/8,proxy.local" }],
    [{ SYLA_TLS_CERT: "/etc/hostname" }],
    [{ SYLA_TLS_CERT: "/does/not/exist", SYLA_TLS_KEY: "/does/not/exist" }],
  ])("refuses %j", (env) => {
    expect(failure(env as Record<string, string>).code).toBe("config_invalid");
  });

  it("takes a key management service whole, and sends it nothing in clear", () => {
    const pathsOf = (env: Record<string, string>) => failure(env).fields.map(({ path }) => path);
    const url = { SYLA_KMS_URL: "https://vault.example.org:8200/" };
    expect(loadConfig({ HOME: "/", ...url, SYLA_KMS_TOKEN: "t", SYLA_CREDENTIAL_KEYS: "kms" })).toMatchObject({
      kmsUrl: "https://vault.example.org:8200",
      kmsMount: "transit",
      kmsKey: "syla",
    });
    expect(inspect(loadConfig({ HOME: "/", ...url, SYLA_KMS_TOKEN: "hvs.planted" }))).not.toContain("hvs.planted");
    expect(pathsOf({ SYLA_CREDENTIAL_KEYS: "kms" })).toEqual(["SYLA_KMS_URL"]);
    expect(pathsOf(url)).toEqual(["SYLA_KMS_TOKEN, SYLA_KMS_ROLE_ID"]);
    expect(pathsOf({ ...url, SYLA_KMS_ROLE_ID: "r" })).toEqual(["SYLA_KMS_ROLE_ID, SYLA_KMS_SECRET_ID"]);
    expect(pathsOf({ SYLA_KMS_URL: "http://vault.example.org", SYLA_KMS_TOKEN: "t" })).toContain("SYLA_KMS_URL");
    expect(pathsOf({ ...url, SYLA_KMS_TOKEN: "t", SYLA_KMS_MOUNT: "../sys" })).toEqual(["SYLA_KMS_MOUNT"]);
  });

  it("refuses an address that others reach without TLS, unless told otherwise", () => {
    expect(failure({ SYLA_HOST: "0.0.0.0" })).toMatchObject({ code: "insecure_bind" });
    expect(failure({ SYLA_HOST: "192.0.2.7" }).hint).toContain("--insecure");
    expect(loadConfig({ HOME: "/x", SYLA_HOST: "0.0.0.0", SYLA_INSECURE: "1" }).publicUrl).toBe("http://127.0.0.1:7878");
    for (const host of ["localhost", "127.0.0.5", "::1"]) expect(loadConfig({ HOME: "/x", SYLA_HOST: host }).host).toBe(host);
  });

  it("takes the base path from the public URL, and adds a base path to it", () => {
    expect(loadConfig({ HOME: "/x", SYLA_PUBLIC_URL: "https://example.org/tools/syla/" })).toMatchObject({
      basePath: "/tools/syla",
      publicUrl: "https://example.org/tools/syla",
    });
    expect(loadConfig({ HOME: "/x", SYLA_PUBLIC_URL: "https://example.org", SYLA_BASE_PATH: "/s" }).publicUrl).toBe(
      "https://example.org/s",
    );
    expect(loadConfig({ HOME: "/x", SYLA_BASE_PATH: "/s" }).publicUrl).toBe("http://127.0.0.1:7878/s");
  });

  it("does not print the database's password", () => {
    const config = loadConfig({ HOME: "/x", DATABASE_URL: "postgres://ann:hunter2@db/syla" });
    expect(config.databaseUrl?.reveal()).toContain("hunter2");
    for (const text of [JSON.stringify(config), inspect(config), String(config.databaseUrl)]) expect(text).not.toContain("hunter2");
  });

  it.each([
    ["false", false],
    ["true", 1],
    ["2", 2],
    ["10.0.0.0/8, ::1", ["10.0.0.0/8", "::1"]],
  ])("believes proxies: %s", (text, value) => {
    expect(loadConfig({ HOME: "/x", SYLA_TRUST_PROXY: text }).trustProxy).toEqual(value);
  });

  it("describes every option", () => {
    for (const option of describeOptions()) {
      expect(option.description.length).toBeGreaterThan(10);
      expect(option.env).toMatch(/^(SYLA_[A-Z0-9_]+|DATABASE_URL)$/);
    }
  });
});
