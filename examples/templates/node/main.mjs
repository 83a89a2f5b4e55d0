import { countWords } from "./words.mjs";

const text = process.argv.slice(2).join(" ") || "the quick brown fox jumps over the lazy dog and the cat";
for (const [word, count] of countWords(text)) console.log(`${word}\t${count}`);
