import { execFileSync } from "node:child_process";

/** A kernel as a monitor without a boot loader takes it. */

/** Of the header of a kernel for x86. Source: Documentation/arch/x86/boot.rst. */
const at = { setupSectors: 0x1f1, magic: 0x202, version: 0x206, payloadOffset: 0x248, payloadLength: 0x24c } as const;
const sectorBytes = 512;
const leastVersion = 0x0208;
const elf = Buffer.from("\x7fELF", "latin1");
const mostBytes = 1 << 29;
/** What the kernel's build adds behind the compressed one: its size. Gzip's own end says that. */
const sizeBytes = 4;

/** By how it begins: the program that unpacks it. */
const programs = [
  { begins: "fd377a585a00", words: ["xz", "-dc"], adds: sizeBytes },
  { begins: "28b52ffd", words: ["zstd", "-dc"], adds: sizeBytes },
  { begins: "02214c18", words: ["lz4", "-dc"], adds: sizeBytes },
  { begins: "1f8b08", words: ["gzip", "-dc"], adds: 0 },
] as const;

/** The ELF file in a `bzImage`. @throws Error when it is none, or is compressed in a way that nothing here unpacks */
export function unpackKernel(image: Buffer): Buffer {
  if (
    image.length < at.payloadLength + 4 ||
    image.toString("latin1", at.magic, at.magic + 4) !== "HdrS" ||
    image.readUInt16LE(at.version) < leastVersion
  )
    throw new Error("this is no kernel for x86");
  const begin = ((image[at.setupSectors] || 4) + 1) * sectorBytes + image.readUInt32LE(at.payloadOffset);
  const payload = image.subarray(begin, begin + image.readUInt32LE(at.payloadLength));
  const program = programs.find(({ begins }) => payload.toString("hex", 0, begins.length / 2) === begins);
  if (program === undefined) throw new Error(`a kernel is compressed in an unknown way (${payload.toString("hex", 0, 6)})`);
  const [name, ...words] = program.words;
  const input = payload.subarray(0, payload.length - program.adds);
  const kernel = execFileSync(name, words, { input, maxBuffer: mostBytes, stdio: ["pipe", "pipe", "pipe"] });
  if (!kernel.subarray(0, elf.length).equals(elf)) throw new Error("a kernel is no ELF file");
  return kernel;
}
