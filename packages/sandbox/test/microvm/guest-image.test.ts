import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeImage, readGuestImage, sumOfSystem } from "../../src/microvm/guest-image.ts";

const facts = { kernel: "6.1.0-cloud-amd64", packages: [{ name: "busybox-static", version: "1", sha256: "ab" }], system: null, shown: [] };

function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "syla-image-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "image.json"), text);
  return folder;
}

test("an image is named by all that is in it", () => {
  const [image, same, other] = [describeImage(facts, ["1", "2"]), describeImage(facts, ["1", "2"]), describeImage(facts, ["1", "3"])];
  expect(image).toEqual(same);
  expect(image.sha256).not.toBe(other.sha256);
  const folder = folderWith(JSON.stringify(image));
  expect(readGuestImage(folder)).toEqual({ ...image, folder });
});

test.each([
  "",
  "[]",
  "{",
  JSON.stringify({ ...describeImage(facts, []), version: 1 }),
  JSON.stringify({ ...describeImage(facts, []), kernel: "" }),
])("a manifest of another form is no image: %j", (text) => {
  expect(readGuestImage(folderWith(text))).toBeNull();
  expect(readGuestImage("/no/such/folder")).toBeNull();
});

test("another list of packages has another sum", () => {
  const [first, second] = [folderWith("a"), folderWith("b")].map((folder) => sumOfSystem(join(folder, "image.json")));
  expect(first).not.toBe(second);
  expect(sumOfSystem("/no/such/file")).toBeNull();
});
