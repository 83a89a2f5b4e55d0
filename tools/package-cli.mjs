/**
 * Makes the package of the command line, with everything that it needs inside: `npm install --global` of the archive that it prints. The
 * folder to write into may be named; it is .build/package by default.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const target = resolve(process.argv[2] ?? join(root, ".build/package"));
const folder = join(target, "content");

const readme = `# Syla

The command line of Syla, which runs programs in sandboxes. This package holds the command line alone: it uses a server elsewhere.

    syla auth login --url https://syla.example.com
    syla exec hello.py

\`man syla\` and \`syla help\` tell of all commands. The server is started from the repository, with \`./syla up\`.
`;

const read = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const { version, engines, description, license } = read("package.json");
const { name } = read("apps/cli/package.json");

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "man"), { recursive: true });
execFileSync(process.execPath, [join(root, "tools/build-cli.mjs"), join(folder, "syla.mjs")], { stdio: ["ignore", 2, 2] });
chmodSync(join(folder, "syla.mjs"), 0o755);
cpSync(join(root, "docs/man/syla.gen.1"), join(folder, "man/syla.1"));
writeFileSync(join(folder, "README.md"), readme);
for (const file of ["LICENSE", "THIRD_PARTY_NOTICES"]) cpSync(join(root, file), join(folder, file));
const manifest = {
  name,
  version,
  description,
  license,
  type: "module",
  engines,
  bin: { syla: "syla.mjs" },
  man: ["./man/syla.1"],
  files: ["syla.mjs", "chunks", "man", "THIRD_PARTY_NOTICES"],
};
writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", target], { cwd: folder, encoding: "utf8" });
const answer = JSON.parse(packed);
// npm answers a list, or (from version 12 on) an object of packages by name
const [{ filename }] = Array.isArray(answer) ? answer : Object.values(answer);
console.log(join(target, filename));
