import { countLines, measureFunctions, measurePythonFunctions, type Size } from "./sizes/measure.ts";
import { formatTable, summarise } from "./sizes/report.ts";
import { readSourceFiles, repositoryRoot, type SourceFile } from "./source-files.ts";

const isTest = (path: string): boolean => /(^|\/)(test|e2e|bench|examples)\//.test(path);

function fileSizes(files: readonly SourceFile[]): Size[] {
  return files.map((file) => ({ path: file.path, name: "", line: 1, lines: countLines(file.text) }));
}

function functionSizes(files: readonly SourceFile[]): Size[] {
  const python = files.filter((file) => file.path.endsWith(".py"));
  const pythonPaths = python.map((file) => file.path);
  return [
    ...files.filter((file) => !python.includes(file)).flatMap(measureFunctions),
    ...measurePythonFunctions(repositoryRoot, pythonPaths),
  ];
}

const files = readSourceFiles(repositoryRoot, [".ts", ".tsx", ".py"]);
const source = files.filter((file) => !isTest(file.path));
const tests = files.filter((file) => isTest(file.path));
console.log(
  formatTable([
    summarise("source files", fileSizes(source)),
    summarise("source functions", functionSizes(source)),
    summarise("test files", fileSizes(tests)),
    summarise("test functions", functionSizes(tests)),
  ]),
);
console.log("\nLengths in lines; TypeScript and Python; functions with a name, nested ones included; generated files left out.");
for (const size of functionSizes(source)
  .filter((one) => one.lines > 50)
  .toSorted((a, b) => b.lines - a.lines)) {
  console.log(`over 50 lines: ${String(size.lines).padStart(4)}  ${size.path}:${size.line} ${size.name}`);
}
for (const size of fileSizes(source)
  .filter((one) => one.lines > 250)
  .toSorted((a, b) => b.lines - a.lines)) {
  console.log(`over 250 lines: ${String(size.lines).padStart(4)}  ${size.path}`);
}
